"""The protection `break-even`, and the price at which a position ends without profit or loss."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from attrs import field, frozen

from framework import Ask, Guard, Holding, Percent, Side, nearest_to, not_negative, positive

from .settings import below_hundred

_ONE = Decimal(1)


def break_even_price(holding: Holding, fee_percent: Percent | None) -> Decimal:
    """The exit price that pays the fees of the entry and of the exit itself, and leaves nothing. Unrounded.

    `fee_percent` is the fee of each of the two; None: that of the entry's executions, 0 while nobody knows it.
    """
    rate = holding.fee_rate if fee_percent is None else fee_percent.of(_ONE)
    sign = holding.side.sign
    return holding.entry_price * (_ONE + sign * rate) / (_ONE - sign * rate)


@frozen
class Raised:
    """The state: the stop at break-even, unrounded, once it was reached; None before."""

    stop: Decimal | None = None


@frozen
class BreakEven:
    """Bring the stop to the price at which nothing is lost, once the position is `after_percent` in profit.

    That price pays the fees of entry and exit. `fee_percent` is the fee of each; without it, that of the entry's
    executions. The stop is only set where the price is at least a tick beyond it.
    """

    name: ClassVar[str] = "break-even"
    state_type: ClassVar[type] = Raised

    after_percent: Percent = field(validator=[positive, below_hundred])
    fee_percent: Percent | None = field(default=None, validator=[not_negative, below_hundred])

    def start(self, holding: Holding) -> Guard:
        """No stop yet."""
        return self._answer(holding, Raised())

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        """The stop at break-even, if `price` is far enough in profit."""
        if state.stop is None and (price - self._level(holding)) * holding.side.sign >= 0:
            state = Raised(break_even_price(holding, self.fee_percent))
        return self._answer(holding, state)

    def _answer(self, holding: Holding, state: Raised) -> Guard:
        level = self._level(holding)
        numbers = {"after_price": level, "break_even": break_even_price(holding, self.fee_percent)}
        if state.stop is not None:
            return Guard(state, state.stop, numbers=numbers)
        ask = Ask(above=level) if holding.side is Side.LONG else Ask(below=level)
        return Guard(state, None, ask, numbers=numbers)

    def _level(self, holding: Holding) -> Decimal:
        """The price that sets the stop: in profit as far as the setting says, and a tick beyond the stop at least."""
        entry, tick = holding.entry_price, holding.rules.tick_size
        stop = nearest_to(break_even_price(holding, self.fee_percent), tick)
        if holding.side is Side.LONG:
            return max(self.after_percent.above(entry), stop + tick)
        return min(self.after_percent.below(entry), stop - tick)
