"""A plugin with one filter."""

from __future__ import annotations

from typing import ClassVar

from attrs import field, frozen, validators

from framework import Filter, MarketSnapshot, Need, Passed, Rejection, Signal, Verdict, hookimpl

HOUR_NS = 3_600_000_000_000


@frozen
class QuietHours:
    """Refuse what is decided in the quiet hours: `hours` hours from `from_hour` on, in UTC."""

    name: ClassVar[str] = "quiet-hours"  # 3: what `use` says
    needs: ClassVar[frozenset[Need]] = frozenset()

    from_hour: int = field(validator=[validators.ge(0), validators.le(23)])
    hours: int = field(default=8, validator=[validators.ge(1), validators.le(24)])

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        """Whether the hour of the decision is a quiet one."""
        hour = market.time_ns // HOUR_NS % 24
        numbers = {"hour": hour, "from_hour": self.from_hour, "hours": self.hours}
        if (hour - self.from_hour) % 24 < self.hours:
            return Rejection("quiet_hours", f"{hour}:00 UTC is in the quiet hours", numbers)
        return Passed(numbers)


@hookimpl
def filters() -> list[type[Filter]]:
    """The filters of this plugin."""
    return [QuietHours]
