"""Prices of watched markets: the first at once, then by three streams' news; the dead told from the quiet."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from framework import Health, HealthSeen, Quote
from framework_binance import stream
from framework_binance.stream import TRADES_PROVE

from .rig import SYMBOL, Rig, d, run, trading, until

OTHER = "ETHUSDT"


def newest(rig: Rig, symbol: str = SYMBOL) -> Quote | None:
    return next((quote for name, quote in reversed(rig.probe.quotes) if name == symbol), None)


async def quoted(rig: Rig, bid: str | int) -> Quote:
    """Wait for a quote with this bid."""
    found = await until(lambda: (quote := newest(rig)) and quote.bid == d(bid) and quote)
    assert isinstance(found, Quote)
    return found


async def flowing(rig: Rig, symbols: frozenset[str] = frozenset({SYMBOL})) -> None:
    """Watch, and wait until the venue knows."""
    rig.exchange.watch(symbols)
    _, book, trades = rig.exchange.line.streams
    await until(lambda: book.is_up and trades.is_up)
    await until(lambda: newest(rig))
    await asyncio.sleep(0.05)  # the venue answers subscriptions a little later


def test_the_first_quote_of_a_watched_market_comes_without_a_trade() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.watch(frozenset({SYMBOL}))
            quote = await quoted(rig, 50000)
            assert (quote.ask, quote.last, quote.mark) == (d("50000.1"), d(50000), d("50000.05"))

    run(scenario)


def test_best_last_and_mark_prices_flow() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await flowing(rig)
            asked = len(rig.requests("/ticker/bookTicker"))
            rig.price(50100, 50101, last="50100.5", mark="50102")
            quote = await until(lambda: (q := newest(rig)) and q.mark == d(50102) and q.last == d("50100.5") and q)
            assert (quote.bid, quote.ask) == (d(50100), d(50101))
            assert len(rig.requests("/ticker/bookTicker")) == asked

    run(scenario)


def test_quotes_carry_our_time_whatever_the_venue_s_clock_says() -> None:
    async def scenario() -> None:
        async with trading(max_clock_skew_ms=100_000) as rig:
            rig.world.skew("binance", 50_000_000_000)
            await rig.exchange.line.client.sync_clock()
            await flowing(rig)
            rig.price(50200)
            quote = await quoted(rig, 50200)
            assert abs(quote.time_ns - rig.probe.clock.now_ns()) < 2_000_000_000

    run(scenario)


def test_only_watched_markets_are_told() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await flowing(rig)
            rig.exchange.watch(frozenset())
            await asyncio.sleep(0.3)
            told = len(rig.probe.quotes)
            rig.price(50300)
            await asyncio.sleep(0.1)
            assert len(rig.probe.quotes) == told

    run(scenario)


def test_subscriptions_follow_what_is_watched() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await flowing(rig)
            rig.price(3000, 3001, symbol=OTHER)
            await flowing(rig, frozenset({SYMBOL, OTHER}))
            await until(lambda: newest(rig, OTHER))
            rig.price(3100, 3101, symbol=OTHER)
            await until(lambda: (quote := newest(rig, OTHER)) and quote.bid == 3100)

    run(scenario)


@pytest.mark.parametrize("sockets", ["/public*", "/market*"])
def test_prices_flow_again_after_a_close(sockets: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await flowing(rig)
            rig.fault("streams-closed", at_ms=1, sockets=sockets)
            index = 1 if sockets == "/public*" else 2
            await until(lambda: rig.exchange.line.streams[index].last_end)
            await flowing(rig)
            rig.price(50400)
            assert (await quoted(rig, 50400)).last == d(50400)
            name = f"stream {rig.exchange.line.streams[index].name}"
            told = [each.health for each in rig.seen(HealthSeen) if each.condition == name]
            assert told == [Health.HEALTHY, Health.DEGRADED, Health.HEALTHY]

    run(scenario)


def test_what_was_known_before_a_gap_is_not_mixed_with_what_comes_after() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await flowing(rig)
            book = rig.exchange.line.streams[1]
            rig.fault("refuse", path="/fapi/v1/ticker/bookTicker", code=-1000)  # only the streams tell anything
            rig.fault("streams-closed", at_ms=0, sockets="/public*", for_ms=300)
            await until(lambda: not book.is_up)
            told = len(rig.probe.quotes)
            rig.price(51000)  # the other stream tells of last and mark price
            await until(lambda: book.is_up)
            rig.price(51001)
            await until(lambda: (quote := newest(rig)) and quote.bid == 51001)
            assert all(quote.bid >= 51000 for _, quote in rig.probe.quotes[told:])

    run(scenario)


def test_while_a_price_stream_is_down_prices_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "POLL_S", 0.05)

    async def scenario() -> None:
        async with trading() as rig:
            await flowing(rig)
            rig.fault("streams-closed", at_ms=1, sockets="/[pm][ua][br]*", for_ms=60_000)
            await until(lambda: not rig.exchange.line.streams[1].is_up and not rig.exchange.line.streams[2].is_up)
            rig.price(50500)
            await quoted(rig, 50500)

    run(scenario)


def test_prices_that_can_t_be_read_are_told_and_the_stream_goes_on() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", path="/fapi/v1/premiumIndex", code=-1000)
            rig.exchange.watch(frozenset({SYMBOL}))
            await until(lambda: rig.notices("prices_not_read"))

    run(scenario)


def test_a_market_stream_whose_marks_stop_is_dead_although_it_answers_pings() -> None:
    async def scenario() -> None:
        async with trading(stream_silence_s=Decimal("0.3")) as rig:
            rig.exchange.watch(frozenset({"NOSUCHUSDT"}))  # the venue takes the subscription and says nothing
            await until(lambda: "the subscriptions have died" in rig.exchange.line.streams[2].last_end)

    run(scenario)


def test_trades_without_best_prices_prove_that_stream_dead() -> None:
    async def scenario() -> None:
        async with trading(stream_silence_s=Decimal("0.5")) as rig:
            rig.exchange.watch(frozenset({SYMBOL}))
            book = rig.exchange.line.streams[1]
            await until(lambda: book.is_up)
            await asyncio.sleep(0.1)  # what the venue tells of a new subscription is no news
            for number in range(TRADES_PROVE + 1):
                rig.exchange._stream_set.on_price_frame(
                    {"e": "aggTrade", "s": SYMBOL, "p": str(50000 + number), "E": 1_700_000_000_000}
                )
                await asyncio.sleep(0.3)
            await until(lambda: "were not told" in book.last_end)

    run(scenario)


def test_best_prices_between_the_trades_prove_it_alive() -> None:
    async def scenario() -> None:
        async with trading(stream_silence_s=Decimal("0.5")) as rig:
            rig.exchange.watch(frozenset({SYMBOL}))
            book, streams = rig.exchange.line.streams[1], rig.exchange._stream_set
            await until(lambda: book.is_up)
            for number in range(TRADES_PROVE + 1):
                at = 1_700_000_000_000 + number
                streams.on_price_frame({"e": "aggTrade", "s": SYMBOL, "p": str(50000 + number), "E": at})
                if number == 1:
                    streams.on_price_frame({"e": "bookTicker", "s": SYMBOL, "b": "1", "a": "2", "E": at})
                await asyncio.sleep(0.2)
            assert book.last_end == ""

    run(scenario)


def test_a_refused_subscription_is_told_and_the_stream_is_opened_anew() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await flowing(rig)
            book = rig.exchange.line.streams[1]
            await book.send({"method": "SUBSCRIBE", "params": "not a list", "id": 99})
            await until(lambda: "refused a subscription" in book.last_end)
            assert "list of strings" in rig.notices("subscription_refused")[0].message
            await flowing(rig)

    run(scenario)
