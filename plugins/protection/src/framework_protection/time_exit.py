"""The protection `time-exit`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from attrs import field, frozen

from framework import Ask, Guard, Holding, NoState, Percent, Side, not_negative, positive

from .break_even import break_even_price
from .settings import below_hundred

HOUR_NS = 3_600_000_000_000

TOO_OLD = "too_old"
"""The position has reached its maximum age."""

AGED_OUT = "aged_out"
"""The position was held beyond its grace period, and the price is as good as is still asked for."""


@frozen
class TimeExit:
    """Close a position that takes too long: first in profit, then with a loss that is tolerated, at last anyhow.

    For `grace_hours` nothing happens. Then it is closed at break-even or better, fees counted. After
    `break_even_hours` more, a loss of `loss_percent_per_hour` of the entry price is tolerated for each full hour, up
    to `max_loss_percent`. At `max_age_hours` it is closed at any price. `fee_percent` is the fee of entry and exit
    each; without it, that of the entry's executions.
    """

    name: ClassVar[str] = "time-exit"
    state_type: ClassVar[type] = NoState

    grace_hours: Decimal | None = field(default=None, validator=not_negative)
    break_even_hours: Decimal = field(default=Decimal(0), validator=not_negative)
    loss_percent_per_hour: Percent = field(default=Percent(Decimal(0)), validator=[not_negative, below_hundred])
    max_loss_percent: Percent = field(default=Percent(Decimal(0)), validator=[not_negative, below_hundred])
    max_age_hours: Decimal | None = field(default=None, validator=positive)
    fee_percent: Percent | None = field(default=None, validator=[not_negative, below_hundred])

    def __attrs_post_init__(self) -> None:
        if self.grace_hours is None and self.max_age_hours is None:
            raise ValueError("set grace_hours, max_age_hours, or both: else it never closes anything")
        if self.grace_hours is None and (self.break_even_hours or self.loss_percent_per_hour.value):
            raise ValueError("break_even_hours and loss_percent_per_hour follow grace_hours: set that too")
        if bool(self.loss_percent_per_hour.value) != bool(self.max_loss_percent.value):
            raise ValueError("loss_percent_per_hour and max_loss_percent belong together: set both, or neither")

    def start(self, holding: Holding) -> Guard:
        """No stop; the first price and time that matter."""
        return self._answer(holding, holding.opened_ns)

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        """Whether to close at this price and time; else when to ask again."""
        if self.max_age_hours is not None and time_ns >= self._at_ns(holding, self.max_age_hours):
            return Guard(NoState(), None, close=TOO_OLD, numbers=self._numbers(holding, time_ns))
        asked = self._price(holding, time_ns)
        if asked is not None and (price - asked) * holding.side.sign >= 0:
            return Guard(NoState(), None, close=AGED_OUT, numbers=self._numbers(holding, time_ns))
        return self._answer(holding, time_ns)

    def _answer(self, holding: Holding, time_ns: int) -> Guard:
        asked, at_ns = self._price(holding, time_ns), self._next_ns(holding, time_ns)
        ask = Ask(above=asked, at_ns=at_ns) if holding.side is Side.LONG else Ask(below=asked, at_ns=at_ns)
        return Guard(NoState(), None, ask, numbers=self._numbers(holding, time_ns))

    def _price(self, holding: Holding, time_ns: int) -> Decimal | None:
        """The worst price at which it is closed now, unrounded; None while its grace period lasts."""
        if self.grace_hours is None or time_ns < self._at_ns(holding, self.grace_hours):
            return None
        tolerated = self._tolerated(holding, time_ns).of(holding.entry_price)
        return break_even_price(holding, self.fee_percent) - holding.side.sign * tolerated

    def _tolerated(self, holding: Holding, time_ns: int) -> Percent:
        return min(Percent(self.loss_percent_per_hour.value * self._hours(holding, time_ns)), self.max_loss_percent)

    def _hours(self, holding: Holding, time_ns: int) -> int:
        """The full hours since a loss began to be tolerated."""
        return max(0, time_ns - self._tolerant_ns(holding)) // HOUR_NS

    def _tolerant_ns(self, holding: Holding) -> int:
        return self._at_ns(holding, (self.grace_hours or Decimal(0)) + self.break_even_hours)

    def _next_ns(self, holding: Holding, time_ns: int) -> int | None:
        """The next instant at which the answer changes by itself."""
        instants = []
        if self.max_age_hours is not None:
            instants.append(self._at_ns(holding, self.max_age_hours))
        if self.grace_hours is not None:
            instants.append(self._at_ns(holding, self.grace_hours))
            if self._tolerated(holding, time_ns) < self.max_loss_percent:
                instants.append(self._tolerant_ns(holding) + (self._hours(holding, time_ns) + 1) * HOUR_NS)
        return min((at_ns for at_ns in instants if at_ns > time_ns), default=None)

    def _at_ns(self, holding: Holding, hours: Decimal) -> int:
        return holding.opened_ns + int(hours * HOUR_NS)

    def _numbers(self, holding: Holding, time_ns: int) -> dict[str, Decimal]:
        numbers = {"age_hours": (Decimal(time_ns - holding.opened_ns) / HOUR_NS).quantize(Decimal("0.01"))}
        asked = self._price(holding, time_ns)
        return numbers if asked is None else {**numbers, "asked_price": asked}
