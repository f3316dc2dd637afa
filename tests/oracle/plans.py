"""What was planned for each position, as told beside the ledger.

JSON lines of ``venue``, ``account``, ``symbol``, ``side`` (of the entry: buy or sell), ``position`` (its id) or
``entry_ids`` (client ids of its entries), ``max_qty``, ``stop_low``, ``stop_high`` (between these the first stop must
lie, and no later one further from the market), ``deadline_ns`` (no entry is sent after it), ``trails_by`` (the
share of the best price since the position opened by which a stop in profit stays behind it). Each of the last five may
be null: not judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from .ledger import UnusableError
from .names import Names


@dataclass(frozen=True, slots=True)
class Plan:
    """One position's plan. Quantities in the base asset, prices as the venue writes them."""

    symbol: str
    side: str
    max_qty: Decimal | None
    stop_low: Decimal | None
    stop_high: Decimal | None
    deadline_ns: int | None
    trails_by: Decimal | None = None


PositionKey = tuple[str, str, str]
Plans = Mapping[PositionKey, Plan]
"""By venue, account and position id."""


def read_plans(rows: Iterable[str], names: Names) -> Plans:
    """Raises UnusableError with the number of a line that says something else."""
    plans: dict[PositionKey, Plan] = {}
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        try:
            told = json.loads(row)
            positions = _positions(told, names)
            plan = Plan(
                told["symbol"],
                told["side"],
                _decimal(told.get("max_qty")),
                _decimal(told.get("stop_low")),
                _decimal(told.get("stop_high")),
                None if told.get("deadline_ns") is None else int(told["deadline_ns"]),
                _decimal(told.get("trails_by")),
            )
            for position in positions:
                plans[told["venue"], told["account"], position] = plan
        except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as error:
            raise UnusableError(f"plans, line {number}: {type(error).__name__}: {error}") from None
    return plans


def _positions(told: Mapping[str, Any], names: Names) -> set[str]:
    if told.get("position") is not None:
        return {str(told["position"])}
    owners = [names.owner(one) for one in told["entry_ids"]]
    found = {owner.position for owner in owners if owner is not None}
    if len(found) != 1 or None in owners:
        raise ValueError("entry_ids must be client ids of one position")
    return found


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
