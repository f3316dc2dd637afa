"""The examples of components that do I/O do what the plugin author's guide says of them."""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from framework import BadSignal, Secret, Side, Signal
from framework.core.records import Decision, Event, Intent, Outcome, PositionChanged, SignalReceived, StopMoved
from framework.registry import Kind
from framework.testing import SourceProbe
from tests.docs.guide import fenced, section
from tests.docs.test_hook_examples import example
from tests.hooks.stage import Records, Stage

PLAYS_A_FALL = """
import asyncio
from decimal import Decimal
from typing import ClassVar

from attrs import frozen
from framework import Batch, Quote, QuoteUpdate, hookimpl, Timeline
from framework.testing import NOW_NS, make_quote, make_signal


@frozen
class Fall:
    "Two signals, then the prices, one every so many seconds."

    name: ClassVar[str] = "fall"

    prices: tuple[Decimal, ...]
    every_s: int = 1

    def timeline(self):
        return Timeline(NOW_NS)

    async def run(self, link):
        signals = tuple(make_signal(symbol, id=f"fall:{symbol}", account="main") for symbol in ("BTCUSDT", "DOTUSDT"))
        await link.submit(Batch(signals, complete=True))
        for price in self.prices:
            await asyncio.sleep(self.every_s)
            quote = make_quote(price, price, last=price, time_ns=link.clock.now_ns())
            link.publish(QuoteUpdate("main", "BTCUSDT", quote))
        await asyncio.sleep(5)


@hookimpl
def signal_sources():
    return [Fall]
"""


def play_prices(stage: Stage, *prices: str, **tables: str) -> Records:
    """A session of the documented exchange, while the price of BTCUSDT, 100 at first, goes through `prices`."""
    stage.site.add("fall", PLAYS_A_FALL)
    listed = ", ".join(f'"{price}"' for price in prices)
    return stage.play(
        plugins='[plugins]\nload = ["base", "fall", "acme"]',
        signals=f'[[signals]]\nuse = "fall"\nprices = [{listed}]',
        **tables,
    )


# ── exchanges ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_exchange_fills_the_entry_and_its_stop_closes_the_position(stage: Stage) -> None:
    stage.install_source(example(Kind.EXCHANGES, "python"))

    records = play_prices(stage, "101", "95", "93.5", exchanges=example(Kind.EXCHANGES, "toml"))

    last = records.of(PositionChanged)[-1].summary
    assert (last.status, last.entry_price, last.initial_stop_price) == ("closed", Decimal(100), Decimal(94))
    assert (last.exit_price, last.exit_reason) == (Decimal("93.5"), "six-percent")
    assert [each.action for each in records.of(Intent)] == ["entry", "stop"]
    assert [each for each in records.of(Event) if each.level != "info"] == []


def test_the_exchange_does_not_list_what_has_no_price(stage: Stage) -> None:
    stage.install_source(example(Kind.EXCHANGES, "python"))

    records = play_prices(stage, exchanges=example(Kind.EXCHANGES, "toml"))

    decisions = {(each.symbol, each.outcome, each.code) for each in records.of(Decision)}
    assert ("DOTUSDT", "rejected", "not_listed") in decisions
    assert ("BTCUSDT", "opened", "") in decisions


def test_the_exchange_refuses_what_it_does_not_take(stage: Stage) -> None:
    stage.install_source(example(Kind.EXCHANGES, "python"))
    stage.site.add("capped", example(Kind.EXECUTION, "python"))
    stage.site.add("fall", PLAYS_A_FALL)

    records = stage.play(
        plugins='[plugins]\nload = ["base", "fall", "capped", "acme"]',
        signals='[[signals]]\nuse = "fall"\nprices = []',
        exchanges=example(Kind.EXCHANGES, "toml"),
        execution=example(Kind.EXECUTION, "toml"),
    )

    (outcome,) = records.of(Outcome)
    assert (outcome.result, outcome.message.partition(":")[0]) == ("refused", "not_supported")
    assert "opened" not in {each.outcome for each in records.of(Decision)}


# ── protections ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_protection_lifts_the_stop_to_the_entry_price(stage: Stage) -> None:
    stage.install_source(example(Kind.PROTECTION, "python"))

    records = stage.play(protection=example(Kind.PROTECTION, "toml"))

    assert [str(each.to_price) for each in records.of(StopMoved)] == ["98.01", "100.01"]


def test_the_protection_closes_what_was_held_too_long(stage: Stage) -> None:
    stage.install_source(example(Kind.EXCHANGES, "python"))
    stage.site.add("fall", PLAYS_A_FALL)
    stage.site.add("step", example(Kind.PROTECTION, "python"))

    records = stage.play(
        plugins='[plugins]\nload = ["base", "fall", "step", "acme"]',
        signals='[[signals]]\nuse = "fall"\nprices = ["101", "101.5", "101"]\nevery_s = 3600',
        exchanges=example(Kind.EXCHANGES, "toml"),
        protection=example(Kind.PROTECTION, "toml"),
    )

    closed = records.of(PositionChanged)[-1]
    assert (closed.summary.status, closed.summary.exit_reason) == ("closed", "held_too_long")
    assert [each.action for each in records.of(Intent)] == ["entry", "stop", "close", "cancel-stop"]


# ── signal sources ──────────────────────────────────────────────────────────────────────────────────────────


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def listen(*lines: str) -> tuple[SourceProbe, list[bytes]]:
    """Send lines to the documented source; what it submitted, and what it answered."""
    namespace = namespace_of(Kind.SIGNALS)
    source = namespace["Listen"](account="main", port=free_port(), token=Secret("open sesame"))
    probe = SourceProbe()

    async def session() -> list[bytes]:
        serving = asyncio.ensure_future(source.run(probe))
        for _ in range(1000):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", source.port)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0)
        answers = []
        for line in lines:
            writer.write(line.encode() + b"\n")
            answers.append(await reader.readline())
        writer.close()
        await writer.wait_closed()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        return answers

    return probe, asyncio.run(session())


def namespace_of(kind: Kind) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(example(kind, "python"), namespace)  # noqa: S102 - our own document
    return namespace


GOOD = {"token": "open sesame", "id": 7, "symbol": "BTCUSDT", "side": "long", "bar_time_s": 1735732800, "score": 81.5}


def test_the_source_acknowledges_a_signal_that_it_has_submitted() -> None:
    probe, answers = listen(json.dumps(GOOD))

    (signal,) = probe.signals
    assert answers == [b"ok\n"]
    assert isinstance(signal, Signal)
    assert (signal.id, signal.account, signal.side, signal.score) == ("listen:7", "main", Side.LONG, Decimal("81.5"))


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[]",
        "{}",
        json.dumps({**GOOD, "token": "guessed"}),
        json.dumps({**GOOD, "score": float("nan")}),
        json.dumps({**GOOD, "score": 101}),
        json.dumps({**GOOD, "bar_time_s": 10**30}),
        json.dumps({**GOOD, "side": "up"}),
    ],
)
def test_the_source_hands_over_what_it_cannot_understand_as_a_bad_signal_and_goes_on(line: str) -> None:
    probe, answers = listen(line, json.dumps(GOOD))

    bad, good = probe.signals
    assert isinstance(bad, BadSignal)
    assert (bad.code, bad.raw) == ("not_a_signal", line.replace("open sesame", "***") + "\n")
    assert isinstance(good, Signal)
    assert answers == [b"ok\n", b"ok\n"]


# ── observers ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_observer_writes_the_kinds_of_records_that_are_wanted(stage: Stage) -> None:
    stage.install_source(example(Kind.OBSERVERS, "python"))

    records = stage.play(observers=example(Kind.OBSERVERS, "toml"))

    lines = (stage.directory / "records.jsonl").read_text(encoding="utf-8").splitlines()
    written = [json.loads(line) for line in lines]
    wanted = [each for each in records.everything if isinstance(each, Decision | PositionChanged)]
    assert [(each["kind"], each["time_ns"]) for each in written] == [
        (type(each).__name__, each.time_ns) for each in wanted
    ]


def test_the_observer_writes_everything_unless_kinds_are_named(stage: Stage) -> None:
    stage.install_source(example(Kind.OBSERVERS, "python"))

    records = stage.play(observers='[[observers]]\nuse = "json-lines"\nfile = "records.jsonl"')

    lines = (stage.directory / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(records.everything)
    assert any(json.loads(line)["kind"] == SignalReceived.__name__ for line in lines)


# ── commands ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_prints_what_the_guide_says() -> None:
    (command,) = namespace_of(Kind.COMMANDS)["commands"]()
    (shown,) = [block for block in fenced("sh", section("commands")) if "stop-price" in block]

    for line in shown.splitlines():
        words, _, answer = line.partition("#")
        result = CliRunner().invoke(command, words.split()[2:])
        assert (result.exit_code, result.output.strip()) == (0, answer.strip())


def test_the_command_refuses_what_is_no_number() -> None:
    (command,) = namespace_of(Kind.COMMANDS)["commands"]()

    result = CliRunner().invoke(command, ["NaN", "6"])

    assert result.exit_code == 2
    assert "expected a number above 0, got 'NaN'" in result.output


# ── testing ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_tests_that_the_guide_shows_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = fenced("python", section("Testing"))
    (tmp_path / "shown_tests.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    module = importlib.import_module("shown_tests")

    shown = [value for name, value in vars(module).items() if name.startswith("test_")]
    assert len(shown) == code.count("def test_") > 0
    for test in shown:
        test()
