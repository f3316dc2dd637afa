"""A position as JSON, and back: nothing that a restart needs is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from attrs import evolve, fields, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import Ask, NoState, OrderStatus, OrderType, Percent, Side, SignalSettings, TimeInForce
from framework.core.execution import EntryStep
from framework.core.happenings import CloseWanted, EntryAnswered, PriceReached, StopAnswered, VenueRead
from framework.core.legs import CloseLeg, EntryLeg, LegState, StopLeg, TargetLeg
from framework.core.market import PriceSource
from framework.core.orders import Fill, Unknown
from framework.core.position import Exit, Position, State
from framework.engine.snapshot import freeze, thaw
from framework.testing import NOW_NS
from tests.core.strategies import (
    Best,
    D,
    FixedStop,
    Life,
    LimitFirst,
    Taker,
    Trailer,
    entry_fill,
    held,
    plan,
    policy,
    report,
    resting,
)

TYPES = {"fixed": NoState, "trailer": Best}
PROTECTIONS = (FixedStop(), Trailer())


def there_and_back(position: Position) -> Position:
    return thaw(json.loads(json.dumps(freeze(position))), TYPES)


def bare(position: Position) -> Position:
    """A position without the numbers that its guards reckoned with: they are told once, and not kept."""
    return evolve(position, guards={name: evolve(guard, numbers={}) for name, guard in position.guards.items()})


def entering(side: Side) -> Life:
    return Life(policy(PROTECTIONS), plan(side))


def unknown(side: Side) -> Life:
    life = entering(side)
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("reset")))
    return life


def unprotected(side: Side) -> Life:
    life = entering(side)
    life.happens(EntryAnswered(life.it.entry.client_id, report(life.it.entry.client_id, OrderStatus.FILLED, "1")))
    return life


def protected(side: Side) -> Life:
    life = unprotected(side)
    stop = life.it.stops[-1]
    life.happens(StopAnswered(stop.client_id, resting(stop.client_id, stop.trigger_price)))
    return life


def trailing(side: Side) -> Life:
    life = protected(side)
    life.happens(PriceReached(D(108) if side is Side.LONG else D(92), NOW_NS))
    return life


def read_back(side: Side) -> Life:
    life = protected(side)
    stop = life.it.stops[-1]
    shown = held("1" if side is Side.LONG else "-1")
    life.happens(VenueRead(NOW_NS, shown, (resting(stop.client_id, stop.trigger_price),), {}, (entry_fill(life.it),)))
    return life


def closing(side: Side) -> Life:
    life = protected(side)
    life.happens(CloseWanted("operator"))
    return life


def limited(side: Side) -> Life:
    return Life(policy(PROTECTIONS, LimitFirst(), attaches=True), plan(side))


LIVES: list[Callable[[Side], Life]] = [
    entering, unknown, unprotected, protected, trailing, read_back, closing, limited,
]  # fmt: skip


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("life", LIVES)
def test_a_position_comes_back_as_it_was(life: Callable[[Side], Life], side: Side) -> None:
    position = life(side).it
    assert there_and_back(position) == bare(position)


NUMBERS = st.decimals(D("1e-9"), D("1e9"), places=9)
TIMES = st.integers(0, 2**62)
NAMES = st.text(max_size=12)
STEPS = st.builds(
    EntryStep, st.sampled_from(OrderType), st.none() | NUMBERS, st.sampled_from(TimeInForce), st.none() | TIMES
)
LEG_STATES = st.sampled_from(LegState)
FILLS = st.builds(
    Fill, NAMES, NAMES, NAMES, NAMES, st.sampled_from([side.entry for side in Side]), NUMBERS, NUMBERS, NUMBERS, TIMES,
    st.sampled_from(["order", "stop", "liquidation"]),
)  # fmt: skip
SETTINGS = st.builds(
    SignalSettings,
    st.none() | NUMBERS.map(Percent),
    st.none() | NUMBERS.map(Percent),
    st.none() | NUMBERS.map(Percent),
    st.none() | st.integers(0, 99),
    st.dictionaries(NAMES, NUMBERS, max_size=2),
)
CHANGES = st.fixed_dictionaries(
    {
        "state": st.sampled_from(State),
        "settings": SETTINGS,
        "entries": st.lists(
            st.builds(
                EntryLeg, NAMES, STEPS, NUMBERS, LEG_STATES, TIMES, NUMBERS, st.none() | NUMBERS, st.booleans()
            ),
            min_size=1,
            max_size=2,
        ).map(tuple),
        "stops": st.lists(
            st.builds(
                StopLeg, NAMES, NUMBERS, NUMBERS, LEG_STATES, st.booleans(), NAMES, st.integers(0, 5), st.none() | TIMES
            ),
            max_size=2,
        ).map(tuple),
        "closes": st.lists(
            st.builds(CloseLeg, NAMES, NUMBERS, LEG_STATES, NUMBERS, NAMES, st.none() | TIMES, st.booleans()),
            max_size=2,
        ).map(tuple),
        "targets": st.lists(
            st.builds(
                TargetLeg, NAMES, NUMBERS, NUMBERS, LEG_STATES, NAMES, TIMES, NUMBERS, st.integers(0, 3),
                st.integers(0, 5),
            ),
            max_size=2,
        ).map(tuple),
        "fills": st.lists(FILLS, max_size=3).map(lambda fills: {fill.id: fill for fill in fills}),
        "guarded_price": st.none() | NUMBERS,
        "initial_stop": st.none() | NUMBERS,
        "exit": st.none() | st.builds(Exit, NAMES, TIMES, st.none() | NUMBERS),
        "stop_tries": st.integers(0, 9),
        "refused_moves": st.integers(0, 9),
        "refused_closes": st.integers(0, 9),
        "vanishings": st.integers(0, 9),
        "vanished_ns": st.none() | TIMES,
        "misses": st.integers(0, 9),
        "failed_reads": st.integers(0, 9),
        "surplus": NUMBERS,
        "silent_until_ns": st.none() | TIMES,
        "watch_until_ns": st.none() | TIMES,
        "opened_ns": st.none() | TIMES,
        "protected_ns": st.none() | TIMES,
        "unprotected_since_ns": st.none() | TIMES,
        "closed_ns": st.none() | TIMES,
        "failure": st.text(max_size=30),
        "first_sequence": st.integers(0, 999_999),
        "leverage": st.none() | NUMBERS,
        "liquidation_price": st.none() | NUMBERS,
        "planned_trigger": st.sampled_from(PriceSource),
        "measured": st.dictionaries(st.text(max_size=20), NUMBERS, max_size=3),
    }
)  # fmt: skip

FIXED_BY_THE_PLAN = {
    "id", "account", "symbol", "side", "signal_id", "wave_id", "plan", "planned_price", "planned_stop", "wanted_stop",
    "wanted_by", "decided_ns", "guards",
}  # fmt: skip
"""What the scenarios above vary."""


@settings(deadline=None, max_examples=80)
@given(CHANGES)
def test_whatever_stands_in_a_position_comes_back(changes: dict[str, object]) -> None:
    assert set(changes) | FIXED_BY_THE_PLAN == {field.name for field in fields(Position)}
    position = evolve(trailing(Side.LONG).it, **changes)  # type: ignore[arg-type]
    assert there_and_back(position) == bare(position)


def test_targets_and_limits_of_protections_come_back() -> None:
    position = Life(policy((*PROTECTIONS, Taker())), plan())
    position.happens(
        EntryAnswered(position.it.entry.client_id, report(position.it.entry.client_id, OrderStatus.FILLED, "1"))
    )
    guards = {name: evolve(guard, limit=D(90)) for name, guard in position.it.guards.items()}
    limited_too = evolve(position.it, guards=guards)

    back = thaw(json.loads(json.dumps(freeze(limited_too))), {**TYPES, "taker": NoState})

    assert back == bare(limited_too)
    assert len(back.guards["taker"].targets) == 2


def test_a_frozen_position_is_the_same_text_every_time() -> None:
    one, other = (json.dumps(freeze(trailing(Side.LONG).it)) for _ in range(2))
    assert one == other
    frozen = there_and_back(trailing(Side.LONG).it)
    assert json.dumps(freeze(frozen)) == one


def test_prices_keep_the_digits_of_their_tick_and_have_no_exponent() -> None:
    position = evolve(protected(Side.LONG).it, wanted_stop=D("94.10"), surplus=D("1E-9"))
    frozen = freeze(position)
    assert (frozen["wanted_stop"], frozen["surplus"]) == ("94.10", "0.000000001")


@frozen
class Measured:
    """A state with a float."""

    ratio: float


def test_a_float_in_a_state_is_kept_but_one_that_is_no_number_is_an_error() -> None:
    def holding(ratio: float) -> Position:
        life = protected(Side.LONG)
        return evolve(life.it, guards={"measured": evolve(life.it.guards["trailer"], state=Measured(ratio))})

    assert thaw(freeze(holding(0.25)), {"measured": Measured}).guards["measured"].state == Measured(0.25)
    with pytest.raises(ValueError, match="nan"):
        freeze(holding(float("nan")))


def test_a_protection_that_is_not_there_any_more_keeps_its_stop_and_asks_for_nothing() -> None:
    position = trailing(Side.LONG).it
    thawed = thaw(json.loads(json.dumps(freeze(position))), {"fixed": NoState})
    gone = thawed.guards["trailer"]
    assert (gone.stop, gone.ask, gone.state) == (D(106), Ask(), NoState())
    assert thawed.wanted_stop == position.wanted_stop == D("106.00")
    assert thawed.guards["fixed"] == evolve(position.guards["fixed"], numbers={})


@pytest.mark.parametrize("damage", [{"state": "sleeping"}, {"decided_ns": None}, {"planned_stop": "high"}, {"side": 1}])
def test_a_snapshot_that_is_damaged_is_an_error_and_no_position(damage: dict[str, object]) -> None:
    frozen = json.loads(json.dumps(freeze(protected(Side.LONG).it)))
    with pytest.raises((ValueError, TypeError, KeyError, ArithmeticError)):
        thaw({**frozen, **damage}, TYPES)
