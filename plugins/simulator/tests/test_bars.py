"""Recorded bars: the market walks through them on the running loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from framework import BarUpdate, Candle, FillSeen, Need, PositionSeen, Quote, Side, StopReport, StopSeen, StreamLost
from framework_simulator.engine.path import BarPath
from framework_simulator.paper import Paper

from .kit import ME, Told, d, kernel_entry, kernel_stop, on_virtual_time, paper, played

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
AR = "ARUSDT"


def _bar(open_: str, high: str, low: str, close: str, *, day: int = 0, account: str = ME) -> BarUpdate:
    candle = Candle(day * DAY_NS, (day + 1) * DAY_NS, d(open_), d(high), d(low), d(close), d(9))
    return BarUpdate(account, AR, "1d", candle)


async def _exchange(told: Told, side: Side | None, *, stop: str | None = None, **settings: Any) -> Paper:
    """A position of 2 ARUSDT at 3.5, watched; nothing told yet."""
    exchange = paper(**settings)
    await exchange.start(told.link())
    exchange.watch(frozenset({AR}))
    exchange.play(played(AR, "3.500"))
    if side is not None:
        wish = None if stop is None else kernel_stop(stop, symbol=AR, quantity="2", side=side)
        await exchange.place_entry(kernel_entry(AR, "2", side=side, stop=wish))
    told.take()
    return exchange


async def _until(told: Told, time_ns: int) -> None:
    await asyncio.sleep((time_ns - told.clock.now_ns()) / 1_000_000_000)


def _prices(told: list[Any]) -> list[tuple[float, str]]:
    return [(one[1].time_ns / HOUR_NS, str(one[1].last)) for one in told if isinstance(one, tuple)]


@pytest.mark.parametrize(
    ("side", "bar_path", "extremes"),
    [
        (Side.LONG, "worst-first", ["3.2", "3.9"]),
        (Side.SHORT, "worst-first", ["3.9", "3.2"]),
        (None, "worst-first", ["3.2", "3.9"]),
        (Side.LONG, "best-first", ["3.9", "3.2"]),
        (Side.SHORT, "best-first", ["3.2", "3.9"]),
    ],
)
def test_a_bar_is_told_point_by_point_at_its_quarters(
    side: Side | None, bar_path: BarPath, extremes: list[str]
) -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, side, bar_path=bar_path)
        exchange.play(_bar("3.4", "3.9", "3.2", "3.6"))
        await _until(told, DAY_NS)
        return told.take()

    first, second = extremes
    assert _prices(on_virtual_time(body)) == [(0, "3.4"), (6, first), (12, second), (18, "3.6")]


def test_bid_ask_last_and_mark_are_one_price_on_the_way() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, None)
        exchange.play(_bar("3.4", "3.9", "3.2", "3.6"))
        await _until(told, 7 * HOUR_NS)
        return told.take()

    assert on_virtual_time(body)[1] == (AR, Quote(d("3.2"), d("3.2"), d("3.2"), d("3.2"), 6 * HOUR_NS))


def test_an_open_beyond_the_stop_is_a_gap_that_fills_at_the_open() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, Side.LONG, stop="3.290")
        exchange.play(_bar("3.2", "3.9", "3.1", "3.6"))
        return told.take()

    stop, fill, position, _ = on_virtual_time(body)
    assert isinstance(stop, StopSeen)
    assert isinstance(fill, FillSeen)
    assert (str(fill.fill.price), fill.fill.time_ns) == ("3.200", 0)
    assert isinstance(position, PositionSeen)


def test_a_stop_between_open_and_extreme_fills_at_its_trigger_price_before_the_extreme_is_told() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, Side.LONG, stop="3.290")
        exchange.play(_bar("3.4", "3.9", "3.2", "3.6"))
        await _until(told, 7 * HOUR_NS)
        return told.take()

    opening, stop, fill, _, low = on_virtual_time(body)
    assert opening[1].last == d("3.4")
    assert stop == StopSeen(StopReport("s0", AR, False, None, None, "triggered"))
    assert isinstance(fill, FillSeen)
    assert (str(fill.fill.price), fill.fill.time_ns) == ("3.290", 6 * HOUR_NS)
    assert low[1].last == d("3.2")


def test_a_stop_moved_after_one_point_acts_on_the_way_to_the_next() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, Side.LONG, stop="3.290")
        exchange.play(_bar("3.5", "3.9", "3.4", "3.6"))
        await _until(told, 13 * HOUR_NS)
        await exchange.move_stop(kernel_stop("3.880", symbol=AR, quantity="2"))
        told.take()
        await _until(told, DAY_NS)
        return told.take()

    fills = [one.fill for one in on_virtual_time(body) if isinstance(one, FillSeen)]
    assert [(str(fill.price), fill.time_ns) for fill in fills] == [("3.880", 18 * HOUR_NS)]


def test_the_side_that_counts_is_the_one_held_after_the_opening_gap() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, Side.SHORT, stop="3.700")
        exchange.play(_bar("3.8", "3.9", "3.2", "3.6"))
        await _until(told, DAY_NS)
        return told.take()

    # The stop of the short fills in the gap at the open; flat from there on, the low comes first.
    assert [price for _, price in _prices(on_virtual_time(body))] == ["3.8", "3.2", "3.9", "3.6"]


def test_what_happens_at_a_point_is_never_dated_before_it_even_by_a_coarse_clock() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, Side.LONG, stop="3.290")
        told.clock.grain_ns = HOUR_NS * 5
        exchange.play(_bar("3.4", "3.9", "3.2", "3.6"))
        await asyncio.sleep(24 * 3600)
        return told.take()

    (fill,) = [one.fill for one in on_virtual_time(body) if isinstance(one, FillSeen)]
    assert fill.time_ns == 6 * HOUR_NS


def test_a_bar_is_a_candle_once_it_has_closed() -> None:
    async def body(told: Told) -> None:
        exchange = await _exchange(told, None)
        bar = _bar("3.4", "3.9", "3.2", "3.6")
        exchange.play(bar)
        needs = frozenset({Need.candles("1d", 1)})
        await _until(told, DAY_NS - 1_000_000)
        assert (await exchange.market_data(AR, needs)).candles["1d"] == ()
        await _until(told, DAY_NS)
        assert (await exchange.market_data(AR, needs)).candles["1d"] == (bar.candle,)

    on_virtual_time(body)


def test_bars_follow_one_another_and_a_new_one_takes_over_from_one_that_still_runs() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, None)
        exchange.play(_bar("3.4", "3.9", "3.2", "3.6"))
        await _until(told, DAY_NS)
        exchange.play(_bar("3.6", "3.7", "3.5", "3.6", day=1))
        await _until(told, DAY_NS + 7 * HOUR_NS)
        hour = Candle(DAY_NS + 7 * HOUR_NS, DAY_NS + 8 * HOUR_NS, d(4), d(4), d(4), d(4), d(1))
        exchange.play(BarUpdate(ME, AR, "1h", hour))
        await _until(told, 2 * DAY_NS)
        return told.take()

    prices = [price for _, price in _prices(on_virtual_time(body))]
    assert prices == ["3.4", "3.2", "3.9", "3.6", "3.6", "3.5", "4", "4", "4", "4"]


def test_a_bar_for_another_account_is_ignored() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, None)
        exchange.play(_bar("3.4", "3.9", "3.2", "3.6", account="other"))
        await _until(told, DAY_NS)
        return told.take()

    assert on_virtual_time(body) == []


def test_after_stop_the_market_stands_still() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, None)
        exchange.play(_bar("3.4", "3.9", "3.2", "3.6"))
        await exchange.stop()
        told.take()
        await _until(told, DAY_NS)
        return told.take()

    assert on_virtual_time(body) == []


def test_a_bar_that_can_not_be_walked_is_told_as_a_lost_stream() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, None)
        exchange.play(_bar("3.4", "3.9", "0", "3.6"))
        told.take()
        await _until(told, DAY_NS)
        return told.take()

    (lost,) = on_virtual_time(body)
    assert isinstance(lost, StreamLost)
    assert lost.why.startswith("ARUSDT: the recorded bar could not be walked through: prices must be positive")


# ── a clock that jumps, as in a rehearsal ───────────────────────────────────────────────────────────────────────


async def _leap(told: Told, exchange: Paper, to_ns: int) -> None:
    """The clock jumps; the loop's time does not."""
    await exchange.advance(to_ns)
    told.clock.start_ns += to_ns - told.clock.now_ns()


def test_prices_on_the_way_of_a_jump_are_told_each_at_its_instant() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, Side.LONG, stop="3.290")
        exchange.play(_bar("3.4", "3.9", "3.2", "3.6"))
        told.take()
        assert exchange.next_ns() == 6 * HOUR_NS
        await _leap(told, exchange, 13 * HOUR_NS)
        assert exchange.next_ns() == 18 * HOUR_NS
        return told.take()

    seen = on_virtual_time(body)
    assert _prices(seen) == [(6, "3.2"), (12, "3.9")]
    assert [one.fill.time_ns for one in seen if isinstance(one, FillSeen)] == [6 * HOUR_NS]


def test_after_a_jump_the_rest_of_a_bar_comes_as_much_earlier() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, None)
        exchange.play(_bar("3.4", "3.9", "3.2", "3.6"))
        await _leap(told, exchange, 17 * HOUR_NS)
        told.take()
        await _until(told, DAY_NS)
        assert exchange.next_ns() is None
        return told.take()

    assert _prices(on_virtual_time(body)) == [(18, "3.6")]


def test_markets_move_in_the_order_of_their_instants_on_the_way_of_a_jump() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, None)
        exchange.watch(frozenset({AR, "HFTUSDT"}))
        exchange.play(_bar("3.4", "3.9", "3.2", "3.6"))
        hours = Candle(0, 12 * HOUR_NS, d(1), d(1), d(1), d(1), d(1))
        exchange.play(BarUpdate(ME, "HFTUSDT", "12h", hours))
        told.take()
        await _leap(told, exchange, 13 * HOUR_NS)
        return told.take()

    assert [at for at, _ in _prices(on_virtual_time(body))] == [3, 6, 6, 9, 12]


def test_a_bar_that_can_not_be_walked_in_a_jump_is_told_as_a_lost_stream_and_left() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _exchange(told, None)
        exchange.play(_bar("3.4", "3.9", "0", "3.6"))
        told.take()
        await _leap(told, exchange, DAY_NS)
        assert exchange.next_ns() is None
        await asyncio.sleep(24 * 3600)
        return told.take()

    (lost,) = on_virtual_time(body)
    assert isinstance(lost, StreamLost)
