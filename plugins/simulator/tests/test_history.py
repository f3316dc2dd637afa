"""Recorded candles and open interest."""

from __future__ import annotations

from framework import Candle
from framework_simulator.history import KEPT_CANDLES, History

from .kit import d


def _candle(minute: int, close: int = 1) -> Candle:
    return Candle(minute * 60, (minute + 1) * 60, d(1), d(1), d(1), d(close), d(1))


def _opens(history: History, count: int, now: int) -> list[int]:
    return [candle.open_ns // 60 for candle in history.candles("BTCUSDT", "1m", count, now * 60)]


def test_the_last_closed_candles_are_told_oldest_first() -> None:
    history = History()
    for minute in (1, 2, 3):
        history.add_candle("BTCUSDT", "1m", _candle(minute))
    assert _opens(history, 2, 4) == [2, 3]
    assert _opens(history, 9, 4) == [1, 2, 3]


def test_a_candle_is_not_told_before_its_close() -> None:
    history = History()
    history.add_candle("BTCUSDT", "1m", _candle(1))
    assert history.candles("BTCUSDT", "1m", 1, 119) == ()
    assert _opens(history, 1, 2) == [1]


def test_a_late_or_corrected_candle_takes_its_place() -> None:
    history = History()
    for candle in (_candle(1), _candle(3), _candle(2), _candle(3, close=7)):
        history.add_candle("BTCUSDT", "1m", candle)
    assert _opens(history, 9, 9) == [1, 2, 3]
    assert history.candles("BTCUSDT", "1m", 1, 999)[0].close == 7


def test_markets_and_intervals_are_kept_apart() -> None:
    history = History()
    history.add_candle("BTCUSDT", "1m", _candle(1))
    assert history.candles("BTCUSDT", "5m", 1, 999) == ()
    assert history.candles("ETHUSDT", "1m", 1, 999) == ()


def test_only_so_many_candles_are_kept() -> None:
    history = History()
    for minute in range(KEPT_CANDLES + 5):
        history.add_candle("BTCUSDT", "1m", _candle(minute))
    assert _opens(history, KEPT_CANDLES + 5, KEPT_CANDLES + 9)[0] == 5


def test_the_newest_open_interest_counts() -> None:
    history = History()
    assert history.open_interest("BTCUSDT") is None
    history.set_open_interest("BTCUSDT", d(5))
    history.set_open_interest("BTCUSDT", d(7))
    assert history.open_interest("BTCUSDT") == 7
