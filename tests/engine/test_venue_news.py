"""What a venue tells on its own account: executions, orders, stops, positions and gaps, ours or not."""

from __future__ import annotations

import asyncio

from attrs import evolve

from framework import (
    Fill,
    FillSeen,
    MarketsSeen,
    OrderReport,
    OrderSeen,
    OrderSide,
    OrderStatus,
    PositionSeen,
    StopReport,
    StopSeen,
    StreamLost,
    StreamRestored,
    VenueNotice,
    VenuePosition,
)
from framework.core.position import State
from framework.testing import NOW_NS, SYMBOL
from tests.engine.fakes import D, Rig, S, in_virtual_time, running, signals, venue
from tests.engine.one_position import events, held, opened

STRANGER = "by-hand"


def execution(quantity: str, side: OrderSide, *, symbol: str = SYMBOL, client_id: str = STRANGER) -> Fill:
    return Fill(f"news-{quantity}", "1", client_id, symbol, side, D(quantity), D(99), D(0), NOW_NS + S)


def tell_entries(rig: Rig, *symbols: str) -> None:
    """The stream tells the executions of entries."""
    for symbol in symbols:
        entry = rig.positions[symbol].entry.client_id
        bought = rig.positions[symbol].entered
        fill = execution(str(bought), OrderSide.BUY, symbol=symbol, client_id=entry)
        rig.engine.exchange_event("one", FillSeen(fill))


@in_virtual_time
async def test_an_execution_that_nobody_here_caused_is_told_and_changes_nothing() -> None:
    async with running(venue()) as rig:
        rig.engine.exchange_event("one", FillSeen(execution("1", OrderSide.BUY)))
        await rig.at_rest()
        assert events(rig) == ["foreign_fill"]
        assert rig.positions == {}


@in_virtual_time
async def test_an_execution_in_a_market_without_a_position_is_not_given_to_that_of_another_market() -> None:
    async with opened(venue()) as rig:
        before = held(rig)
        rig.engine.exchange_event("one", FillSeen(execution("1", OrderSide.SELL, symbol="BUSDT")))
        await rig.at_rest()
        assert held(rig) == before
        assert "foreign_fill" in events(rig)


@in_virtual_time
async def test_a_position_that_somebody_closes_by_hand_is_closed_and_its_stop_removed() -> None:
    market = venue()
    async with opened(market) as rig:
        fill = execution("1", OrderSide.SELL)
        market.held.clear()
        market.executed.append(fill)
        rig.engine.exchange_event("one", FillSeen(fill))
        await rig.at_rest()
        await asyncio.sleep(60)
        position = held(rig)
        assert position.state is State.CLOSED
        assert position.exit is not None
        assert position.exit.reason == "closed_elsewhere"
    assert market.rests == {}
    assert market.of("close_position") == []


@in_virtual_time
async def test_an_execution_that_is_told_twice_is_counted_once() -> None:
    market = venue()
    async with opened(market) as rig:
        stop = held(rig).stops[-1].client_id
        fill = evolve(execution("1", OrderSide.SELL, client_id=stop), cause="stop")
        market.held.clear()
        market.rests.clear()
        market.executed.append(fill)
        for _ in range(3):
            rig.engine.exchange_event("one", FillSeen(fill))
        await rig.at_rest()
        position = held(rig)
        assert (position.state, position.exited) == (State.CLOSED, D(1))
        assert position.realized_pnl_usd == D("-1.01")


@in_virtual_time
async def test_a_stop_that_the_venue_lost_is_placed_again() -> None:
    market = venue()
    async with opened(market) as rig:
        stop = held(rig).stops[-1].client_id
        market.rests.clear()
        rig.engine.exchange_event("one", StopSeen(StopReport(stop, SYMBOL, live=False, reason="cancelled")))
        await rig.at_rest()
        assert held(rig).state is State.PROTECTED
    assert [each.trigger_price for each in market.rests.values()] == [D("94.01")]
    assert stop not in market.rests


@in_virtual_time
async def test_news_of_orders_that_are_not_ours_are_ignored() -> None:
    async with opened(venue()) as rig:
        before = held(rig)
        ours_elsewhere = "fw-aaaaaaaaaaaaaaaa-e0"
        for identity in (STRANGER, ours_elsewhere, "", "fw-"):
            rig.engine.exchange_event("one", OrderSeen(OrderReport(identity, SYMBOL, OrderStatus.FILLED, D(1), D(1))))
            rig.engine.exchange_event("one", StopSeen(StopReport(identity, SYMBOL, live=False)))
        await rig.at_rest()
        assert held(rig) == before


@in_virtual_time
async def test_a_position_pushed_by_the_venue_that_agrees_is_no_reason_to_read() -> None:
    market = venue()
    async with opened(market) as rig:
        reads = len(market.of("positions"))
        rig.engine.exchange_event("one", PositionSeen(VenuePosition(SYMBOL, D(1), D(100))))
        await asyncio.sleep(5)
        assert len(market.of("positions")) == reads


@in_virtual_time
async def test_a_position_pushed_by_the_venue_that_contradicts_is_looked_at_and_not_believed() -> None:
    market = venue()
    async with opened(market) as rig:
        reads = len(market.of("positions"))
        rig.engine.exchange_event("one", PositionSeen(VenuePosition(SYMBOL, D(0), D(0))))
        await asyncio.sleep(5)
        assert len(market.of("positions")) > reads
        assert held(rig).state is State.PROTECTED


@in_virtual_time
async def test_after_a_gap_in_the_stream_the_account_is_read_back_and_what_changed_read_closely() -> None:
    market = venue("one", "AUSDT", "BUSDT")
    async with running(market) as rig:
        await rig.take(*signals("one", "AUSDT", "BUSDT"))
        for each in market.executed:
            rig.engine.exchange_event("one", FillSeen(each))
        rig.engine.exchange_event("one", StreamLost("silence"))
        await rig.at_rest()
        market.arrived.clear()
        await asyncio.sleep(1)
        assert market.of("positions") == []
        market.held.pop("AUSDT")
        stop = rig.positions["AUSDT"].stops[-1].client_id
        market.executed.append(evolve(execution("1", OrderSide.SELL, symbol="AUSDT", client_id=stop), cause="stop"))
        market.rests.pop(stop)
        rig.engine.exchange_event("one", StreamRestored())
        await rig.at_rest()
        await asyncio.sleep(1)
        assert len(market.of("resting")) == 1
        assert {each.what for each in market.of("stops")} == {"AUSDT"}
        assert {symbol: p.state for symbol, p in rig.positions.items()} == {
            "AUSDT": State.CLOSED,
            "BUSDT": State.PROTECTED,
        }
        assert [code for code in events(rig) if code.startswith("stream")] == ["stream_lost", "stream_restored"]


@in_virtual_time
async def test_executions_of_an_entry_that_were_never_told_are_read_after_a_gap_though_all_else_is_as_expected() -> (
    None
):
    market = venue("one", "AUSDT", "BUSDT")
    async with running(market) as rig:
        await rig.take(*signals("one", "AUSDT", "BUSDT"))
        tell_entries(rig, "AUSDT")
        await rig.at_rest()
        market.arrived.clear()
        assert rig.positions["BUSDT"].fills == {}
        rig.engine.exchange_event("one", StreamRestored())
        await rig.at_rest()

        assert {each.what for each in market.of("fills")} == {"BUSDT"}
        assert len(rig.positions["BUSDT"].fills) == 1


@in_virtual_time
async def test_what_a_venue_wants_people_to_know_is_written_down_as_it_says() -> None:
    async with running(venue()) as rig:
        rig.engine.exchange_event("one", VenueNotice("warning", "rules_are_stale", "the tick of AUSDT changed"))
        await rig.at_rest()
        assert events(rig) == ["rules_are_stale"]


@in_virtual_time
async def test_rules_that_a_venue_read_anew_hold_for_the_next_decision() -> None:
    async with running(venue()) as rig:
        rig.engine.exchange_event("one", MarketsSeen({}))
        await rig.at_rest()
        assert rig.engine.desks["one"].markets == {}
