"""The venue's own liquidation price after the entry: who keeps away from it looks again, and the stop may go nearer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import evolve, frozen

from framework.core.guards import next_ask
from framework.core.happenings import MoveStop, NoteStop
from framework.core.protection import Ask, Guard, Holding, NoState
from framework.core.reconcile import AccountSeen, reconcile
from framework.core.resting import RestingKind, RestingOrder
from framework.core.signal import Side
from framework.testing import NOW_NS, SYMBOL
from tests.core.strategies import D, FixedStop, Life, Trailer, entry_fill, held, policy, protected, resting

SIDES = pytest.mark.parametrize("side", Side)


@frozen
class KeepsAway:
    """A limit two USD before the venue's liquidation price, which it wants the stop at; far away while none is told."""

    name: ClassVar[str] = "keeps-away"
    state_type: ClassVar[type] = NoState

    def start(self, holding: Holding) -> Guard:
        told, sign = holding.liquidation_price, holding.side.sign
        if told is None:
            return Guard(NoState(), None, limit=holding.entry_price - sign * 50)
        limit = told + sign * 2
        return Guard(NoState(), limit, Ask(below=limit) if sign > 0 else Ask(above=limit), limit=limit)

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        return self.start(holding)


def opened(side: Side) -> Life:
    life = protected(policy((FixedStop(), KeepsAway()), amends=True), side)
    assert life.it.wanted_stop == 100 - side.sign * 6
    return life


def reads(life: Life, liquidation: str) -> None:
    """The venue is read, and tells a liquidation price so many USD from the entry."""
    side, stop = life.it.side, life.it.stops[0]
    at = evolve(held("1" if side is Side.LONG else "-1"), liquidation_price=100 - side.sign * D(liquidation))
    life.read(at, resting(stop.client_id, stop.trigger_price), fills=(entry_fill(life.it),))


@SIDES
def test_a_stop_beyond_it_is_brought_before_it_and_people_are_told(side: Side) -> None:
    life = opened(side)
    reads(life, "5")

    assert [each.order.trigger_price for each in life.asked(MoveStop)] == [100 - side.sign * 3]
    assert [(each.component, each.to_price) for each in life.asked(NoteStop)] == [("keeps-away", 100 - side.sign * 3)]
    assert life.codes == ["liquidation_near_stop"]


@SIDES
def test_one_that_is_far_away_moves_nothing_but_is_watched_from_then_on(side: Side) -> None:
    life = opened(side)
    reads(life, "30")

    assert life.asked(MoveStop) == []
    assert life.codes == []
    level = 100 - side.sign * D(28)
    assert next_ask(life.it) == (Ask(below=level) if side is Side.LONG else Ask(above=level))


def test_the_stop_is_not_loosened_when_it_goes_away_again() -> None:
    life = opened(Side.LONG)
    reads(life, "5")
    reads(life, "30")

    assert life.it.wanted_stop == 97


def test_who_sets_no_limit_keeps_its_state() -> None:
    life = protected(policy((FixedStop(), Trailer(), KeepsAway()), amends=True))
    before = life.it.guards["trailer"]
    reads(life, "5")

    assert life.it.guards["trailer"] == before


@pytest.mark.parametrize(("told", "case"), [("5", "protected: its liquidation is nearer"), ("40", "as expected")])
def test_a_reading_of_the_account_that_shows_a_nearer_one_has_the_position_read(told: str, case: str) -> None:
    life = opened(Side.LONG)
    reads(life, "30")
    stop = life.it.stops[0]
    rests = RestingOrder(stop.client_id, SYMBOL, RestingKind.STOP, life.it.side.exit, D(1), stop.trigger_price)
    seen = AccountSeen("one", NOW_NS, {SYMBOL: evolve(held("1"), liquidation_price=100 - D(told))}, (rests,))

    (finding,) = reconcile(seen, None, (life.it,), foreign="ignore", fence_ns=1, now_ns=life.now_ns)
    assert case in finding.case
