"""The observer `record`: what a live run saw, written as a recording that can be played again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from attrs import define, field

from framework import (
    INTERVALS_S,
    Checkup,
    MarketData,
    Quote,
    Record,
    SessionEnded,
    SessionStarted,
    Side,
    Signal,
    SignalReceived,
    SignalRefused,
    WaveDecided,
    not_negative,
    plain,
)

from .recording_file import TIMELINE, VERSION
from .wave_server import VENUES

SECOND_NS = 1_000_000_000
ACTIONS = {Side.LONG: "BUY", Side.SHORT: "SELL"}
NUMBERS: Mapping[str, str] = {account: number for number, account in VENUES.items()}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@define
class RecordObserver:
    """Write what a live session saw as a recording, for the source `recording`.

    Each session gets a directory of its own in `path`, named by its start. A wave is written once it is decided: the
    market that was fetched for it, then its signals as one message, at the instant at which they came, so that the
    recording decides on what was decided on. Prices of open positions follow, of each market one in `quote_every_s`
    seconds at the most (0: every one).
    """

    name: ClassVar[str] = "record"

    path: Path = field(metadata={"may_be_absent": True})
    quote_every_s: int = field(default=1, validator=not_negative)
    _file: Path | None = field(default=None, init=False)
    _last_ns: int = field(default=0, init=False)
    _waves: dict[str, list[Signal]] = field(factory=dict, init=False)
    _market: list[tuple[str, MarketData]] = field(factory=list, init=False)
    _ticks: list[tuple[str, str, Quote]] = field(factory=list, init=False)
    _written: dict[tuple[str, str], int] = field(factory=dict, init=False)

    def saw(self, account: str, data: MarketData) -> None:
        """Keep what a decision is about to be made on."""
        self._market.append((account, data))

    def ticked(self, account: str, symbol: str, quote: Quote) -> None:
        """Keep a price, unless the last one of its market was kept just before."""
        last_ns = self._written.get((account, symbol))
        if last_ns is None or quote.time_ns - last_ns >= self.quote_every_s * SECOND_NS:
            self._written[account, symbol] = quote.time_ns
            self._ticks.append((account, symbol, quote))

    async def observe(self, record: Record) -> None:
        """Write what is due."""
        match record:
            case SessionStarted():
                self._begin(record.time_ns)
            case SignalReceived():
                self._waves.setdefault(record.wave_id, []).append(record.signal)
            case SignalRefused() if record.bad.raw:
                self._write(record.bad.received_ns, "message", text=record.bad.raw)
            case WaveDecided():
                self._wave(record.wave_id)
            case SessionEnded():
                for wave_id in tuple(self._waves):
                    self._wave(wave_id)
                self._flush_ticks()
                self._write(record.time_ns, "end")
            case _:
                return
        if not self._waves:
            self._flush_ticks()

    async def checkup(self) -> tuple[Checkup, ...]:
        """Where it will write."""
        there = self.path.is_dir() or not self.path.exists()
        return (Checkup(self.name, ok=there, message=f"{self.path}: {'fine' if there else 'is no directory'}"),)

    def _begin(self, time_ns: int) -> None:
        directory = self.path / f"{_EPOCH + timedelta(microseconds=time_ns // 1000):%Y-%m-%dT%H-%M-%S-%f}"
        directory.mkdir(parents=True)
        self._file, self._last_ns = directory / TIMELINE, 0
        self._write(time_ns, "recording", version=VERSION, title="A live session")

    def _wave(self, wave_id: str) -> None:
        """The market first, then the signals: that is the order in which a decision needs them."""
        signals = self._waves.pop(wave_id, [])
        market, self._market = self._market, []
        candles = [each for _, data in market for several in data.candles.values() for each in several]
        at_ns = max([*(each.close_ns for each in candles), *(each.received_ns for each in signals), self._last_ns])
        for account, data in market:
            self._data(at_ns, account, data)
        if signals:
            message = {"type": "signals", "count": len(signals), "data": [_item(each) for each in signals]}
            self._write(at_ns, "message", text=json.dumps(message))

    def _data(self, at_ns: int, account: str, data: MarketData) -> None:
        where = {"account": account, "symbol": data.symbol}
        for interval, candles in data.candles.items():
            for each in (one for one in candles if one.close_ns - one.open_ns == INTERVALS_S[interval] * SECOND_NS):
                prices = {name: plain(getattr(each, name)) for name in ("open", "high", "low", "close", "quote_volume")}
                self._write(at_ns, "candle", **where, interval=interval, open_time=_text(each.open_ns), **prices)
        if data.open_interest_usd is not None:
            self._write(at_ns, "open_interest", **where, usd=plain(data.open_interest_usd))
        if data.quote is not None:
            self._quote(at_ns, account, data.symbol, data.quote)

    def _quote(self, at_ns: int, account: str, symbol: str, quote: Quote) -> None:
        prices = {name: plain(getattr(quote, name)) for name in ("bid", "ask", "last", "mark")}
        self._write(at_ns, "quote", account=account, symbol=symbol, **prices)

    def _flush_ticks(self) -> None:
        ticks, self._ticks = self._ticks, []
        for account, symbol, quote in ticks:
            self._quote(quote.time_ns, account, symbol, quote)

    def _write(self, time_ns: int, kind: str, **fields: Any) -> None:
        """One line; never before the line above it."""
        if self._file is None:
            return
        self._last_ns = max(self._last_ns, time_ns)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"t": _text(self._last_ns), "kind": kind, **fields}) + "\n")


def _item(signal: Signal) -> dict[str, object]:
    """A signal as a wave server would send it."""
    settings, scores = signal.settings, signal.scores
    return {
        "id": signal.id,
        "pair_symbol": signal.symbol,
        "recommended_action": ACTIONS[signal.side],
        "score_week": float(scores.get("week", signal.score)),
        "score_month": float(scores.get("month", 0)),
        "timestamp": _text(signal.bar_time_ns),
        "created_at": _text(max(signal.created_ns, signal.bar_time_ns)),
        "trading_pair_id": 0,
        "exchange_id": NUMBERS.get(signal.account, signal.account),
        "score_week_filter": _number(settings.min_scores.get("week")),
        "score_month_filter": _number(settings.min_scores.get("month")),
        "max_trades_filter": settings.max_positions,
        "stop_loss_filter": _number(settings.stop_percent),
        "trailing_activation_filter": _number(settings.trailing_activation_percent),
        "trailing_distance_filter": _number(settings.trailing_distance_percent),
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(getattr(value, "value", value))


def _text(time_ns: int) -> str:
    return (_EPOCH + timedelta(microseconds=time_ns // 1_000)).isoformat(timespec="microseconds")
