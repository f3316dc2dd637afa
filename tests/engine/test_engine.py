"""The engine between prices and protections: who is asked when, what is watched, and how it is closed and ended."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import define, field, frozen

from framework import Ask, ExchangeError, Guard, Holding, NoState, Quote, Unknown
from framework.core.lifecycle import advance
from framework.core.position import Position, State
from framework.errors import JournalError, ProtocolError
from framework.testing import NOW_NS, SYMBOL, make_quote
from tests.core.strategies import FixedStop, Trailer
from tests.engine.fakes import Arrived, D, Rig, S, complete, in_virtual_time, running, signals, venue
from tests.engine.one_position import ONE, events, held, opened


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
@pytest.mark.parametrize(("told_after_s", "stop"), [(1, "128.00"), (-1, "94.01")])
async def test_a_price_that_came_while_nobody_knew_of_the_entry_is_asked_for_once_it_is_known(
    told_after_s: int, stop: str
) -> None:
    """And not one from before the entry. No other price follows: the venue tells one when it changes."""
    market = venue()
    market.twist("place_entry", Unknown("timeout"), done=True)

    def cut(arrived: Arrived) -> None:
        if arrived.kind == "place_entry":
            market.twist("positions", *[ExchangeError("one", "cut off")] * 3)

    market.at_request = cut
    async with running(market, protections=(FixedStop(), Trailer())) as rig:
        await rig.engine.submit(complete(ONE))
        await asyncio.sleep(0.1)
        told = make_quote(last=D(130), time_ns=rig.clock.now_ns() + told_after_s * S)
        rig.engine.quote("one", SYMBOL, told)
        assert market.rests == {}
        await asyncio.sleep(20)
        await rig.at_rest()

        assert [str(each.trigger_price) for each in market.rests.values()] == [stop]
        assert held(rig).state is State.PROTECTED


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
