"""A position that the journal does not know becomes one of ours: the venue's quantity and price, its own stop."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import evolve, frozen

from framework.core.adopting import ADOPTED, Adoption, adopted, first_sequence, new_identity
from framework.core.happenings import Alert, Filled, MoveStop, PlaceStop, PriceReached, ReadVenue, SendClose
from framework.core.ids import GRAMMAR, LAST_SEQUENCE, sequence_of
from framework.core.orders import VenuePosition
from framework.core.position import State
from framework.core.protection import Ask, Guard, Holding, NoState
from framework.core.resting import RestingKind, RestingOrder
from framework.core.signal import OrderSide, Side
from framework.core.steering import SECOND_NS, Step
from framework.core.watch import Protector
from framework.engine.snapshot import freeze, thaw
from framework.testing import NOW_NS, SYMBOL
from tests.core.measures import Measures
from tests.core.strategies import RULES, Best, D, FixedStop, Life, Trailer, foreign_fill, plan, policy

LOST = "aaaaaaaaaaaaaaaa"


def stop(
    price: str, quantity: str | None = "1", name: str = f"fw-{LOST}-s7", *, attached: bool = False
) -> RestingOrder:
    amount = None if quantity is None else D(quantity)
    return RestingOrder(name, SYMBOL, RestingKind.STOP, OrderSide.SELL, amount, D(price), True, attached)


def adopting(
    *stops: RestingOrder,
    quantity: str = "1",
    protections: Sequence[Protector] = (FixedStop(),),
    attaches: bool = False,
    follows: bool = True,
) -> Step:
    held = VenuePosition(SYMBOL, D(quantity), D(100))
    wanted = Adoption(LOST, "one", held, stops, RULES, follows)
    return adopted(wanted, policy(protections, attaches=attaches, amends=attaches), NOW_NS)


def of(step: Step, kind: type) -> list[Any]:
    return [command for command in step[1] if isinstance(command, kind)]


@pytest.mark.parametrize(("quantity", "side", "trigger"), [("1", Side.LONG, "94"), ("-2", Side.SHORT, "106")])
def test_it_is_as_the_venue_shows_it_and_gets_the_stop_of_the_deployment(
    quantity: str, side: Side, trigger: str
) -> None:
    step = adopting(quantity=quantity)
    position, _ = step
    assert (position.side, position.open_quantity, position.entry_price) == (side, abs(D(quantity)), D(100))
    assert position.state is State.UNPROTECTED
    (placed,) = of(step, PlaceStop)
    assert (placed.order.trigger_price, placed.order.quantity) == (D(trigger), abs(D(quantity)))
    assert placed.order.side is side.exit


def test_no_execution_is_invented() -> None:
    position, _ = adopting()
    assert position.fills == {}
    assert position.signal_id == f"{ADOPTED}-{LOST}"


def test_people_are_told_and_the_venue_is_read() -> None:
    step = adopting()
    assert [alert.code for alert in of(step, Alert)] == ["position_adopted"]
    assert of(step, ReadVenue)


def test_a_stop_of_ours_that_rests_is_taken_over_where_it_is() -> None:
    step = adopting(stop("97"))
    position, _ = step
    assert position.state is State.PROTECTED
    assert position.live_stop is not None
    assert (position.live_stop.client_id, position.live_stop.trigger_price) == (f"fw-{LOST}-s7", D(97))
    assert not of(step, PlaceStop)
    assert position.protected_ns == NOW_NS


@pytest.mark.parametrize("price", ["90", "99"], ids=["looser", "tighter"])
def test_a_protection_that_wants_another_place_does_not_move_it_at_once(price: str) -> None:
    step = adopting(stop(price), protections=(FixedStop(),))
    assert step[0].wanted_stop == D(price)
    assert not of(step, PlaceStop)


def test_an_attached_stop_is_taken_over_under_a_name_of_ours() -> None:
    step = adopting(stop("97", None, "", attached=True), attaches=True)
    leg = step[0].live_stop
    assert leg is not None
    assert (leg.attached, leg.trigger_price, leg.quantity) == (True, D(97), D(1))
    assert GRAMMAR.fullmatch(leg.client_id)
    assert not of(step, PlaceStop)
    assert not of(step, MoveStop)


def test_a_stop_that_is_too_small_gets_another_one_beside_it() -> None:
    step = adopting(stop("97", "0.4"))
    assert step[0].state is State.UNPROTECTED
    assert [placed.order.quantity for placed in of(step, PlaceStop)] == [D(1)]


def test_its_trailing_goes_on_from_the_stop_that_was_there() -> None:
    life = Life(policy((FixedStop(), Trailer())), plan())
    life._take(adopting(stop("97"), protections=(FixedStop(), Trailer())))
    life.happens(PriceReached(D(105), NOW_NS))
    assert [placed.order.trigger_price for placed in life.asked(PlaceStop)] == [D(103)]


def test_one_that_is_only_protected_is_not_followed() -> None:
    life = Life(policy((FixedStop(), Trailer())), plan())
    life._take(adopting(protections=(FixedStop(), Trailer()), follows=False))
    assert [placed.order.trigger_price for placed in life.asked(PlaceStop)] == [D(94)]
    assert all(guard.ask == Ask() for guard in life.it.guards.values())


def test_without_a_stop_from_anybody_it_is_closed() -> None:
    step = adopting(protections=())
    (sent,) = of(step, SendClose)
    assert (step[0].state, sent.order.quantity) == (State.CLOSING, D(1))
    assert step[0].exit is not None
    assert step[0].exit.reason == "no_stop"


@frozen
class Gone:
    """Wants it closed at once."""

    name: ClassVar[str] = "gone"
    state_type: ClassVar[type] = NoState

    def start(self, holding: Holding) -> Guard:
        return Guard(NoState(), Decimal(90), close="too_old")

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        return self.start(holding)


def test_of_one_that_was_never_measured_another_protection_gives_the_stop() -> None:
    step = adopting(protections=(Measures(), FixedStop()))

    (placed,) = of(step, PlaceStop)
    assert placed.order.trigger_price == 94


def test_of_one_that_was_never_measured_nothing_is_made_up() -> None:
    step = adopting(protections=(Measures(),))

    assert of(step, PlaceStop) == []
    assert len(of(step, SendClose)) == 1
    assert step[0].exit is not None
    assert step[0].exit.reason == "no_stop"


def test_a_protection_that_wants_it_closed_closes_it_unless_it_is_only_protected_and_has_a_stop() -> None:
    assert of(adopting(protections=(Gone(),)), SendClose)
    assert not of(adopting(stop("97"), protections=(Gone(),), follows=False), SendClose)


def test_its_orders_are_counted_from_where_the_lost_ones_were_not() -> None:
    (placed,) = of(adopting(), PlaceStop)
    assert sequence_of(placed.order.client_id) == first_sequence(NOW_NS) >= 1000
    later = first_sequence(NOW_NS + SECOND_NS)
    assert later == first_sequence(NOW_NS) + 1
    assert max(first_sequence(NOW_NS + day * 86_400 * SECOND_NS) for day in range(400)) < LAST_SEQUENCE - 100_000


def test_a_position_that_no_order_names_gets_an_id_of_its_own_each_time() -> None:
    held = VenuePosition(SYMBOL, D(1), D(100))
    assert new_identity("one", held, NOW_NS) != new_identity("one", held, NOW_NS + 1)


def test_it_survives_the_journal() -> None:
    position, _ = adopting(stop("97"), protections=(FixedStop(), Trailer()))
    bare = evolve(position, guards={name: evolve(guard, numbers={}) for name, guard in position.guards.items()})
    assert thaw(freeze(position), {"fixed": NoState, "trailer": Best}) == bare


def test_it_is_closed_when_somebody_closes_it_by_hand() -> None:
    life = Life(policy(), plan())
    life._take(adopting(stop("97")))
    life.happens(Filled(foreign_fill(life.it, "1", opens=False)))
    life.read(None)
    assert life.is_now(State.CLOSED)
    assert life.it.exit is not None
    assert life.it.exit.reason == "closed_elsewhere"
