"""Invariant 13."""

from __future__ import annotations

from ..bounds import NS_PER_S
from ..state import Episode, Holding
from ..verdicts import Judge


class Liveness(Judge):
    """Within a bound after faults end, every position is protected or flat.

    Counts: the time up since a position of ours was last covered, or since the last `fault` line that accounts for it
    lost its effect if that was later. The ledger must go on for so long.
    """

    number = 13
    name = "protected or flat soon after the last fault"

    def on_naked_begins(self, holding: Holding, episode: Episode) -> None:
        """Look again when the bound has passed."""
        self._watch(holding, episode, self.scene.now_ns, self.scene.now_ns)

    def _watch(self, holding: Holding, episode: Episode, began_ns: int, since_ns: int) -> None:
        bound_ns = self.scene.bounds.liveness_s * NS_PER_S
        due_ns = self.scene.uptime.after_ns(since_ns, bound_ns)

        def check() -> None:
            if episode.naked_since_ns != began_ns:
                return
            over_ns = self.scene.outages.over_ns(holding.venue, holding.account, holding.symbol, self.scene.now_ns)
            if over_ns > since_ns:
                self._watch(holding, episode, began_ns, over_ns)
            else:
                naked_s = (self.scene.now_ns - began_ns) / NS_PER_S
                self.tell_of(holding, f"neither protected nor flat for {naked_s:.0f} s, with nothing in the way")

        if due_ns is not None:
            self.scene.at(due_ns, check)
