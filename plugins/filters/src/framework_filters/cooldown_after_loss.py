"""The filter `cooldown-after-loss`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from attrs import Attribute, field, frozen

from framework import MarketSnapshot, Need, Passed, Rejection, Signal, Verdict, positive

_NS_PER_MINUTE = 60_000_000_000
_MINUTES_PER_DAY = 1440


def _within_a_day(instance: object, attribute: Attribute[Any], value: int) -> None:
    if value > _MINUTES_PER_DAY:
        raise ValueError(f"must be at most {_MINUTES_PER_DAY}: closed positions are known for a day, got {value}")


@frozen
class CooldownAfterLoss:
    """Reject signals for a time after a position of the account was closed with a loss.

    `scope` "symbol": signals for the same symbol; "account": all of them. A loss is a negative realised PnL after
    fees. Signals go through again from the instant at which the time is over.
    """

    name: ClassVar[str] = "cooldown-after-loss"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.CLOSED_POSITIONS})

    minutes: int = field(validator=[positive, _within_a_day])
    scope: Literal["symbol", "account"] = "symbol"

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        """``cooling_down`` with the remaining minutes, rounded up."""
        losses_ns = [
            position.closed_ns
            for position in market.closed_positions
            if position.realized_pnl_usd < 0 and (self.scope == "account" or position.symbol == signal.symbol)
        ]
        if not losses_ns:
            return Passed()
        remaining_ns = max(losses_ns) + self.minutes * _NS_PER_MINUTE - market.time_ns
        if remaining_ns <= 0:
            return Passed({"remaining_minutes": 0})
        remaining = -(-remaining_ns // _NS_PER_MINUTE)
        of = signal.symbol if self.scope == "symbol" else market.account
        return Rejection(
            "cooling_down",
            f"{of} cools down for {remaining} more minutes after a loss",
            {"remaining_minutes": remaining, "minutes": self.minutes},
        )
