"""The venue's time as seen from here: our clock plus the difference that was measured."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from framework import Clock

NS_PER_MS = 1_000_000

STEP_MS = 1_000
"""No clock drifts so far between two measurements: one of the two was set."""


def off_text(skew_ms: int, most_ms: int) -> str:
    """What is wrong with our clock, `skew_ms` behind the venue's."""
    where = "behind" if skew_ms > 0 else "ahead of"
    return f"this machine's clock is {abs(skew_ms)} ms {where} the venue's, more than {most_ms} ms; set it by NTP"


@define
class VenueClock:
    """Tells the venue's time in whole milliseconds. `skew_ms` is how far ours is behind (positive) or ahead of it.

    `on_step` is called when ours or the venue's was set: instants from before can't be compared with those after it.
    `is_known`: it was measured at all; before, ours is taken for the venue's.
    """

    ours: Clock
    on_step: Callable[[], None] = lambda: None
    skew_ms: int = field(default=0, init=False)
    uncertain_ms: int = field(default=0, init=False)
    is_known: bool = field(default=False, init=False)

    def now_ms(self) -> int:
        """The venue's time, as far as we know it."""
        return self.ours.now_ns() // NS_PER_MS + self.skew_ms

    @property
    def surely_off_ms(self) -> int:
        """How far our clock is off at least; 0: it may be right. A slow answer measures badly, and proves little."""
        return max(0, abs(self.skew_ms) - self.uncertain_ms)

    def measured(self, sent_ns: int, received_ns: int, venue_ms: int) -> None:
        """Take over one measurement. The venue read its clock somewhere between the two: the middle is assumed."""
        before_ms = self.skew_ms
        self.skew_ms = venue_ms - (sent_ns + received_ns) // 2 // NS_PER_MS
        self.is_known = True
        self.uncertain_ms = (received_ns - sent_ns) // 2 // NS_PER_MS + 1
        if abs(self.skew_ms - before_ms) >= STEP_MS:
            self.on_step()
