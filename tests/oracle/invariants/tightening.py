"""Invariant 8."""

from __future__ import annotations

from ..bounds import NS_PER_MS
from ..hearing import Asked, Touched
from ..ledger import Line
from ..state import Holding
from ..verdicts import Judge


class Tightening(Judge):
    """While a stop trails, the gap in protection is 0 and the trigger only tightens.

    Counts: the `stop` lines between a `request` and its `response`. A position that was covered before must not be
    left uncovered by a stop that became ``cancelled`` there, even if the next request came in the same nanosecond;
    unless the venue took another away just before, of which the sender could not know.
    The price at which all of the position is protected (the last of the nearest stops that it takes) must not lie
    further from the market than before, once the position was covered with no entry under way. What was lost under a
    fault or while down, or to a stop that fired and did not fill, may be replaced further away.
    """

    number = 8
    name = "no gap while a stop trails, and triggers only tighten"

    def on_response(self, asked: Asked, line: Line) -> None:
        """Compare the protection before and after a request."""
        for key, before in asked.touched.items():
            holding = self.scene.holdings[key]
            if holding.episode is before.episode and holding.quantity:
                self._compare(holding, before)

    def _compare(self, holding: Holding, before: Touched) -> None:
        size, level, baseline = abs(holding.quantity), holding.level, before.baseline
        if level is None:
            since_ns = self.scene.now_ns - holding.taken_ns
            crossed = since_ns < self.scene.bounds.crossing_ms * NS_PER_MS
            if before.level is not None and before.lost_one and not crossed:
                self.tell_of(holding, f"the stop at {before.level} was given up before there was another")
            return
        if baseline is None or size > before.baseline_size:
            return
        if level < baseline if holding.quantity > 0 else level > baseline:
            self.tell_of(holding, f"the protection moved from {baseline} back to {level}")
