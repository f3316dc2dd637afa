"""What the rules of a market let be ordered of a position whose rules have changed since it was opened."""

from __future__ import annotations

from decimal import Decimal

from .evolving import evolve
from .happenings import RulesChanged
from .market import MarketRules
from .numbers import ceil_to, floor_to, is_multiple
from .position import Position
from .signal import Side
from .steering import Policy, Step


def rules_changed(position: Position, event: RulesChanged, _policy: Policy, _now_ns: int) -> Step:
    """Take over the new rules, and bring the wanted stop to the new tick: to the tighter side, it never loosens.

    Nothing is sent for it: what rests stays as it is, and what is asked for next is right.
    """
    plan = evolve(position.plan, rules=event.rules)
    return evolve(position, plan=plan, wanted_stop=on_new_tick(event.rules, position.side, position.wanted_stop)), ()


def on_new_tick(rules: MarketRules, side: Side, stop: Decimal) -> Decimal:
    """A stop on the tick, on the side of the market. One that is on it already keeps its digits."""
    if is_multiple(stop, rules.tick_size):
        return stop
    return ceil_to(stop, rules.tick_size) if side is Side.LONG else floor_to(stop, rules.tick_size)
