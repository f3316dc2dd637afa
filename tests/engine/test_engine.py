"""The engine between prices, venues and protections: who is asked when, and what strangers do to a position."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import define, evolve, field, frozen

from framework import (
    Ask,
    Event,
    Fill,
    FillSeen,
    Guard,
    Holding,
    NoState,
    OrderReport,
    OrderSeen,
    OrderSide,
    OrderStatus,
    PositionSeen,
    Quote,
    StopReport,
    StopSeen,
    StreamLost,
    StreamRestored,
    VenuePosition,
)
from framework.core.lifecycle import advance
from framework.core.position import Position, State
from framework.errors import JournalError, ProtocolError
from framework.testing import NOW_NS, SYMBOL, make_quote, make_signal
from tests.core.strategies import FixedStop, Trailer
from tests.engine.fakes import D, Rig, S, Venue, complete, in_virtual_time, running, signals, venue

ONE = make_signal(id="one-1", account="one")
STRANGER = "by-hand"


def quote(last: str | Decimal, rig: Rig) -> Quote:
    return make_quote(last=D(last), time_ns=rig.clock.now_ns())


@define
class Watcher:
    """A protection that asks for prices, or a time, and notes what it is asked at."""

    name: ClassVar[str] = "watcher"
    state_type: ClassVar[type] = NoState

    ask: Ask
    asked: list[tuple[Decimal, int]] = field(factory=list, init=False)

    def start(self, holding: Holding) -> Guard:
        return Guard(NoState(), None, self.ask)

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        self.asked.append((price, time_ns))
        return Guard(NoState(), None)


@asynccontextmanager
async def opened(market: Venue, *protections: Any, **parts: Any) -> AsyncIterator[Rig]:
    """An engine with one protected position of one piece, bought at 100.01 with a stop at 94.01."""
    async with running(market, protections=(FixedStop(), *protections), **parts) as rig:
        await rig.take(ONE)
        assert held(rig).state is State.PROTECTED
        yield rig


def held(rig: Rig) -> Position:
    return rig.positions[SYMBOL]


def events(rig: Rig) -> list[str]:
    return [event.code for event in rig.store.of(Event)]


# ── prices ──────────────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_a_protection_is_asked_at_the_price_that_it_asked_for_and_not_before() -> None:
    watcher = Watcher(Ask(below=D(98), above=D(103)))
    async with opened(venue(), watcher) as rig:
        for last in ("100", "98.01", "102.99"):
            rig.engine.quote("one", SYMBOL, quote(last, rig))
            await rig.at_rest()
        assert watcher.asked == []
        rig.engine.quote("one", SYMBOL, quote("103", rig))
        await rig.at_rest()
        assert [price for price, _ in watcher.asked] == [D(103)]


@in_virtual_time
async def test_a_protection_that_asks_for_nothing_more_is_left_alone() -> None:
    watcher = Watcher(Ask(below=D(98)))
    async with opened(venue(), watcher) as rig:
        for last in ("97", "96", "95"):
            rig.engine.quote("one", SYMBOL, quote(last, rig))
            await rig.at_rest()
        assert len(watcher.asked) == 1


@pytest.mark.parametrize("price", ["NaN", "sNaN", "Infinity", "-Infinity", "0", "-1"])
def test_a_price_that_is_none_wakes_nobody_and_is_not_remembered(price: str) -> None:
    @in_virtual_time
    async def scenario() -> None:
        watcher = Watcher(Ask(below=D(98), above=D(103), at_ns=NOW_NS + 60 * S))
        async with opened(venue(), watcher) as rig:
            rig.engine.quote("one", SYMBOL, quote("101", rig))
            rig.engine.quote("one", SYMBOL, quote(price, rig))
            await rig.at_rest()
            assert watcher.asked == []
            await asyncio.sleep(61)
            assert [asked for asked, _ in watcher.asked] == [D(101)]

    scenario()


@in_virtual_time
async def test_a_price_of_another_market_or_account_wakes_nobody() -> None:
    watcher = Watcher(Ask(below=D(98)))
    one, two = venue("one", SYMBOL, "BUSDT"), venue("two")
    async with running(one, two, protections=(FixedStop(), watcher)) as rig:
        await rig.take(ONE)
        rig.engine.quote("one", "BUSDT", quote("1", rig))
        rig.engine.quote("two", SYMBOL, quote("1", rig))
        await rig.at_rest()
        assert watcher.asked == []


@in_virtual_time
async def test_a_stop_that_trails_is_moved_as_the_price_goes_and_only_tightens() -> None:
    market = venue()
    async with running(market, protections=(FixedStop(), Trailer())) as rig:
        await rig.take(ONE)
        for last in ("104", "102.5", "105", "110"):
            rig.engine.quote("one", SYMBOL, quote(last, rig))
            await rig.at_rest()
        moved = [each.what.trigger_price for each in market.of("move_stop")]
    assert moved == [D(102), D(103), D(108)]
    assert [stop.trigger_price for stop in market.rests.values()] == [D(108)]


@in_virtual_time
async def test_a_protection_is_asked_at_the_time_that_it_wants_with_the_last_price() -> None:
    watcher = Watcher(Ask(at_ns=NOW_NS + 3600 * S))
    async with opened(venue(), watcher) as rig:
        rig.engine.quote("one", SYMBOL, quote("99.5", rig))
        await asyncio.sleep(3599)
        assert watcher.asked == []
        await asyncio.sleep(2)
        assert watcher.asked == [(D("99.5"), NOW_NS + 3600 * S)]


@in_virtual_time
async def test_without_any_price_yet_a_protection_is_asked_in_time_with_the_entry_price() -> None:
    watcher = Watcher(Ask(at_ns=NOW_NS + 5 * S))
    async with opened(venue(), watcher):
        await asyncio.sleep(6)
    assert watcher.asked == [(D("100.01"), NOW_NS + 5 * S)]


@in_virtual_time
async def test_nobody_is_asked_about_a_position_that_is_over() -> None:
    watcher = Watcher(Ask(below=D(98), at_ns=NOW_NS + 60 * S))
    async with opened(venue(), watcher) as rig:
        rig.engine.close_all("operator")
        await rig.at_rest()
        rig.engine.quote("one", SYMBOL, quote("97", rig))
        await asyncio.sleep(61)
        assert held(rig).state is State.CLOSED
    assert watcher.asked == []


@frozen
class Closes:
    """A protection that wants the position closed at 98."""

    name: ClassVar[str] = "closes"
    state_type: ClassVar[type] = NoState

    def start(self, holding: Holding) -> Guard:
        return Guard(NoState(), None, Ask(below=D(98)))

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        return Guard(NoState(), None, close="time-is-up")


@in_virtual_time
async def test_a_protection_may_close_the_position_and_its_stop_leaves_last() -> None:
    market = venue()
    async with opened(market, Closes()) as rig:
        rig.engine.quote("one", SYMBOL, quote("98", rig))
        await rig.at_rest()
        position = held(rig)
        assert position.state is State.CLOSED
        assert position.exit is not None
        assert position.exit.reason == "time-is-up"
    order = [each.kind for each in market.of("close_position", "cancel_stop")]
    assert order == ["close_position", "cancel_stop"]
    assert (market.held, market.rests) == ({}, {})


# ── the venue's own news ────────────────────────────────────────────────────────────────────────────────────


def execution(quantity: str, side: OrderSide, *, symbol: str = SYMBOL, client_id: str = STRANGER) -> Fill:
    return Fill(f"news-{quantity}", "1", client_id, symbol, side, D(quantity), D(99), D(0), NOW_NS + S)


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
async def test_after_a_gap_in_the_stream_every_position_is_read_back() -> None:
    market = venue("one", "AUSDT", "BUSDT")
    async with running(market) as rig:
        await rig.take(*signals("one", "AUSDT", "BUSDT"))
        market.arrived.clear()
        rig.engine.exchange_event("one", StreamLost("silence"))
        await rig.at_rest()
        assert market.of("positions") == []
        market.held.pop("AUSDT")
        stop = rig.positions["AUSDT"].stops[-1].client_id
        market.executed.append(evolve(execution("1", OrderSide.SELL, symbol="AUSDT", client_id=stop), cause="stop"))
        market.rests.pop(stop)
        rig.engine.exchange_event("one", StreamRestored())
        await rig.at_rest()
        assert {each.what for each in market.of("stops")} == {"AUSDT", "BUSDT"}
        assert {symbol: p.state for symbol, p in rig.positions.items()} == {
            "AUSDT": State.CLOSED,
            "BUSDT": State.PROTECTED,
        }
        assert [code for code in events(rig) if code.startswith("stream")] == ["stream_lost", "stream_restored"]


# ── watching ────────────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_the_markets_of_open_positions_are_watched_and_no_others() -> None:
    market = venue("one", "AUSDT", "BUSDT", "CUSDT")
    async with running(market, target=2) as rig:
        assert market.watched[-1] == frozenset()
        await rig.take(*signals("one", "AUSDT", "BUSDT", "CUSDT"))
        assert market.watched[-1] == {"AUSDT", "BUSDT"}
        rig.engine.close_all("operator")
        await rig.at_rest()
        assert market.watched[-1] == frozenset()


# ── closing everything, and ending ──────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_close_all_closes_every_position_of_every_account() -> None:
    one, two = venue("one"), venue("two", "AUSDT", "BUSDT")
    async with running(one, two) as rig:
        await rig.take(ONE, *signals("two", "AUSDT", "BUSDT"))
        assert len(rig.engine.open_positions()) == 3
        rig.engine.close_all("operator")
        await rig.at_rest()
        assert rig.engine.open_positions() == []
        assert {p.exit.reason for p in rig.positions.values() if p.exit is not None} == {"operator"}
    assert (one.held, two.held, one.rests, two.rests) == ({}, {}, {}, {})


@in_virtual_time
async def test_an_engine_that_was_not_started_has_no_consumer() -> None:
    async with running(venue()) as rig:
        rig.engine._consumer = None
        with pytest.raises(ProtocolError, match="not been started"):
            _ = rig.engine.consumer


@in_virtual_time
async def test_signals_are_acknowledged_once_they_are_durable() -> None:
    async with running(venue()) as rig:
        await rig.engine.submit(complete(ONE))
        assert [type(record).__name__ for record in rig.store.records[:2]] == ["WaveOpened", "SignalReceived"]


@in_virtual_time
async def test_signals_that_could_not_be_made_durable_are_not_acknowledged() -> None:
    async with running(venue()) as rig:
        rig.store.broken = True
        with pytest.raises(JournalError, match="disk full"):
            await rig.engine.submit(complete(ONE))


@in_virtual_time
async def test_a_bug_in_one_positions_life_does_not_touch_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    market = venue("one", "AUSDT", "BUSDT")
    async with running(market, protections=(FixedStop(), Trailer())) as rig:
        await rig.take(*signals("one", "AUSDT", "BUSDT"))

        def buggy(position: Position, *rest: Any) -> Any:
            if position.symbol == "AUSDT":
                raise ProtocolError("cannot happen")
            return advance(position, *rest)

        monkeypatch.setattr("framework.engine.engine.advance", buggy)
        for symbol in ("AUSDT", "BUSDT"):
            rig.engine.quote("one", symbol, quote("110", rig))
        await asyncio.sleep(0.5)
        assert [each.what.symbol for each in market.of("move_stop")] == ["BUSDT"]
        assert "protocol_error" in events(rig)
        monkeypatch.undo()
        rig.engine.quote("one", "AUSDT", quote("110", rig))  # it still asks for its prices
        await asyncio.sleep(5)
        assert [each.what.symbol for each in market.of("move_stop")] == ["BUSDT", "AUSDT"]
        assert rig.engine.failure is None
