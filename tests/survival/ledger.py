"""What the venue's ledger says, as far as these tests ask, and what the oracle thinks of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.oracle.bounds import Bounds
from tests.oracle.judging import Case, judge

Line = Mapping[str, Any]

ENTRY_MARK = "-e"


def of_kind(lines: Iterable[Line], kind: str, **fields: object) -> list[Line]:
    """The lines of a kind whose fields are as given, oldest first."""
    return [one for one in lines if one["kind"] == kind and all(one.get(key) == value for key, value in fields.items())]


def held(lines: Iterable[Line]) -> dict[str, Decimal]:
    """The positions that are not flat, by symbol."""
    found = {line["symbol"]: Decimal(line["qty"]) for line in of_kind(lines, "position")}
    return {symbol: quantity for symbol, quantity in found.items() if quantity}


def resting(lines: Iterable[Line], symbol: str) -> list[Line]:
    """The stops that rest in a market, oldest first."""
    found: dict[str, Line] = {}
    for line in of_kind(lines, "stop", symbol=symbol):
        found[line["id"]] = line
    return [line for line in found.values() if line["status"] == "untriggered"]


def triggers(lines: Iterable[Line], symbol: str) -> list[Decimal]:
    """Where the stops of a market rest."""
    return [Decimal(line["trigger_price"]) for line in resting(lines, symbol)]


def fills(lines: Iterable[Line], symbol: str) -> list[tuple[str, Decimal, Decimal]]:
    """Side, quantity and price of every execution in a market, in order."""
    return [
        (line["side"], Decimal(line["qty"]), Decimal(line["price"])) for line in of_kind(lines, "fill", symbol=symbol)
    ]


def entries(lines: Iterable[Line], symbol: str) -> list[Line]:
    """The entry orders of ours that reached a market, each once."""
    found = {line["id"]: line for line in of_kind(lines, "order", symbol=symbol)}
    return [line for line in found.values() if ENTRY_MARK in (line["client_id"] or "")]


def requests(lines: Iterable[Line], *paths: str) -> list[Line]:
    """The requests that reached the venue, all of them or those on some paths."""
    return [line for line in of_kind(lines, "request") if not paths or line["path"] in paths]


def breaches(lines: Sequence[Line], bounds: Bounds) -> list[tuple[str, str]]:
    """What the oracle finds wrong with a run: the invariants that were broken, and how first."""
    judgement = judge((json.dumps(line) for line in lines), Case(bounds))
    return [(one.name, str(one.first)) for one in judgement.verdicts if one.count]
