"""Waves that are expected: which bar should have come by now, and whether it has. Pure; times are nanoseconds UTC."""

from __future__ import annotations

from attrs import define, field

MINUTE_NS = 60_000_000_000


@define
class Expected:
    """A wave for every bar of `every_minutes`, at the latest `within_minutes` after its bar has opened.

    Nothing is expected of bars that were due before `began_ns`.
    """

    every_minutes: int
    within_minutes: int
    began_ns: int
    newest_ns: int = field(default=-1, init=False)
    told_ns: int = field(default=-1, init=False)

    def came(self, bar_time_ns: int) -> bool:
        """A wave of this bar came. True: it ends a time in which waves were missing."""
        self.newest_ns = max(self.newest_ns, bar_time_ns)
        if self.told_ns < 0 or self.newest_ns < self.told_ns:
            return False
        self.told_ns = -1
        return True

    def next_due_ns(self, now_ns: int) -> int:
        """When the next bar is due, after `now_ns`."""
        return self._due_bar_ns(now_ns) + self._every_ns + self._within_ns

    def missing_ns(self, now_ns: int) -> int | None:
        """The newest bar that is due and has not come, each told once; None: nothing new is missing."""
        bar_ns = self._due_bar_ns(now_ns)
        due_ns = bar_ns + self._within_ns
        if due_ns <= self.began_ns or bar_ns <= self.newest_ns or bar_ns <= self.told_ns:
            return None
        self.told_ns = bar_ns
        return bar_ns

    @property
    def overdue_ns(self) -> int | None:
        """The bar that was found missing last and has not come since."""
        return None if self.told_ns < 0 else self.told_ns

    def _due_bar_ns(self, now_ns: int) -> int:
        return (now_ns - self._within_ns) // self._every_ns * self._every_ns

    @property
    def _every_ns(self) -> int:
        return self.every_minutes * MINUTE_NS

    @property
    def _within_ns(self) -> int:
        return self.within_minutes * MINUTE_NS
