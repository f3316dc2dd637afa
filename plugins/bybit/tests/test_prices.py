"""The price stream: in step with what is open, quotes from parts, and a dead one told from a quiet one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from framework import Health, HealthSeen, Quote
from framework_bybit.session import PRICES
from framework_bybit.stream import Prices, topics_of
from framework_venue.prices import PriceBoard

from .rig import SYMBOL, TICKERS, Rig, d, run, trading, until
from .test_translate import words

PUBLIC = "/v5/public/linear"


def quotes(rig: Rig, symbol: str = SYMBOL) -> list[Quote]:
    return [quote for told, quote in rig.probe.quotes if told == symbol]


async def quoted(rig: Rig, last: str) -> Quote:
    """Wait for a quote with this last price."""
    return await until(lambda: next((one for one in quotes(rig) if one.last == d(last)), None))  # type: ignore[no-any-return]


def test_the_first_quote_of_a_market_comes_with_its_subscription() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.watch(frozenset({SYMBOL}))
            quote = await quoted(rig, "50000")
            assert (quote.bid, quote.ask, quote.mark) == (d(50000), d("50000.1"), d("50000.05"))
            assert abs(quote.time_ns - rig.probe.clock.now_ns()) < 5 * 10**9

    run(scenario)


def test_a_change_of_one_price_is_a_new_quote_with_the_others_as_they_were() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.watch(frozenset({SYMBOL}))
            await quoted(rig, "50000")
            rig.price(50000, last=50003)
            quote = await quoted(rig, "50003")
            assert (quote.bid, quote.ask) == (d(50000), d("50000.1"))

    run(scenario)


def test_what_is_no_longer_watched_is_unsubscribed_and_told_no_more() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.price(3000, symbol="ETHUSDT")
            rig.exchange.watch(frozenset({SYMBOL, "ETHUSDT"}))
            await quoted(rig, "50000")
            await until(lambda: quotes(rig, "ETHUSDT"))
            rig.exchange.watch(frozenset({SYMBOL}))
            hub: Any = rig.world.wires["bybit"]
            await until(lambda: "ETHUSDT" not in str(list(hub.public._topics.get("ETHUSDT", {}))))
            rig.price(3100, symbol="ETHUSDT")
            rig.price(50100)
            await quoted(rig, "50100")
            assert [quote.last for quote in quotes(rig, "ETHUSDT")] == [d(3000)]

    run(scenario)


def test_after_a_reconnect_the_subscriptions_are_as_before_and_nothing_old_is_told() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.watch(frozenset({SYMBOL}))
            await quoted(rig, "50000")
            rig.fault("streams-closed", sockets=PUBLIC, at_ms=1, for_ms=200)
            await until(lambda: rig.notices("prices_lost"))
            rig.price(50500)
            quote = await quoted(rig, "50500")
            assert quote.bid == d(50500)
            await until(lambda: rig.notices("prices_restored"))
            told = [(each.condition, each.health, each.told) for each in rig.seen(HealthSeen)]
            assert told == [(PRICES, Health.DEGRADED, True), (PRICES, Health.HEALTHY, True)]

    run(scenario)


def test_a_silent_price_stream_is_opened_anew() -> None:
    async def scenario() -> None:
        async with trading(stream_silence_s=d("0.3")) as rig:
            rig.exchange.watch(frozenset({SYMBOL}))
            await quoted(rig, "50000")
            rig.fault("streams-silent", sockets=PUBLIC, at_ms=1, for_ms=500)
            await until(lambda: rig.notices("prices_lost"))
            rig.price(50500)
            await quoted(rig, "50500")

    run(scenario)


def test_a_subscription_that_died_while_pings_work_is_noticed_by_the_venues_own_prices() -> None:
    async def scenario() -> None:
        async with trading(stream_silence_s=d("0.3")) as rig:
            rig.exchange.watch(frozenset({SYMBOL}))
            await quoted(rig, "50000")
            await rig.exchange.session.public.send({"op": "unsubscribe", "args": [f"tickers.{SYMBOL}"]})
            await asyncio.sleep(0.02)
            rig.price(50500)
            await until(lambda: rig.notices("prices_lost"))
            assert "while the venue shows other prices" in rig.notices("prices_lost")[0].message
            await quoted(rig, "50500")

    run(scenario)


def test_while_the_stream_is_down_the_venues_own_prices_are_told() -> None:
    async def scenario() -> None:
        async with trading(stream_silence_s=d("0.2")) as rig:
            rig.exchange.watch(frozenset({SYMBOL}))
            await quoted(rig, "50000")
            rig.fault("streams-closed", sockets=PUBLIC, at_ms=1, for_ms=60_000)
            await until(lambda: rig.notices("prices_lost"))
            rig.price(50500)
            quote = await quoted(rig, "50500")
            assert (quote.bid, quote.ask) == (d(50500), d("50500.1"))
            assert not rig.exchange.session.public.is_up

    run(scenario)


def test_a_quiet_market_keeps_its_stream() -> None:
    async def scenario() -> None:
        async with trading(stream_silence_s=d("0.2")) as rig:
            rig.exchange.watch(frozenset({SYMBOL}))
            await quoted(rig, "50000")
            await until(lambda: len(rig.requests(TICKERS)) >= 3)  # looked at several times, found as told
            assert rig.notices("prices_lost") == []
            assert rig.sockets().count(PUBLIC) == 1

    run(scenario)


def test_prices_that_cant_be_looked_at_change_nothing() -> None:
    async def scenario() -> None:
        async with trading(stream_silence_s=d("0.2")) as rig:
            rig.exchange.watch(frozenset({SYMBOL}))
            await quoted(rig, "50000")
            rig.fault("refuse", path=TICKERS, code=10016)
            await until(lambda: len(rig.requests(TICKERS)) >= 2)
            assert rig.notices("venue_task_failed") == []
            assert rig.notices("prices_lost") == []

    run(scenario)


def test_a_refused_subscription_is_told() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.watch(frozenset({"NOSUCHUSDT"}))
            await until(lambda: rig.notices("subscription_refused"))
            assert "NOSUCHUSDT" in rig.notices("subscription_refused")[0].message

    run(scenario)


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────

TICKER = {"symbol": SYMBOL, "bid1Price": "1", "ask1Price": "2", "lastPrice": "1.5", "markPrice": "1.6"}


class Heard:
    """Prices under a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.quotes: list[Quote] = []
        self.refused: list[str] = []
        board = PriceBoard(lambda symbol, quote: self.quotes.append(quote))
        self.prices = Prices(words(), board, lambda: self.now_s, self.refused.append)
        self.prices.want(frozenset({SYMBOL}))

    def tell(self, data: Any, ts: Any = 1, topic: str = f"tickers.{SYMBOL}") -> None:
        self.prices.take({"topic": topic, "type": "delta", "ts": ts, "data": data})


def test_a_snapshot_and_deltas_are_merged() -> None:
    heard = Heard()
    heard.tell(TICKER)
    heard.tell({"symbol": SYMBOL, "markPrice": "1.7"}, 2)

    assert [(quote.bid, quote.mark) for quote in heard.quotes] == [(d(1), d("1.6")), (d(1), d("1.7"))]


def test_a_delta_before_the_snapshot_is_no_quote() -> None:
    heard = Heard()
    heard.tell({"symbol": SYMBOL, "markPrice": "1.7"})

    assert heard.quotes == []


@pytest.mark.parametrize("data", [None, [], "x", {"markPrice": None}, {"markPrice": "NaN"}, {"markPrice": 5}, {}])
def test_strange_news_of_prices_are_ignored(data: Any) -> None:
    heard = Heard()
    heard.tell(TICKER)
    heard.tell(data, 2)
    heard.prices.take(None)
    heard.tell({"markPrice": "2"}, None)

    assert len(heard.quotes) == 1 or heard.quotes[-1].mark == 5


def test_a_market_is_quiet_when_nothing_of_it_came_for_so_long() -> None:
    heard = Heard()
    heard.tell(TICKER)
    heard.now_s += 10

    assert heard.prices.quiet(10) == frozenset({SYMBOL})
    heard.tell({"symbol": SYMBOL, "openInterest": "5"}, 2)
    assert heard.prices.quiet(10) == frozenset()


def test_a_market_that_was_never_told_of_is_quiet_since_it_is_wanted() -> None:
    heard = Heard()
    heard.now_s += 10
    heard.prices.want(frozenset({SYMBOL, "ETHUSDT"}))

    assert heard.prices.quiet(10) == frozenset({SYMBOL})


@pytest.mark.parametrize(
    ("row", "differs"),
    [
        (TICKER, False),
        ({**TICKER, "bid1Price": "1.0"}, False),
        ({**TICKER, "bid1Price": "1.1"}, True),
        ({**TICKER, "markPrice": "9"}, True),
        ({**TICKER, "ask1Price": ""}, False),
    ],
)
def test_only_another_price_at_the_venue_is_suspicious(row: dict[str, str], differs: bool) -> None:
    heard = Heard()
    heard.tell(TICKER)

    assert heard.prices.differs(SYMBOL, row) is differs


def test_after_a_loss_every_price_is_news() -> None:
    heard = Heard()
    heard.tell(TICKER)
    heard.prices.forget()

    assert heard.prices.differs(SYMBOL, TICKER)
    assert not heard.prices.has_heard(SYMBOL)


def test_bid_ask_last_and_mark_are_one_topic() -> None:
    assert topics_of(frozenset({"A", "B"})) == frozenset({"tickers.A", "tickers.B"})
