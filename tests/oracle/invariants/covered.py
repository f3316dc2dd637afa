"""Invariant 1."""

from __future__ import annotations

from ..bounds import NS_PER_MS
from ..state import Episode, Holding
from ..verdicts import Judge, Naked


class Covered(Judge):
    """At every instant a position of ours is covered by live, right-side, reduce-only or close-position stops.

    Counts: `fill` lines (the position is their sum; it is ours once an `order` of ours with the leg ``e`` filled) and
    `stop` lines of status ``untriggered`` of the other side whose ``reduce_only`` is true, whose ``qty`` is null, or
    which are ``attached``, with a ``trigger_price`` that the market reaches by moving against the position. The time
    without is split by what the `--up` intervals and `fault` lines say: while down it is counted, not bounded. It has a
    bound of its own where the venue took a stop away, a `stop` line that ended one without a request; and where the
    product was down within it, and what was told then is known by reads alone. With a bound for
    each turn, an interval on Binance is over so soon after the last fill of the entry within it; so much later for each
    stop that was refused since then because the price had passed it (``code`` -2021 in a `response` without a fault).
    """

    number = 1
    name = "covered at every instant"

    def on_naked(self, holding: Holding, episode: Episode, naked: Naked) -> None:
        """Compare the position's sums with the bounds; each is told of when it is first passed."""
        if naked.by_stop:
            return
        bounds, venue = self.scene.bounds, holding.venue
        up_ns = episode.up_ns - episode.stuck_up_ns
        known_ns = up_ns - episode.blind_up_ns
        own_ns = known_ns - episode.taken_up_ns
        fault_ns = episode.fault_ns - episode.stuck_fault_ns
        if naked.taken:
            sums = [(known_ns, bounds.naked_taken_max_ns(venue)), (up_ns, bounds.naked_blind_max_ns(venue))]
        elif naked.down_ns:
            sums = [(up_ns, bounds.naked_blind_max_ns(venue))]
        else:
            sums = [(own_ns, bounds.naked_max_ns(venue)), (known_ns, bounds.naked_taken_max_ns(venue))]
            sums.append((up_ns, bounds.naked_blind_max_ns(venue)))
        passed = next(((sum_ns, most_ns) for sum_ns, most_ns in sums if sum_ns - naked.up_ns <= most_ns < sum_ns), None)
        if passed is not None:
            self.tell_of(holding, _what(passed[0], "while up and without a fault", passed[1]))
        else:
            self._judge_turns(holding, episode, naked)
        if fault_ns - naked.fault_ns <= bounds.naked_fault_max_ns(holding.venue) < fault_ns:
            self.tell_of(holding, _what(fault_ns, "under a fault", bounds.naked_fault_max_ns(holding.venue)))

    def _judge_turns(self, holding: Holding, episode: Episode, naked: Naked) -> None:
        """Compare one interval with what its turns may take."""
        turn_ns = self.scene.bounds.naked_turn_ms_binance * NS_PER_MS
        if not turn_ns or holding.venue != "binance" or naked.taken or naked.down_ns:
            return
        took_ns = min(naked.up_ns, naked.end_ns - max(naked.start_ns, episode.grown_ns))
        allowed_ns = turn_ns * (1 + len(episode.passed))
        if took_ns > allowed_ns:
            self.tell_of(holding, _what(took_ns, "while up and without a fault", allowed_ns))


def _what(naked_ns: int, when: str, bound_ns: int) -> str:
    return f"naked for {naked_ns / NS_PER_MS:.1f} ms {when}; at most {bound_ns // NS_PER_MS} ms are allowed"
