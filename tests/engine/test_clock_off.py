"""Executions are in the journal although the clock that positions are decided by is off from that of the venue."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from attrs import define, evolve, field

from framework import Fill, OrderReport, OrderSide
from framework.core.position import State
from framework.core.records import FillRecorded
from framework.core.steering import look_at
from framework.testing import SYMBOL, make_signal
from tests.engine.fakes import D, S, Venue, in_virtual_time, running
from tests.engine.one_position import held

ONE = make_signal(id="one-1", account="one")
HOUR_NS = 3600 * S


@define
class Elsewhen(Venue):
    """Its clock shows another time than ours; its stream tells nothing."""

    off_ns: int = field(default=0, init=False)

    def _execute(self, client_id: str, symbol: str, side: OrderSide, quantity: Decimal, price: Decimal) -> OrderReport:
        report = super()._execute(client_id, symbol, side, quantity, price)
        self.executed[-1] = evolve(self.executed[-1], time_ns=self.executed[-1].time_ns + self.off_ns)
        return report


def sold(number: str, cause: str, at_ns: int) -> Fill:
    """Somebody, or an attached stop without a name, sold one piece."""
    return Fill(number, number, "", SYMBOL, OrderSide.SELL, D(1), D(99), D(0), at_ns, cause)


@pytest.mark.parametrize("off_ns", [-HOUR_NS, -5 * S, 0, HOUR_NS])
def test_what_was_bought_and_sold_is_read_back_however_far_the_clocks_are_apart(off_ns: int) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = Elsewhen()
        market.off_ns = off_ns
        async with running(market) as rig:
            await rig.take(ONE)
            bought = market.executed[0]
            market.executed.append(sold("by-hand", "order", bought.time_ns + S))
            market.held.clear()
            rig.engine.reconciler.gap(rig.engine.desks["one"])
            await asyncio.sleep(120)
            assert (held(rig).state, held(rig).exit_price) == (State.CLOSED, D(99))
            assert {each.fill.id for each in rig.store.of(FillRecorded)} == {"fill-0", "by-hand"}

    scenario()


@pytest.mark.parametrize("off_ns", [-HOUR_NS, 0, HOUR_NS])
@pytest.mark.parametrize("cause", ["order", "stop"])
def test_what_was_sold_before_it_was_opened_closes_nothing(cause: str, off_ns: int) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = Elsewhen()
        market.off_ns = off_ns
        async with running(market) as rig:
            market.executed.append(sold("earlier", cause, rig.clock.now_ns() + off_ns - 60 * S))
            await rig.take(ONE)
            rig.engine.reconciler.gap(rig.engine.desks["one"])
            rig.engine.dispatcher.run(rig.engine.desks["one"], held(rig), look_at(held(rig)))
            await rig.at_rest()
            assert (held(rig).state, held(rig).open_quantity) == (State.PROTECTED, D(1))

    scenario()
