"""Builds the example recording of the wave of 2025-10-31 from its sources.

    python tools/build_wave_recording.py SOURCE_DIR OUT_DIR

SOURCE_DIR holds

- ``signals.json``: the message as the wave server sent it; copied as it is. Its ``timestamp`` is the server's local
  time, four hours ahead of UTC, and taken for the instant of arrival;
- ``market.csv``: one row for each market before the wave: venue, symbol, documented, last, bid, ask, volume_1h_usd,
  open_interest_usd, change_5m_pct;
- ``daily_bars_after.csv``: symbol, day, open, high, low, close, in order of days.

OUT_DIR gets ``signals.json`` and ``timeline.jsonl``, whose format plugins/signals/README.md describes. The same
sources always give the same bytes. Only the standard library is used.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

SERVER_ZONE = timezone(timedelta(hours=4))
VENUES = {1: "binance", 2: "bybit"}
MINUTES_BEFORE = 5
OPEN_INTEREST_LEAD = timedelta(seconds=30)

Row = dict[str, str]
Line = dict[str, object]


def build(source: Path, out: Path) -> None:
    """Writes the recording of `source` into `out`, which is made if need be."""
    message = (source / "signals.json").read_bytes()
    signals = json.loads(message)
    arrived = datetime.fromisoformat(signals["timestamp"]).replace(tzinfo=SERVER_ZONE).astimezone(UTC)
    markets = rows(source / "market.csv")
    bars = rows(source / "daily_bars_after.csv")
    accounts = {signal["pair_symbol"]: VENUES[signal["exchange_id"]] for signal in signals["data"]}
    lines = [*before_wave(markets, arrived), {"t": stamp(arrived), "kind": "message", "file": "signals.json"}]
    lines += after_wave(bars, accounts)
    out.mkdir(parents=True, exist_ok=True)
    (out / "signals.json").write_bytes(message)
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    (out / "timeline.jsonl").write_text(text, encoding="utf-8", newline="\n")


def before_wave(markets: list[Row], arrived: datetime) -> Iterator[Line]:
    """What could be known of each market when the message arrived, instant by instant."""
    hour = arrived.replace(minute=0, second=0, microsecond=0)
    minute = arrived.replace(second=0, microsecond=0)
    second = arrived.replace(microsecond=0)
    yield {"t": stamp(hour), "kind": "recording", "version": 1, "title": f"The wave of {arrived.date()}"}
    for market in markets:
        yield candle(market, hour, timedelta(hours=1), market["last"], Decimal(market["volume_1h_usd"]))
    for ago in reversed(range(MINUTES_BEFORE)):
        for market in markets:
            opened = price_before(market) if ago == MINUTES_BEFORE - 1 else market["last"]
            yield candle(
                market, minute - ago * timedelta(minutes=1), timedelta(minutes=1), opened, share_of_minute(market)
            )
    for market in markets:
        usd = market["open_interest_usd"]
        yield {"t": stamp(second - OPEN_INTEREST_LEAD), "kind": "open_interest", **market_of(market), "usd": usd}
    for market in markets:
        prices = {name: market[name] for name in ("bid", "ask", "last")}
        yield {"t": stamp(second), "kind": "quote", **market_of(market), **prices}


def after_wave(bars: list[Row], accounts: dict[str, str]) -> Iterator[Line]:
    """The days that followed, each bar on the venue that the symbol's signal was for, and the end of the last one."""
    for bar in bars:
        prices = {name: bar[name] for name in ("open", "high", "low", "close")}
        market = {"account": accounts[bar["symbol"]], "symbol": bar["symbol"]}
        yield {"t": stamp(midnight(bar["day"])), "kind": "bar", **market, "interval": "1d", **prices}
    yield {"t": stamp(midnight(bars[-1]["day"]) + timedelta(days=1)), "kind": "end"}


def candle(market: Row, closed: datetime, length: timedelta, opened: str, volume: Decimal) -> Line:
    """A closed candle from `opened` straight to the market's last price."""
    last = market["last"]
    low, high = sorted((opened, last), key=Decimal)
    return {
        "t": stamp(closed),
        "kind": "candle",
        **market_of(market),
        "interval": "1h" if length == timedelta(hours=1) else "1m",
        "open_time": stamp(closed - length),
        "open": opened,
        "high": high,
        "low": low,
        "close": last,
        "quote_volume": str(volume),
    }


def price_before(market: Row) -> str:
    """The price from which the market moved by `change_5m_pct` to its last one, with the digits of the latter."""
    last = Decimal(market["last"])
    before = last / (1 + Decimal(market["change_5m_pct"]) / 100)
    return str(before.quantize(last, rounding=ROUND_HALF_UP))


def share_of_minute(market: Row) -> Decimal:
    """A sixtieth of the hour's volume, in whole USD."""
    return (Decimal(market["volume_1h_usd"]) / 60).quantize(Decimal(1), rounding=ROUND_HALF_UP)


def market_of(market: Row) -> Line:
    return {"account": market["venue"], "symbol": market["symbol"]}


def midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), tzinfo=UTC)


def stamp(instant: datetime) -> str:
    """ISO-8601 in UTC; milliseconds only where there are any."""
    text = instant.isoformat(timespec="milliseconds" if instant.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: build_wave_recording.py SOURCE_DIR OUT_DIR")
    build(Path(sys.argv[1]), Path(sys.argv[2]))
