"""A recorded market on the emulated venues: what clients see of its quotes, candles, open interest and bars."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt
import pytest
from attrs import define, field

from framework import BarUpdate, Candle, CandleUpdate, OpenInterestUpdate, Quote, QuoteUpdate
from framework_simulator.emulator.build import DEFAULT_KEY
from framework_simulator.emulator.recorded import Playback

from .bybit_kit import ccxt_config
from .rig import SYMBOL, UNIFIED, Rig, d, run, running_at
from .virtual import ME, Virtual

VENUES = ["binance", "bybit"]
HOUR_NS = 3_600_000_000_000
MINUTE_NS = 60_000_000_000
DAY_NS = 24 * HOUR_NS


@define
class Stage:
    """A playback on manual time, without sockets."""

    virtual: Virtual = field(factory=lambda: Virtual.start(prices=False))
    order: Any = "worst-first"
    playback: Playback = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.playback = Playback(self.virtual.world, self.order)
        # Bars begin at midnight, and so does the time of these tests.
        self.virtual.clock.advance(DAY_NS - self.virtual.clock.now_ns() % DAY_NS)

    @property
    def now_ns(self) -> int:
        return self.virtual.clock.now_ns()

    def last(self, venue: str) -> Decimal:
        book = self.virtual.world.book(venue, SYMBOL)
        assert book is not None
        return book.quote.last

    def quote(self, venue: str, price: str, account: str = ME) -> None:
        quote = Quote(d(price), d(price), d(price), d(price), self.now_ns)
        self.playback.play(venue, QuoteUpdate(account, SYMBOL, quote))

    def bar(self, venue: str, prices: str, volume: str = "0") -> None:
        """A bar of a day: open, low, high, close."""
        opened, low, high, close = map(d, prices.split())
        candle = Candle(self.now_ns, self.now_ns + DAY_NS, opened, high, low, close, d(volume))
        self.playback.play(venue, BarUpdate(ME, SYMBOL, "1d", candle))

    def pass_hours(self, hours: int) -> None:
        self.virtual.clock.advance(hours * HOUR_NS)


# ── quotes and bars ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("venue", VENUES)
def test_a_recorded_quote_is_the_market_with_its_depth(venue: str) -> None:
    stage = Stage()
    quote = Quote(d("49999"), d("50001"), d("50000"), d("50000.5"), stage.now_ns)

    stage.playback.play(venue, QuoteUpdate(ME, SYMBOL, quote, d("1.5"), d("0.5")))

    book = stage.virtual.world.book(venue, SYMBOL)
    assert book is not None
    assert (book.quote.bid, book.quote.ask, book.quote.last, book.quote.mark) == (
        quote.bid, quote.ask, quote.last, quote.mark,
    )  # fmt: skip
    assert (book.bid_quantity, book.ask_quantity) == (d("1.5"), d("0.5"))


def test_what_a_venue_does_not_list_is_passed_over() -> None:
    stage = Stage()
    stage.playback.play("binance", OpenInterestUpdate(ME, "GONEUSDT", d(1)))
    assert stage.playback.next_ns() is None


@pytest.mark.parametrize("venue", VENUES)
def test_a_bar_jumps_to_its_open_and_walks_at_its_quarters_low_first(venue: str) -> None:
    stage = Stage()
    stage.bar(venue, "50000 45000 55000 52000")

    seen = [stage.last(venue)]
    for _ in range(4):
        stage.pass_hours(6)
        seen.append(stage.last(venue))

    assert seen == [50000, 45000, 55000, 52000, 52000]


def test_a_bar_goes_the_best_way_first_where_the_setting_says_so() -> None:
    stage = Stage(order="best-first")
    stage.bar("bybit", "50000 45000 55000 52000")
    stage.pass_hours(6)
    assert stage.last("bybit") == 55000


def test_a_bar_goes_the_worst_way_first_seen_from_an_open_short() -> None:
    stage = Stage()
    stage.quote("bybit", "50000")
    stage.virtual.bybit_order(side="Sell")
    stage.bar("bybit", "50000 45000 55000 52000")
    stage.pass_hours(6)
    assert stage.last("bybit") == 55000


def test_it_tells_when_a_price_next_moves() -> None:
    stage = Stage()
    begin_ns = stage.now_ns
    stage.bar("bybit", "50000 45000 55000 52000")
    assert stage.playback.next_ns() == begin_ns + 6 * HOUR_NS
    stage.pass_hours(6)
    assert stage.playback.next_ns() == begin_ns + 12 * HOUR_NS
    stage.pass_hours(12)
    assert stage.playback.next_ns() is None


def test_a_bar_takes_over_from_the_one_before() -> None:
    stage = Stage()
    stage.bar("bybit", "50000 45000 55000 52000")
    stage.pass_hours(3)
    stage.bar("bybit", "50000 50000 50000 50000")
    stage.pass_hours(24)
    assert stage.last("bybit") == 50000


def test_a_stop_on_the_way_of_a_bar_fills_at_its_trigger_price_on_a_venue_that_takes_its_time() -> None:
    stage = Stage()
    stage.quote("binance", "50000")
    stage.virtual.order()
    stop = {"symbol": SYMBOL, "side": "SELL", "algoType": "CONDITIONAL", "type": "STOP_MARKET", "reduceOnly": "true"}
    stage.virtual.binance("POST", "/fapi/v1/algoOrder", **stop, triggerPrice="47000", quantity="0.01")
    stage.bar("binance", "50000 45000 55000 52000")

    stage.pass_hours(6)

    fills = [line for line in stage.virtual.tail.lines if line["kind"] == "fill"]
    assert Decimal(fills[-1]["price"]) == 47000
    assert Decimal(stage.virtual.held("binance")) == 0


def test_a_stop_still_takes_its_time_after_a_walk() -> None:
    stage = Stage()
    stage.bar("binance", "50000 50000 50000 50000")
    before_ns = stage.virtual.world.venues["binance"].realism.trigger_delay_ns
    stage.pass_hours(24)
    assert stage.virtual.world.venues["binance"].realism.trigger_delay_ns == before_ns > 0


# ── candles and open interest, as clients read them ─────────────────────────────────────────────────────────────


def client_of(rig: Rig) -> Any:
    if rig.venue == "bybit":
        return ccxt.bybit(ccxt_config(rig))
    urls = {f"fapi{kind}{n}": f"{rig.rest}/fapi/{v}" for kind in ("Public", "Private")
            for n, v in (("", "v1"), ("V2", "v2"), ("V3", "v3"))}  # fmt: skip
    options = {"fetchCurrencies": False}
    return ccxt.binanceusdm(
        {"apiKey": DEFAULT_KEY.key, "secret": DEFAULT_KEY.secret, "urls": {"api": urls}, "options": options}
    )


@pytest.mark.parametrize("venue", VENUES)
def test_recorded_candles_and_open_interest_are_what_clients_read(venue: str) -> None:
    async def scenario() -> None:
        async with running_at(venue) as rig:
            playback = Playback(rig.world, "worst-first")
            hour_ns = rig.world.now_ns() // HOUR_NS * HOUR_NS - HOUR_NS
            prices = (d("50000"), d("51000"), d("49000"), d("50500"))
            hour = Candle(hour_ns, hour_ns + HOUR_NS, *prices, d("1966614"))
            playback.play(venue, CandleUpdate(DEFAULT_KEY.account, SYMBOL, "1h", hour))
            playback.play(venue, OpenInterestUpdate(DEFAULT_KEY.account, SYMBOL, d("48065519")))
            client = client_of(rig)
            try:
                candles = await client.fetch_ohlcv(UNIFIED, "1h")
                if venue == "binance":
                    raw = await client.fapiPublicGetKlines({"symbol": SYMBOL, "interval": "1h"})
                    turnovers = {str(row[0]): row[7] for row in raw}
                    held = await client.fapiPublicGetOpenInterest({"symbol": SYMBOL})
                    usd = Decimal(held["openInterest"]) * 50000
                else:
                    which = {"category": "linear", "symbol": SYMBOL}
                    raw = await client.publicGetV5MarketKline({**which, "interval": "60"})
                    turnovers = {row[0]: row[6] for row in raw["result"]["list"]}
                    ticker = await client.publicGetV5MarketTickers(which)
                    usd = Decimal(ticker["result"]["list"][0]["openInterestValue"])
            finally:
                await client.close()
            assert candles[0][:5] == [hour_ns // 1_000_000, 50000, 51000, 49000, 50500]
            assert Decimal(turnovers[str(hour_ns // 1_000_000)]) == 1966614
            assert abs(usd - 48065519) < 100

    run(scenario)


@pytest.mark.parametrize("venue", VENUES)
def test_a_recorded_candle_counts_and_what_the_feed_made_of_its_time_does_not(venue: str) -> None:
    stage = Stage()
    opened_ns = stage.now_ns
    stage.quote(venue, "50000")
    stage.virtual.clock.advance(MINUTE_NS)
    stage.quote(venue, "50010")

    candle = Candle(opened_ns, opened_ns + MINUTE_NS, d(1), d(4), d(1), d(2), d(100))
    stage.playback.play(venue, CandleUpdate(ME, SYMBOL, "1m", candle))

    bars = stage.virtual.world.tape(venue, SYMBOL).bars(1)
    assert [(bar.open_ns, bar.close, bar.turnover) for bar in bars[:1]] == [(opened_ns, d(2), d(100))]
    assert [bar.close for bar in bars[1:]] == [50010]


def test_mark_prices_have_no_recorded_candles() -> None:
    stage = Stage()
    candle = Candle(0, MINUTE_NS, d(1), d(4), d(1), d(2), d(100))
    stage.playback.play("bybit", CandleUpdate(ME, SYMBOL, "1m", candle))
    assert stage.virtual.world.tape("bybit", SYMBOL).bars(1, of_mark=True) == ()


def test_a_bar_is_a_candle_with_its_volume_once_it_has_closed() -> None:
    stage = Stage()
    stage.bar("binance", "50000 45000 55000 52000", volume="777")
    stage.pass_hours(23)
    tape = stage.virtual.world.tape("binance", SYMBOL)
    assert tape.bars(1440)[-1].turnover != 777
    stage.pass_hours(1)
    assert (tape.bars(1440)[-1].high, tape.bars(1440)[-1].turnover) == (d(55000), d(777))


def test_the_oldest_recorded_candles_make_room_for_new_ones() -> None:
    stage = Stage()
    for number in range(1502):
        start_ns = number * MINUTE_NS
        candle = Candle(start_ns, start_ns + MINUTE_NS, d(1), d(1), d(1), d(1), d(1))
        stage.playback.play("bybit", CandleUpdate(ME, SYMBOL, "1m", candle))
    bars = stage.virtual.world.tape("bybit", SYMBOL).bars(1)
    assert (len(bars), bars[0].open_ns) == (1500, 2 * MINUTE_NS)
