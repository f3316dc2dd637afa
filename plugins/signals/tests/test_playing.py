"""The source `recording`: its settings, and what it delivers at which instant."""

from __future__ import annotations

import asyncio
import json
import selectors
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import cattrs
import pytest
from attrs import define, field

from framework import (
    BadSignal,
    BarUpdate,
    Batch,
    Candle,
    CandleUpdate,
    Checkable,
    Clock,
    MarketUpdate,
    OpenInterestUpdate,
    Quote,
    QuoteUpdate,
    Signal,
    Timeline,
)
from framework_signals import signal_sources
from framework_signals.instants import parse_instant
from framework_signals.recording import RecordingSource

Write = Callable[..., Path]

START = "2025-10-31T22:00:00Z"
HEADER = {"t": START, "kind": "recording", "version": 1, "title": "A test"}
END = {"t": "2025-11-02T00:00:00Z", "kind": "end"}
MARKET = {"account": "binance", "symbol": "HFTUSDT"}
QUOTE = {"t": "2025-10-31T22:48:41Z", "kind": "quote", **MARKET, "bid": "0.1", "ask": "0.2", "last": "0.15"}
SIGNAL = {
    "id": 7, "pair_symbol": "HFTUSDT", "recommended_action": "BUY", "score_week": 98.7, "score_month": 90.36,
    "timestamp": "2025-10-31T22:30:00+00:00", "created_at": "2025-10-31T22:48:01+00:00", "trading_pair_id": 1101,
    "exchange_id": 1, "score_week_filter": None, "score_month_filter": None, "max_trades_filter": None,
    "stop_loss_filter": None, "trailing_activation_filter": None, "trailing_distance_filter": None,
}  # fmt: skip
TEXT = json.dumps({"type": "signals", "data": [SIGNAL]})
MESSAGE = {"t": "2025-10-31T22:48:41.120Z", "kind": "message", "text": TEXT}


class JumpingSelector(selectors.DefaultSelector):
    """Never waits: when the loop would sleep until its next timer, the loop's time jumps there."""

    seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nobody is left who could ever wake the loop"
        self.seconds += max(timeout, 0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop on the time of a `JumpingSelector`."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.seconds


@define
class VirtualClock:
    """Shows `start_ns` when the loop starts, and runs with the loop."""

    start_ns: int

    def now_ns(self) -> int:
        return self.start_ns + int(asyncio.get_running_loop().time() * 1e9)


@define
class NotingLink:
    """A kernel that only notes what it gets, and when; taking a batch takes it `submit_s`."""

    clock: Clock
    submit_s: float = 0
    got: list[tuple[int, Batch | MarketUpdate]] = field(factory=list)

    async def submit(self, batch: Batch) -> None:
        self.got.append((self.clock.now_ns(), batch))
        await asyncio.sleep(self.submit_s)

    def publish(self, update: MarketUpdate) -> None:
        self.got.append((self.clock.now_ns(), update))

    async def until(self, t_ns: int) -> None:
        while (left_ns := t_ns - self.clock.now_ns()) > 0:  # noqa: ASYNC110 - time passes, nobody sets an event
            await asyncio.sleep(max(left_ns / 1e9, 1e-6))

    def tell(self, level: str, code: str, message: str) -> None:
        """A recording has nothing to say of itself."""


def play(source: RecordingSource, submit_s: float = 0) -> tuple[list[tuple[int, Batch | MarketUpdate]], int]:
    """What a link got, each with the clock's time in ns, and the time at which the source was done."""

    async def run() -> int:
        await source.run(link)
        return link.clock.now_ns()

    link = NotingLink(VirtualClock(source.timeline().start_ns), submit_s)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        ended_ns = runner.run(run())
    return link.got, ended_ns


def batches(source: RecordingSource) -> list[Batch]:
    return [what for _, what in play(source)[0] if isinstance(what, Batch)]


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_plugin_offers_its_sources() -> None:
    assert [source.name for source in signal_sources()] == ["recording", "websocket", "webhook", "jsonl", "market"]
    assert issubclass(RecordingSource, Checkable)


def test_the_settings_are_structured_from_a_table(write_recording: Write) -> None:
    path = write_recording(HEADER, END)

    source = cattrs.structure({"path": str(path), "speed": "0.5", "venues": {"1": "main"}}, RecordingSource)

    assert source == RecordingSource(path, "0.5", {"1": "main"})


@pytest.mark.parametrize(("speed", "expected"), [("max", None), ("1", Decimal(1)), ("0.5", Decimal("0.5"))])
def test_the_timeline_starts_with_the_header_at_the_chosen_speed(
    write_recording: Write, speed: str, expected: Decimal | None
) -> None:
    source = RecordingSource(write_recording(HEADER, END), speed)

    assert source.timeline() == Timeline(parse_instant(START), expected)


@pytest.mark.parametrize("speed", ["fast", "0", "-1", "NaN", "Infinity", "1000001", ""])
def test_an_impossible_speed_is_refused(speed: str) -> None:
    with pytest.raises(ValueError, match=r'must be "max" or a number up to 1000000 such as "1" or "60", got'):
        RecordingSource(Path("x"), speed)


@pytest.mark.parametrize("venues", [{"1": ""}, {"": "binance"}])
def test_a_venue_without_a_name_is_refused(venues: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="must name an account for each exchange_id"):
        RecordingSource(Path("x"), venues=venues)


def test_signals_go_to_the_accounts_that_venues_names(write_recording: Write) -> None:
    (batch,) = batches(RecordingSource(write_recording(HEADER, MESSAGE, END), venues={"1": "main"}))

    assert [signal.account for signal in batch.signals] == ["main"]


# ── playing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_is_delivered_in_order_at_its_instant(write_recording: Write) -> None:
    candle = {
        "t": "2025-10-31T22:48:00Z", "kind": "candle", **MARKET, "interval": "1m", "quote_volume": "10",
        "open_time": "2025-10-31T22:47:00Z", "open": "2", "high": "3", "low": "1", "close": "2.5",
    }  # fmt: skip
    interest = {"t": "2025-10-31T22:48:11Z", "kind": "open_interest", **MARKET, "usd": "5.5"}
    bar = {
        "t": "2025-11-01T00:00:00Z", "kind": "bar", **MARKET, "interval": "1d",
        "open": "2", "high": "3", "low": "1", "close": "2.5",
    }  # fmt: skip

    got, ended_ns = play(RecordingSource(write_recording(HEADER, candle, interest, QUOTE, MESSAGE, bar, END)))

    times = [parse_instant(str(line["t"])) for line in (candle, interest, QUOTE, MESSAGE, bar)]
    assert [time_ns for time_ns, _ in got] == times
    prices = (Decimal(2), Decimal(3), Decimal(1), Decimal("2.5"))
    minute_ns, day_ns = 60_000_000_000, 86_400_000_000_000
    assert [what for _, what in got if not isinstance(what, Batch)] == [
        CandleUpdate("binance", "HFTUSDT", "1m", Candle(times[0] - minute_ns, times[0], *prices, Decimal(10))),
        OpenInterestUpdate("binance", "HFTUSDT", Decimal("5.5")),
        QuoteUpdate(
            "binance", "HFTUSDT", Quote(Decimal("0.1"), Decimal("0.2"), Decimal("0.15"), Decimal("0.15"), times[2])
        ),
        BarUpdate("binance", "HFTUSDT", "1d", Candle(times[4], times[4] + day_ns, *prices, Decimal(0))),
    ]
    assert ended_ns == parse_instant(END["t"])


def test_a_quote_may_carry_its_mark_price_and_its_depth(write_recording: Write) -> None:
    deep = {**QUOTE, "mark": "0.14", "bid_quantity": "30", "ask_quantity": "40.5"}

    ((_, update),), _ = play(RecordingSource(write_recording(HEADER, deep, END)))

    assert isinstance(update, QuoteUpdate)
    assert (update.quote.mark, update.bid_quantity, update.ask_quantity) == (
        Decimal("0.14"),
        Decimal(30),
        Decimal("40.5"),
    )


def test_a_message_is_one_complete_batch_received_at_its_instant(write_recording: Write) -> None:
    (batch,) = batches(RecordingSource(write_recording(HEADER, MESSAGE, END)))

    (signal,) = batch.signals
    assert batch.complete
    assert isinstance(signal, Signal)
    assert (signal.id, signal.source) == ("7", "recording")
    assert signal.received_ns == parse_instant(MESSAGE["t"])


def test_a_message_may_lie_in_a_file_of_its_own(write_recording: Write) -> None:
    line = {"t": MESSAGE["t"], "kind": "message", "file": "sent.json"}

    (batch,) = batches(RecordingSource(write_recording(HEADER, line, END, sent=TEXT)))

    assert [signal.id for signal in batch.signals] == ["7"]


def test_what_is_no_json_is_refused_at_its_place_and_the_others_go_on(write_recording: Write) -> None:
    bad_message = {**MESSAGE, "text": "BUY HFTUSDT"}
    directory = write_recording(HEADER, QUOTE, '{"t": "2025-10-31T22:48', bad_message, MESSAGE, END)

    got, _ = play(RecordingSource(directory))

    first, second, third = (what.signals[0] for _, what in got if isinstance(what, Batch))
    assert isinstance(first, BadSignal)
    assert (first.code, first.raw) == ("no_json", '{"t": "2025-10-31T22:48')
    assert first.received_ns == parse_instant(QUOTE["t"])
    assert isinstance(second, BadSignal)
    assert (second.code, second.raw) == ("no_json", "BUY HFTUSDT")
    assert isinstance(third, Signal)


def test_bytes_that_are_no_text_are_refused_like_any_other_garbage(write_recording: Write) -> None:
    directory = write_recording(HEADER, MESSAGE, "GARBAGE", END)
    file = directory / "timeline.jsonl"
    file.write_bytes(file.read_bytes().replace(b"GARBAGE", b"\xff\xfe"))

    _, bad = batches(RecordingSource(directory))

    assert isinstance(bad.signals[0], BadSignal)
    assert bad.signals[0].code == "no_json"


def test_a_kernel_that_takes_its_time_delays_what_follows_and_loses_nothing(write_recording: Write) -> None:
    later = {**QUOTE, "t": "2025-10-31T22:48:42Z"}

    got, _ = play(RecordingSource(write_recording(HEADER, MESSAGE, later, END)), submit_s=10)

    assert [time_ns for time_ns, _ in got] == [
        parse_instant("2025-10-31T22:48:41.120Z"),
        parse_instant("2025-10-31T22:48:51.120Z"),
    ]


def test_playing_twice_delivers_the_same(write_recording: Write) -> None:
    directory = write_recording(HEADER, QUOTE, MESSAGE, END)
    source = RecordingSource(directory)

    assert play(source) == play(source) == play(RecordingSource(directory))


# ── checkup ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_checkup_tells_what_the_recording_holds(write_recording: Write) -> None:
    source = RecordingSource(write_recording(HEADER, QUOTE, MESSAGE, "garbage", END))

    (checkup,) = asyncio.run(source.checkup())

    assert checkup.ok
    assert checkup.message == (
        "A test: 2025-10-31T22:00:00.000+00:00 to 2025-11-02T00:00:00.000+00:00, 3 lines, 1 good signals, 1 bad"
    )
    assert checkup.numbers == {"lines": "3", "messages": "2", "signals": "1", "bad_signals": "1"}


def test_the_checkup_of_a_damaged_recording_names_each_mistake(write_recording: Write) -> None:
    directory = write_recording(HEADER, {**QUOTE, "bid": "9"}, {**QUOTE, "ask": "0"}, END)

    checkups = asyncio.run(RecordingSource(directory).checkup())

    assert [(checkup.ok, checkup.message) for checkup in checkups] == [
        (False, f"{directory}/timeline.jsonl:2: bid 9 is above ask 0.2"),
        (False, f'{directory}/timeline.jsonl:3: ask must be greater than 0, got "0"'),
    ]
