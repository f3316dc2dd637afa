"""The protections of a position: the tightest stop wins, it only ever tightens, a broken one loosens nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import Ask, Guard, Holding, NoState, Side
from framework.core import guards
from framework.core.guards import Guarded, next_ask
from framework.core.lifecycle import begin
from framework.core.position import Position
from framework.core.protection import tighter
from framework.core.watch import is_due
from framework.testing import NOW_NS
from tests.core.strategies import D, FixedStop, Trailer, plan, policy

SIDES = pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])


@define
class Says:
    """A protection that answers as the test wants it."""

    name: str = "says"
    first: Callable[[Holding], Any] = lambda holding: Guard(NoState(), None)
    then: Callable[[Decimal], Any] = lambda price: Guard(NoState(), None)
    asked: list[Decimal] = field(factory=list, init=False)

    def start(self, holding: Holding) -> Guard:
        guard: Guard = self.first(holding)
        return guard

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        self.asked.append(price)
        guard: Guard = self.then(price)
        return guard


def stop_at(price: str, **rest: Any) -> Guard:
    return Guard(NoState(), D(price), **rest)


def answers(guard: object) -> Callable[[object], Any]:
    return lambda _: guard


def raising(_: object) -> Any:
    raise LookupError("no state")


def position(side: Side = Side.LONG) -> Position:
    """A position that was just planned, with its stop at 94 or 106."""
    return begin(plan(side), "wave", policy(), NOW_NS)[0]


def begun(*protections: Any, side: Side = Side.LONG, price: str = "100") -> Guarded:
    return guards.begin(position(side), protections, D(price))


def protected(*protections: Any, side: Side = Side.LONG) -> Position:
    """As above, open at 100 with its first stop in place."""
    it = begun(*protections, side=side).position
    return evolve(it, initial_stop=it.wanted_stop)


# ── at the entry ────────────────────────────────────────────────────────────────────────────────────────────


@SIDES
def test_the_first_stop_follows_from_the_real_entry_price_and_not_from_the_planned_one(side: Side) -> None:
    guarded = begun(FixedStop(), side=side, price="102.34")
    assert guarded.position.wanted_stop == (D("96.20") if side is Side.LONG else D("108.48"))
    (note,) = guarded.notes
    assert (note.from_price, note.to_price, note.component) == (None, guarded.position.wanted_stop, "fixed")
    assert note.numbers["entry_price"] == D("102.34")


def test_of_several_stops_the_tightest_is_wanted_wherever_it_stands_in_the_list() -> None:
    near = Says("near", answers(stop_at("97")))
    for order in ((FixedStop(), near), (near, FixedStop())):
        guarded = begun(*order)
        assert (guarded.position.wanted_stop, guarded.position.wanted_by) == (D("97.00"), "near")


def test_a_stop_is_rounded_to_the_nearest_tick() -> None:
    assert begun(Says(first=answers(stop_at("96.1249")))).position.wanted_stop == D("96.12")
    assert begun(Says(first=answers(stop_at("96.125")))).position.wanted_stop == D("96.13")


@pytest.mark.parametrize(
    "answer",
    [
        raising,
        answers(None),
        answers(stop_at("NaN")),
        answers(stop_at("-1")),
        answers(stop_at("96", ask=Ask(D("NaN")))),
    ],
    ids=["raises", "no guard", "NaN", "negative", "NaN level"],
)
def test_a_protection_that_is_broken_at_the_entry_leaves_the_planned_stop(answer: Callable[[Holding], Any]) -> None:
    guarded = begun(Says("broken", answer))
    assert guarded.position.wanted_stop == D("94.00")
    assert len(guarded.failures) == 1
    assert guarded.failures[0].startswith("broken raised ")


def test_a_broken_protection_does_not_hide_the_stop_of_a_sound_one() -> None:
    guarded = begun(Says("broken", raising), Says("near", answers(stop_at("97"))))
    assert (guarded.position.wanted_stop, guarded.position.wanted_by) == (D("97.00"), "near")


@SIDES
def test_a_later_fill_never_loosens_what_already_protects(side: Side) -> None:
    it = protected(FixedStop(), side=side)
    worse, better = (D(98), D(103)) if side is Side.LONG else (D(102), D(97))
    assert guards.begin(it, [FixedStop()], worse).position.wanted_stop == it.wanted_stop
    assert tighter(side, guards.begin(it, [FixedStop()], better).position.wanted_stop, it.wanted_stop)


def test_the_same_stop_again_is_not_told_again() -> None:
    it = protected(FixedStop())
    assert guards.begin(it, [FixedStop()], D(100)).notes == ()


def test_a_protection_may_want_the_position_closed_at_once() -> None:
    assert begun(FixedStop(), Says(first=answers(stop_at("95", close="gap")))).close == "gap"


# ── at a price ──────────────────────────────────────────────────────────────────────────────────────────────


def test_only_those_whose_level_or_time_was_reached_are_asked() -> None:
    low = Says("low", answers(Guard(NoState(), None, Ask(below=D(98)))))
    high = Says("high", answers(Guard(NoState(), None, Ask(above=D(103)))))
    late = Says("late", answers(Guard(NoState(), None, Ask(at_ns=NOW_NS + 5))))
    it = protected(FixedStop(), low, high, late)
    guards.ask(it, (FixedStop(), low, high, late), D(103), NOW_NS + 4)
    guards.ask(it, (FixedStop(), low, high, late), D(100), NOW_NS + 5)
    assert (low.asked, high.asked, late.asked) == ([], [D(103)], [D(100)])


@SIDES
def test_a_stop_that_would_be_looser_is_not_followed(side: Side) -> None:
    loose = "93" if side is Side.LONG else "107"
    wants = Says("wants", answers(Guard(NoState(), None, Ask(above=D(1)))), answers(stop_at(loose)))
    guarded = guards.ask(protected(FixedStop(), wants, side=side), (FixedStop(), wants), D(100), NOW_NS)
    assert guarded.position.wanted_stop == (D("94.00") if side is Side.LONG else D("106.00"))
    assert guarded.position.wanted_by == "fixed"
    assert guarded.notes == ()


@SIDES
def test_a_stop_that_is_tighter_is_followed_and_told_with_the_price(side: Side) -> None:
    tight, price = ("98", D(105)) if side is Side.LONG else ("102", D(95))
    wants = Says("wants", answers(Guard(NoState(), None, Ask(below=D(999)))), answers(stop_at(tight)))
    guarded = guards.ask(protected(FixedStop(), wants, side=side), (FixedStop(), wants), price, NOW_NS)
    (note,) = guarded.notes
    assert guarded.position.wanted_stop == D(tight)
    assert (note.to_price, note.component, note.numbers["price"]) == (D(tight), "wants", price)


@SIDES
def test_a_stop_that_the_price_has_passed_already_closes_the_position_instead(side: Side) -> None:
    wants = Says("wants", answers(Guard(NoState(), None, Ask(below=D(999)))), answers(stop_at("100")))
    guarded = guards.ask(protected(FixedStop(), wants, side=side), (FixedStop(), wants), D(100), NOW_NS)
    assert guarded.close == "wants"


@pytest.mark.parametrize("answer", [raising, answers(None), answers(stop_at("NaN")), answers(stop_at("0"))])
def test_a_protection_that_breaks_later_keeps_its_stop_and_is_not_asked_again(answer: Callable[[object], Any]) -> None:
    broken = Says("broken", answers(stop_at("97", ask=Ask(above=D(101)))), answer)
    guarded = guards.ask(protected(FixedStop(), broken), (FixedStop(), broken), D(102), NOW_NS)
    assert guarded.position.wanted_stop == D("97.00")
    assert next_ask(guarded.position) == Ask()
    assert len(guarded.failures) == 1


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(Side),
    st.lists(st.decimals(D(50), D(150), places=2), min_size=1, max_size=30),
    st.decimals(D("0.5"), D(10), places=2),
)
def test_wherever_the_price_goes_the_wanted_stop_only_tightens_and_lies_on_a_tick(
    side: Side, prices: list[Decimal], distance: Decimal
) -> None:
    protections = (FixedStop(), Trailer(distance))
    it = protected(*protections, side=side)
    for price in prices:
        if not is_due(next_ask(it), price, NOW_NS):
            continue
        guarded = guards.ask(it, protections, price, NOW_NS)
        assert not tighter(side, it.wanted_stop, guarded.position.wanted_stop)
        assert guarded.position.wanted_stop % D("0.01") == 0
        it = guarded.position
    best = max([D(100), *prices]) if side is Side.LONG else min([D(100), *prices])
    trailed = best - side.sign * distance
    fixed = D(94) if side is Side.LONG else D(106)
    moved = best != D(100) and tighter(side, trailed, fixed)
    assert it.wanted_stop == (trailed if moved else fixed)


# ── when to ask next ────────────────────────────────────────────────────────────────────────────────────────


def test_the_nearest_level_on_each_side_and_the_earliest_time_are_asked_for() -> None:
    asks = [Ask(below=D(90), above=D(120)), Ask(below=D(95), at_ns=7), Ask(above=D(110), at_ns=5), Ask()]
    protections = [Says(f"p{n}", answers(Guard(NoState(), D(94), ask))) for n, ask in enumerate(asks)]
    assert next_ask(begun(*protections).position) == Ask(below=D(95), above=D(110), at_ns=5)


@pytest.mark.parametrize(
    ("ask", "due"),
    [
        (Ask(), False),
        (Ask(below=D(100)), True),
        (Ask(below=D("99.99")), False),
        (Ask(above=D(100)), True),
        (Ask(above=D("100.01")), False),
        (Ask(at_ns=NOW_NS), True),
        (Ask(at_ns=NOW_NS + 1), False),
    ],
)
def test_a_level_and_a_time_are_reached_when_they_are_equal(ask: Ask, due: bool) -> None:
    assert is_due(ask, D(100), NOW_NS) is due
