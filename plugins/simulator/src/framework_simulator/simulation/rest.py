"""Whether all is well: a run whose faults are over can end when nothing is left to be done."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import define, field

from framework import FillRecorded, Record

OURS = re.compile(r"fw-[a-z2-7]{16}-[a-z][0-9]{1,6}")
"""A client id of ours, also in the text of a request."""

_LIVE = frozenset({"new", "partially_filled"})

Market = tuple[str, str]


@define(eq=False)
class Balance:
    """What rests and is held at the venues, line by line of the ledger; and what the journal knows of the fills."""

    held: dict[Market, Decimal] = field(factory=dict)
    stops: dict[Market, dict[str, Mapping[str, Any]]] = field(factory=dict)
    orders: dict[str, Mapping[str, Any]] = field(factory=dict)
    _fills: dict[tuple[Market, str], Decimal] = field(factory=dict)
    """By market and side: what the venue tells of less what the journal has."""

    def line(self, line: Mapping[str, Any]) -> None:
        """Take a line of the ledger in."""
        kind = line["kind"]
        if kind == "stop":
            resting = self.stops.setdefault((line["venue"], line["symbol"]), {})
            resting.pop(line["id"], None)
            if line["status"] == "untriggered":
                resting[line["id"]] = line
            elif line["status"] == "triggering":
                resting[line["id"]] = {**line, "qty": "0"}  # it is about to become an order, and protects nobody
        elif kind == "order":
            self.orders.pop(line["id"], None)
            if line["status"] in _LIVE:
                self.orders[line["id"]] = line
        elif kind == "position":
            self.held[line["venue"], line["symbol"]] = Decimal(line["qty"])
        elif kind == "fill":
            self._add((line["venue"], line["symbol"]), line["side"], Decimal(line["qty"]))

    def recorded(self, records: Sequence[Record]) -> None:
        """Take what the journal has committed in."""
        for record in records:
            if isinstance(record, FillRecorded):
                fill = record.fill
                self._add((record.account, fill.symbol), fill.side.value, -fill.quantity)

    def is_covered(self, market: Market) -> bool:
        """Whether resting stops are worth the whole position. A stop without a quantity is worth all of it."""
        resting = self.stops.get(market, {}).values()
        worth = sum((Decimal(each["qty"]) for each in resting if each["qty"] is not None), Decimal(0))
        return worth >= abs(self.held.get(market, Decimal(0))) or any(each["qty"] is None for each in resting)

    def is_well(self, apart: frozenset[Market], *, counts_fills: bool) -> bool:
        """Everything is covered or flat, nothing of ours is on its way or left over, and the journal has each fill.

        `apart`: markets in which others traded, whose fills the journal need not have.
        """
        if self.orders or not all(map(self._is_in_order, self.held.keys() | self.stops.keys())):
            return False
        return not counts_fills or not any(left for (market, _), left in self._fills.items() if market not in apart)

    def _is_in_order(self, market: Market) -> bool:
        if self.held.get(market):
            return self.is_covered(market)
        resting = self.stops.get(market, {}).values()
        return not any(each["attached"] or OURS.fullmatch(str(each["client_id"])) for each in resting)

    def _add(self, market: Market, side: str, quantity: Decimal) -> None:
        self._fills[market, side] = self._fills.get((market, side), Decimal(0)) + quantity
