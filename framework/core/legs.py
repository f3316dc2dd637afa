"""The orders of one position: its entries, its stops, and what closes it, each with where it stands."""

from __future__ import annotations

import enum
from decimal import Decimal

from attrs import frozen

from .execution import EntryStep
from .numbers import ZERO


class LegState(enum.Enum):
    """Where one order of a position stands, as far as we know.

    ``DONE``: the venue said that it is over. ``LOST``: the venue does not show it where it should; it may turn up.
    """

    SENT = "sent"
    RESTING = "resting"
    CANCELLING = "cancelling"
    MOVING = "moving"
    UNKNOWN = "unknown"
    TRIGGERED = "triggered"
    LOST = "lost"
    DONE = "done"


KEPT_LEGS = 12
"""Orders of one kind that are kept once they are done: a stop may move ten thousand times in a long life."""


@frozen
class EntryLeg:
    """One entry order. `filled` is cumulative; `average_price` is that of its fills.

    `doubted`: there was a time when nobody knew what became of it; no other entry follows such a one.
    """

    client_id: str
    step: EntryStep
    quantity: Decimal
    state: LegState
    sent_ns: int
    filled: Decimal = ZERO
    average_price: Decimal | None = None
    doubted: bool = False


@frozen
class StopLeg:
    """One protective stop. While it is being moved, `trigger_price` and `quantity` still say where it rests.

    `missing` counts the reads in a row that did not show it although it should rest: not found is no proof.
    `lost_ns` is when it was given up.
    """

    client_id: str
    trigger_price: Decimal
    quantity: Decimal
    state: LegState
    attached: bool
    wanted_by: str
    missing: int = 0
    lost_ns: int | None = None

    @property
    def is_live(self) -> bool:
        """Whether it rests at the venue, so that it would act. One that is being cancelled does not count."""
        return self.state in (LegState.RESTING, LegState.MOVING)

    @property
    def is_over(self) -> bool:
        """Whether it cannot act any more. An attached one goes with its position."""
        return self.attached or self.state in (LegState.DONE, LegState.TRIGGERED)

    @property
    def is_doubtful(self) -> bool:
        """Whether reads do not agree about it yet: it should rest and was not seen, or it may still turn up."""
        return self.missing > 0 and self.state not in (LegState.DONE, LegState.TRIGGERED)


@frozen
class TargetLeg:
    """One reduce-only limit order that rests to take a part in profit for the protection `taken_by`.

    `refusals`: how often the venue has refused it, weighed: a refusal for good counts as many. `missing` counts the
    reads in a row whose venue did not know it although it should rest.
    """

    client_id: str
    price: Decimal
    quantity: Decimal
    state: LegState
    taken_by: str
    sent_ns: int
    filled: Decimal = ZERO
    refusals: int = 0
    missing: int = 0

    @property
    def left(self) -> Decimal:
        """What it may yet fill."""
        return ZERO if self.is_over else self.quantity - self.filled

    @property
    def is_over(self) -> bool:
        """Whether it cannot fill any more."""
        return self.state is LegState.DONE


@frozen
class CloseLeg:
    """One reduce-only order that closes; of a part in profit when `taken_by` names a protection."""

    client_id: str
    quantity: Decimal
    state: LegState
    filled: Decimal = ZERO
    taken_by: str = ""
    sent_ns: int | None = None
    refused: bool = False
