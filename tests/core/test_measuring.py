"""What protections measure when a signal is decided: it makes the plan's stop, and stays while the position lives."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from framework import Candle, MeasuresMarket, OrderStatus, Side, SizedPlan
from framework.core import guards
from framework.core.decide import Rulebook, decide
from framework.core.happenings import EntryAnswered
from framework.core.lifecycle import begin
from framework.core.measuring import needs_of
from framework.core.protection import named
from framework.core.screen import screen
from framework.core.verdict import Accepted, Refused
from framework.testing import make_candles, make_portfolio, make_signal, make_snapshot
from tests.core.measures import Measures
from tests.core.strategies import FixedStop, Life, policy, report
from tests.core.test_decide import Buys

D = Decimal


def hours(count: int, height: int = 5) -> tuple[Candle, ...]:
    """Candles of an hour of which the newest is so high."""
    *older, newest = make_candles("1h", count)
    return (*older, evolve(newest, high=newest.low + height))


def decided(
    *protections: Any, candles: tuple[Candle, ...] | None = None, side: Side = Side.LONG
) -> SizedPlan | Refused:
    accepted = screen(make_signal(side=side), make_snapshot(candles={"1h": candles or hours(2)}), [])
    assert isinstance(accepted, Accepted)
    return decide(accepted, Rulebook(named(protections), Buys(), ()), make_portfolio())


def planned(*protections: Any, **market: Any) -> SizedPlan:
    plan = decided(*protections, **market)
    assert isinstance(plan, SizedPlan), plan
    return plan


def refused(*protections: Any, **market: Any) -> Refused:
    no = decided(*protections, **market)
    assert isinstance(no, Refused), no
    return no


@pytest.mark.parametrize(("side", "stop"), [(Side.LONG, "95.01"), (Side.SHORT, "104.99")])
def test_the_planned_stop_follows_from_what_was_measured(side: Side, stop: str) -> None:
    plan = planned(Measures(), side=side)

    assert (plan.stop_price, plan.stop_by, plan.measured) == (D(stop), "measures", {"height": D(5)})


def test_the_check_of_the_plan_shows_what_was_measured() -> None:
    (check,) = [each for each in planned(Measures()).checks if each.kind == "protection"]

    assert check.verdict.numbers["height"] == D(5)


def test_each_protection_sees_what_it_needs_and_all_of_them_what_was_measured() -> None:
    plan = planned(Measures(2, "one"), Measures(3, "other"), candles=hours(3))

    assert plan.measured == {"one": D(5), "other": D(5)}


@pytest.mark.parametrize("protections", [(Measures(3),), (FixedStop(), Measures(3)), (Measures(2), Measures(3))])
def test_too_few_candles_refuse_the_signal_whatever_else_protects(protections: tuple[Any, ...]) -> None:
    no = refused(*protections)

    assert (no.stage, no.component) == ("plan", named(protections)[-1].name)
    assert (no.rejection.code, no.rejection.numbers) == ("data_missing", {"need": "3 candles of 1h"})
    assert "3 candles of 1h" in no.rejection.message
    assert "has 2" in no.rejection.message


@pytest.mark.parametrize("number", [D("NaN"), D("Infinity"), 5, "5"])
def test_what_is_no_number_refuses_the_signal(number: Any) -> None:
    no = refused(Measures(number=number))

    assert (no.stage, no.component, no.rejection.code) == ("plan", "measures", "component_failed")
    assert "which is no number" in no.rejection.message


def test_two_numbers_of_one_name_refuse_the_signal() -> None:
    no = refused(Measures(number=D(4)), Measures(number=D(5)))

    assert (no.component, no.rejection.code) == ("measures-2", "component_failed")
    assert "measured height as 5, and another protection as 4" in no.rejection.message


def test_a_protection_that_measures_nothing_needs_nothing() -> None:
    assert not isinstance(FixedStop(), MeasuresMarket)
    assert needs_of(FixedStop()) == frozenset()
    assert [needs_of(each) for each in named([Measures(2), Measures(5)])] == [Measures(2).needs, Measures(5).needs]


def test_after_the_fill_and_at_every_price_the_numbers_are_those_of_the_decision() -> None:
    rules = policy((Measures(),))
    position, _ = begin(planned(Measures()), "wave", rules, 0)

    after = guards.begin(position, rules.protections, D(90)).position

    assert after.guarded.measured == {"height": D(5)}
    assert (after.wanted_stop, after.wanted_by) == (D(85), "measures")


def test_a_position_for_which_nothing_was_measured_keeps_the_stop_that_was_planned() -> None:
    life = Life(policy((Measures(),)), evolve(planned(Measures()), measured={}))
    identity = life.it.entry.client_id

    life.happens(EntryAnswered(identity, report(identity, OrderStatus.FILLED, "1")))

    assert life.it.wanted_stop == D("95.01")
