"""The builder of the example recording, on a small made-up wave, and the recording that it made."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from framework_signals.recording import RecordingSource

ROOT = Path(__file__).parents[2]
BUILDER = ROOT / "tools" / "build_wave_recording.py"
EXAMPLE = ROOT / "examples" / "wave-2025-10-31"

MESSAGE = """{"type": "signals", "timestamp": "2025-11-01T02:48:41.120000", "count": 1,
 "data": [{"pair_symbol": "AAAUSDT", "exchange_id": 2}]}"""
MARKET = """venue,symbol,documented,last,bid,ask,volume_1h_usd,open_interest_usd,change_5m_pct
bybit,AAAUSDT,yes,0.1234,0.1233,0.1234,600000,7000,-5.0
"""
BARS = """symbol,day,open,high,low,close
AAAUSDT,2025-11-01,0.12,0.13,0.11,0.125
AAAUSDT,2025-11-02,0.125,0.126,0.1,0.1
"""


def built(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "signals.json").write_text(MESSAGE)
    (source / "market.csv").write_text(MARKET)
    (source / "daily_bars_after.csv").write_text(BARS)
    out = tmp_path / "out"
    subprocess.run([sys.executable, str(BUILDER), str(source), str(out)], check=True)
    return out


def lines_of(recording: Path) -> list[dict[str, str]]:
    return [json.loads(text) for text in (recording / "timeline.jsonl").read_text().splitlines()]


def test_the_message_is_copied_to_the_byte_and_arrives_at_its_time_in_utc(tmp_path: Path) -> None:
    out = built(tmp_path)

    assert (out / "signals.json").read_text() == MESSAGE
    assert {"t": "2025-10-31T22:48:41.120Z", "kind": "message", "file": "signals.json"} in lines_of(out)


def test_the_market_before_the_wave_has_closed_candles_open_interest_and_a_quote(tmp_path: Path) -> None:
    lines = lines_of(built(tmp_path))
    hour, *minutes = [line for line in lines if line["kind"] == "candle"]

    assert (hour["open_time"], hour["t"], hour["quote_volume"]) == (
        "2025-10-31T21:00:00Z",
        "2025-10-31T22:00:00Z",
        "600000",
    )
    assert [line["open_time"][11:16] for line in minutes] == ["22:43", "22:44", "22:45", "22:46", "22:47"]
    assert {line["quote_volume"] for line in minutes} == {"10000"}
    assert [line["usd"] for line in lines if line["kind"] == "open_interest"] == ["7000"]
    quote = next(line for line in lines if line["kind"] == "quote")
    assert (quote["t"], quote["bid"], quote["ask"]) == ("2025-10-31T22:48:41Z", "0.1233", "0.1234")


def test_the_first_minute_opens_where_the_market_was_before_its_move(tmp_path: Path) -> None:
    minutes = [line for line in lines_of(built(tmp_path)) if line.get("interval") == "1m"]

    # 0.1234 / 0.95 = 0.12989…, with the digits of the last price.
    assert [line["open"] for line in minutes] == ["0.1299", "0.1234", "0.1234", "0.1234", "0.1234"]
    assert minutes[0]["high"] == "0.1299"
    assert {line["close"] for line in minutes} == {"0.1234"}


def test_each_day_begins_at_midnight_on_the_signals_venue_and_the_last_one_ends_the_session(tmp_path: Path) -> None:
    lines = lines_of(built(tmp_path))
    bars = [line for line in lines if line["kind"] == "bar"]

    assert [(line["t"], line["account"], line["low"]) for line in bars] == [
        ("2025-11-01T00:00:00Z", "bybit", "0.11"),
        ("2025-11-02T00:00:00Z", "bybit", "0.1"),
    ]
    assert lines[-1] == {"t": "2025-11-03T00:00:00Z", "kind": "end"}


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = built(tmp_path / "one"), built(tmp_path / "two")

    assert (one / "timeline.jsonl").read_bytes() == (two / "timeline.jsonl").read_bytes()


def test_the_shipped_recording_holds_57_good_signals_and_the_market_of_each_listed_one() -> None:
    checkups = asyncio.run(RecordingSource(EXAMPLE).checkup())

    assert [checkup.ok for checkup in checkups] == [True]
    assert checkups[0].numbers["signals"] == "57"
    assert checkups[0].numbers["bad_signals"] == "0"
    kinds = Counter(line["kind"] for line in lines_of(EXAMPLE))
    assert kinds["quote"] == kinds["open_interest"] == 56
    assert kinds["candle"] == 56 * 6
    assert kinds["bar"] == 9 * 12
