"""How a life among faults must end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framework.core.numbers import ZERO
from framework.core.position import State

if TYPE_CHECKING:
    from tests.core.venue_model import World


def check_end(world: World) -> None:
    """Once the venue has been honest for long: protected, or flat with nothing of ours left."""
    held, ours = world.shown.held, [s for s in world.shown.stops if not s.attached]
    resting = [o for o in world.shown.orders if not o.status.is_final]
    match world.it.state:
        case State.PROTECTED | State.QUARANTINED:
            if world.it.state is State.QUARANTINED and held < ZERO:
                return  # turned round by a stranger: a case for a person
            assert held > ZERO, "protected, but nothing is open"
            assert world.covered(), "no stop covers"
            assert len(world.shown.stops) == 1, "more than one stop is left"
        case State.CLOSED | State.ABORTED:
            assert not ours, "stops of ours are left"
            assert held == ZERO or world.stranger_held, "not flat"
        case state:
            raise AssertionError(f"still {state.value}")
    if world.it.state in (State.PROTECTED, State.QUARANTINED):
        known = {leg.client_id for leg in world.it.targets if not leg.is_over}
        assert {o.client_id for o in resting if o.reduces} == known, "other targets rest than are known"
        resting = [o for o in resting if not o.reduces]
    assert not resting, "an order still rests"
    if world.it.state is State.QUARANTINED:
        assert world.stranger_held, "quarantined without a stranger"
    if not world.strangers_were_here and world.it.state is State.CLOSED:
        assert world.it.entered == sum((f.quantity for f in world.shown.fills if f.side is world.side.entry), ZERO)
