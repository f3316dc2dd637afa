"""Invariant 2."""

from __future__ import annotations

from ..bounds import NS_PER_MS
from ..state import Episode, Holding
from ..verdicts import Judge, Naked


class WorkingStop(Judge):
    """Only a working stop counts; one that has triggered for longer than the grace without filling protects nothing.

    Counts: a `stop` line of status ``triggering`` or ``triggered`` starts the grace. What its order (an `order` line
    of ``created_by`` ``stop``) has not filled then, or when it ends, leaves the position naked; that must not last
    longer than what is allowed under a fault, faults or not: a stop that does not fill is the venue's doing.
    """

    number = 2
    name = "only a working stop counts"

    def on_naked(self, holding: Holding, episode: Episode, naked: Naked) -> None:
        """Compare what stops that did not fill have left with the bound."""
        if not naked.by_stop:
            return
        bound_ns = self.scene.bounds.naked_fault_max_ns(holding.venue)
        stuck_ns = episode.stuck_up_ns + episode.stuck_fault_ns
        if stuck_ns - naked.up_ns - naked.fault_ns <= bound_ns < stuck_ns:
            self.tell_of(
                holding,
                f"left for {stuck_ns / NS_PER_MS:.1f} ms to a stop that triggered and did not fill; "
                f"at most {bound_ns // NS_PER_MS} ms are allowed",
            )
