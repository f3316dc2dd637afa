"""Invariant 3."""

from __future__ import annotations

from decimal import Decimal

from ..ledger import Line
from ..names import STOP
from ..plans import Plan
from ..state import Episode, Holding, Order, Stop
from ..verdicts import Judge


class LosingSide(Judge):
    """The trigger lies on the losing side and within the signal's risk.

    Counts: every `stop` line of status ``untriggered`` with a client id of ours and the leg ``s``, or ``attached``,
    while the position that it belongs to is open (or when that opens). While opening its ``trigger_price`` must lie
    on the losing side of the `position` line's ``entry_price``; with a plan, between ``stop_low`` and ``stop_high``.
    Later it may follow the market, but never lie further away than the plan's bound. A stop in profit, be it the first
    one that came to rest, is explained by the market alone: it stays ``trails_by`` of the plan behind the best ``last``
    of the `price` lines since the position opened. Where no plan tells that, a first stop in profit is excused only if
    the product was down meanwhile. An ``attached`` stop beyond both entry price and market takes profit, and is not
    judged here.
    """

    number = 3
    name = "the trigger lies on the losing side, within the signal's risk"

    def on_stop(self, holding: Holding, stop: Stop, line: Line, *, is_new: bool) -> None:
        """Judge a stop as it rests, or is moved."""
        if stop.status == "untriggered":
            self._judge(holding, stop)

    def on_fill(self, holding: Holding, order: Order | None, line: Line, before: Decimal) -> None:
        """Judge the stops that were there before the position was."""
        if not before:
            for stop in holding.stops.values():
                self._judge(holding, stop)

    def _judge(self, holding: Holding, stop: Stop) -> None:
        episode, owner = holding.judged, holding.owner_of(stop)
        if episode is None or owner is None or owner.leg != STOP or owner.position != episode.position:
            return
        is_long = holding.quantity > 0
        if (stop.side == "sell") is not is_long:
            self.tell_of(holding, f"the stop at {stop.trigger} would add to the position")
        elif stop.falls is not is_long:
            if not stop.attached:
                self.tell_of(holding, f"the stop at {stop.trigger} lies on the winning side of the market")
        else:
            plan = self.scene.plan_of(holding, owner.position)
            self._judge_price(holding, episode, stop.trigger, plan)

    def _was_down(self, holding: Holding) -> bool:
        """Whether the product was down since the position opened: the market may have run, and a stop has followed."""
        opened_ns, now_ns = holding.episode.opened_ns if holding.episode else 0, self.scene.now_ns
        return self.scene.uptime.overlap_ns(opened_ns, now_ns) < now_ns - opened_ns

    def _judge_price(self, holding: Holding, episode: Episode, trigger: Decimal, plan: Plan | None) -> None:
        is_long, entry_price, opening = holding.quantity > 0, holding.entry_price, episode.opening
        wins = trigger >= entry_price if is_long else trigger <= entry_price
        if wins and plan is not None and plan.trails_by is not None:
            self._judge_trail(holding, episode, trigger, plan.trails_by)
            return
        if opening and wins and not self._was_down(holding):
            self.tell_of(holding, f"the first stop at {trigger} is no loss for an entry at {entry_price}")
        if plan is None:
            return
        too_low = plan.stop_low is not None and trigger < plan.stop_low
        too_high = plan.stop_high is not None and trigger > plan.stop_high
        if too_low and (is_long or opening):
            self.tell_of(holding, f"the stop at {trigger} lies below the plan's {plan.stop_low}")
        if too_high and (opening or not is_long):
            self.tell_of(holding, f"the stop at {trigger} lies above the plan's {plan.stop_high}")

    def _judge_trail(self, holding: Holding, episode: Episode, trigger: Decimal, trails_by: Decimal) -> None:
        best, sign = episode.best, 1 if holding.quantity > 0 else -1
        if best is None or (trigger - best * (1 - sign * trails_by)) * sign > 0:
            what = f"the stop at {trigger} follows the best price since the entry, {best}, closer than by {trails_by:%}"
            self.tell_of(holding, what)
