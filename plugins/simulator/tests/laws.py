"""What holds of every ledger, whatever was done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

ENDED = ("filled", "cancelled", "expired", "rejected")


def signed(line: dict[str, Any]) -> Decimal:
    return Decimal(line["qty"]) * (1 if line["side"] == "buy" else -1)


def no_order_fills_twice(lines: Iterable[dict[str, Any]]) -> None:
    """Nor more than it asked for, nor after its end."""
    filled: dict[str, Decimal] = defaultdict(Decimal)
    asked: dict[str, Decimal] = {}
    ended: set[str] = set()
    for line in lines:
        if line["kind"] == "order":
            assert line["id"] not in ended
            asked[line["id"]] = Decimal(line["qty"])
            assert Decimal(line["filled"]) == filled[line["id"]]
            if line["status"] in ENDED:
                ended.add(line["id"])
        elif line["kind"] == "fill":
            assert line["order"] not in ended
            filled[line["order"]] += Decimal(line["qty"])
            assert filled[line["order"]] <= asked[line["order"]]


def no_reduce_only_order_increases(lines: list[dict[str, Any]]) -> None:
    """Nor does any fill pass through zero. The lines are of one market."""
    reduce_only = {line["id"]: line["reduce_only"] for line in lines if line["kind"] == "order"}
    held = Decimal(0)
    for line in lines:
        if line["kind"] == "fill":
            after = held + signed(line)
            assert held * after >= 0
            if reduce_only[line["order"]]:
                assert abs(after) < abs(held)
            held = after
