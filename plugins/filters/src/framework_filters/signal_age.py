"""The filter `signal-age`."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from framework import MarketSnapshot, Need, Passed, Rejection, Signal, Verdict, not_negative, positive

_NS_PER_S = 1_000_000_000


@frozen
class SignalAge:
    """Reject a signal that was made too long ago, or by a clock that runs ahead of ours.

    The age is the time from the sender's creation of the signal to the decision. Both limits are still let through.
    """

    name: ClassVar[str] = "signal-age"
    needs: ClassVar[frozenset[Need]] = frozenset()

    max_age_minutes: int = field(validator=positive)
    max_future_seconds: int = field(default=60, validator=not_negative)

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        """``signal_too_old`` or ``signal_from_future`` with the age in seconds (negative: from the future)."""
        age_ns = market.time_ns - signal.created_ns
        age_s = Decimal(age_ns) / _NS_PER_S
        if age_ns > self.max_age_minutes * 60 * _NS_PER_S:
            return Rejection(
                "signal_too_old",
                f"the signal is {age_s:.0f} s old, more than {self.max_age_minutes} minutes",
                {"age_s": age_s, "max_age_minutes": self.max_age_minutes},
            )
        if -age_ns > self.max_future_seconds * _NS_PER_S:
            return Rejection(
                "signal_from_future",
                f"the signal was made {-age_s:.0f} s from now, more than {self.max_future_seconds} s",
                {"age_s": age_s, "max_future_seconds": self.max_future_seconds},
            )
        return Passed({"age_s": age_s})
