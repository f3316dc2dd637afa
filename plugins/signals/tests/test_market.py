"""The source `market`: a recorded market as if it were now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from framework import BarUpdate, CandleUpdate, OpenInterestUpdate, QuoteUpdate
from framework_signals.market import MarketSource

from .listening import NOW_NS, kernel, running

S = 10**9
MARKET = {"account": "binance", "symbol": "HFTUSDT"}
PRICES = {"open": "1", "high": "2", "low": "1", "close": "2"}
LINES: list[dict[str, Any]] = [
    {"t": "2020-01-01T00:00:00Z", "kind": "recording", "version": 1},
    {"t": "2020-01-01T00:59:00Z", "kind": "candle", **MARKET, "interval": "1m", "open_time": "2020-01-01T00:58:00Z",
     **PRICES, "quote_volume": "5"},
    {"t": "2020-01-01T00:59:30Z", "kind": "open_interest", **MARKET, "usd": "7"},
    {"t": "2020-01-01T00:59:40Z", "kind": "quote", **MARKET, "bid": "1", "ask": "2", "last": "1.5"},
    {"t": "2020-01-01T01:00:00Z", "kind": "message", "text": "{}"},
    {"t": "2020-01-01T01:01:00Z", "kind": "bar", **MARKET, "interval": "1m", **PRICES},
    {"t": "2020-01-01T01:02:00Z", "kind": "end"},
]  # fmt: skip

Write = Callable[..., Path]


def test_what_was_there_before_the_first_message_is_told_at_once_as_of_now(write_recording: Write) -> None:
    async def scenario() -> None:
        link = kernel()
        async with running(MarketSource(path=write_recording(*LINES)), link):
            await asyncio.sleep(0)
            candle, interest, quote = link.updates
        assert isinstance(candle, CandleUpdate)
        assert isinstance(interest, OpenInterestUpdate)
        assert isinstance(quote, QuoteUpdate)
        assert 0 <= candle.candle.close_ns - (NOW_NS - 60 * S) < S
        assert 0 <= quote.quote.time_ns - (NOW_NS - 20 * S) < S
        assert link.batches == []

    asyncio.run(scenario())


def test_quotes_that_stand_are_repeated_and_a_bar_follows_in_time_and_takes_over(write_recording: Write) -> None:
    async def scenario() -> None:
        link = kernel()
        async with running(MarketSource(path=write_recording(*LINES), quote_every_s=10), link):
            await asyncio.sleep(0)
            link.clock.ahead_ns += 11 * S  # type: ignore[attr-defined]
            await _more(link, 4)
            repeated = link.updates[3]
            assert isinstance(repeated, QuoteUpdate)
            assert repeated.quote.time_ns >= NOW_NS + 11 * S
            link.clock.ahead_ns += 60 * S  # type: ignore[attr-defined]
            await _more(link, 6)
            assert isinstance(link.updates[-1], BarUpdate)
            assert 0 <= link.updates[-1].candle.open_ns - (NOW_NS + 60 * S) < S
            count = len(link.updates)
            link.clock.ahead_ns += 60 * S  # type: ignore[attr-defined]
            await asyncio.sleep(0.05)
            assert len(link.updates) == count

    asyncio.run(scenario())


async def _more(link: Any, count: int) -> None:
    async with asyncio.timeout(10):
        while len(link.updates) < count:  # noqa: ASYNC110 - published without a word
            await asyncio.sleep(0.001)


def test_a_check_counts_its_lines_or_names_what_is_wrong(write_recording: Write, tmp_path: Path) -> None:
    async def scenario() -> None:
        (fine,) = await MarketSource(path=write_recording(*LINES)).checkup()
        assert fine.ok
        assert "4 lines of market" in fine.message
        (bad,) = await MarketSource(path=tmp_path / "nowhere").checkup()
        assert not bad.ok

    asyncio.run(scenario())


def test_it_is_a_live_source(tmp_path: Path) -> None:
    assert MarketSource(path=tmp_path).timeline() is None
