"""``framework run``: plays or trades, says what matters as it goes by, reports, and says what stays open."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve

from framework.app import EndUnwrittenError, OpenLine, SessionEnd, SessionStart
from framework.cli.output import console
from framework.cli.run_end import open_lines, print_report
from framework.cli.run_show import LiveShow, PlainShow, start_lines
from framework.cli.run_view import RunView
from framework.cli.tables import POSITION_HEADINGS
from framework.core.records import Record, SessionMode
from framework.errors import JournalError
from tests.cli.shell import COMMAND, ROOT, call, environment
from tests.hooks.stage import Stage
from tests.journal.history import HISTORY, NAKED, NEXT_BAR, SESSION, WAVE, place, refused, step, write

ONLY_BASE = '[plugins]\nload = ["base"]'
LIVE = '[[signals]]\nuse = "waiting"'
FAILING = '[[signals]]\nuse = "failing"'

FLAT = {"status": "closed", "closed_ns": NEXT_BAR}
REPORT = "1 received, 1 adapted, 1 attempted, 1 opened, 1 protected, 0 not needed"


@pytest.fixture
def live(stage: Stage) -> Stage:
    """A stage with sources in real time."""
    stage.install("tests.cli.waiting")
    return stage


def test_a_recording_is_played_to_its_end_and_reported(stage: Stage) -> None:
    config = stage.write(plugins=ONLY_BASE)

    result = call("run", "--config", config)

    lines = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines[0] == (
        "paper: accounts main; signals once (a recording, in virtual time); "
        f"journal {stage.directory}/var/journal.sqlite"
    )
    assert any("main BTCUSDT: opened long 1.000 at 100.01, protected by a stop at 94.01" in line for line in lines)
    assert any(line.endswith(f"Z: {REPORT}") for line in lines)
    assert "session ended: recording ended" in lines
    assert lines[-1] == "stays open: main BTCUSDT long 1.000, simulated: it is gone with this process"


def test_running_again_keeps_the_journal_of_the_session_before_and_decides_the_same(stage: Stage) -> None:
    config = stage.write(plugins=ONLY_BASE)
    first = call("run", "--config", config).stdout.splitlines()

    again = call("run", "--config", config).stdout.splitlines()

    assert again[1].startswith(f"the journal of the session before is kept as {stage.directory}/var/sessions/")
    assert again[2:] == first[1:]


def test_the_state_directory_can_be_named(stage: Stage, tmp_path: Path) -> None:
    config, state = stage.write(plugins=ONLY_BASE), tmp_path / "elsewhere"

    assert call("run", "--config", config, "--state", state).exit_code == 0

    assert (state / "journal.sqlite").is_file()
    assert not (stage.directory / "var").exists()


def test_a_setting_can_be_overridden(stage: Stage) -> None:
    config = stage.write(plugins=ONLY_BASE)

    result = call("run", "--config", config, "--set", "exchanges.main.max_positions_per_wave=0")

    assert "1 received, 1 adapted, 0 attempted, 0 opened, 0 protected, 1 not needed" in result.stdout


def test_every_mistake_is_told_at_once_and_nothing_is_started(stage: Stage) -> None:
    config = stage.write(plugins=ONLY_BASE, sizing='[sizing]\nuse = "two"', nonsense="[nonsense]")

    result = call("run", "--config", config)

    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == ["error", "error"]
    assert "[nonsense]" in result.stderr
    assert "[sizing] use" in result.stderr
    assert not (stage.directory / "var").exists()


def test_a_session_that_failed_has_status_one(live: Stage) -> None:
    result = call("run", "--config", live.write(signals=FAILING))

    assert result.exit_code == 1
    assert result.stderr == (
        "error: the session failed: signal source failing ended: ConnectionError: nobody sends signals here\n"
    )
    assert "no signals arrived" in result.stdout


def test_a_session_with_live_signals_and_a_recorded_one_do_not_share_a_journal(live: Stage) -> None:
    assert call("run", "--config", live.write()).exit_code == 0

    result = call("run", "--config", live.write(signals=LIVE))

    assert result.exit_code == 2
    assert "needs a state directory of its own (--state DIR)" in result.stderr


def test_a_session_whose_journal_breaks_says_so_at_once_and_in_the_end_what_was_open_and_why(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(
        deployment: object,
        *,
        live: object,
        on_start: object,
        on_record: Callable[[Record], None],
        on_broken: Callable[[JournalError], None],
    ) -> None:
        for record in HISTORY:
            on_record(record)
        error = JournalError("journal.sqlite: the disk is full; make room and start again")
        on_broken(error)
        raise error

    monkeypatch.setattr("framework.cli.commands.run.run_session", broken)

    result = call("run", "--config", stage.write(plugins=ONLY_BASE))

    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        "error: journal.sqlite: the disk is full; make room and start again; until then nothing is opened, and what is "
        "open stays protected",
        "stays open: bybit DOGUSDT long 134, WITHOUT a stop at the venue",
        "error: journal.sqlite: the disk is full; make room and start again",
    ]


def test_what_a_broken_journal_did_not_take_of_the_end_is_told_from_memory(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_now = OpenLine("bybit", "DOGUSDT", "long", Decimal(134), Decimal("0.21"))

    def broken(*arguments: object, on_record: Callable[[Record], None], **others: object) -> None:
        for record in HISTORY:
            on_record(record)
        error = JournalError("journal.sqlite: the disk is full; make room and start again")
        raise EndUnwrittenError(error, SessionEnd("interrupted", (open_now,), failed=True))

    monkeypatch.setattr("framework.cli.commands.run.run_session", broken)

    result = call("run", "--config", stage.write(plugins=ONLY_BASE))

    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        "stays open: bybit DOGUSDT long 134, its stop at 0.21 stays at the venue",
        "error: journal.sqlite: the disk is full; make room and start again; the end of the session is not written "
        "down",
    ]


def test_what_stays_open_is_told_even_when_the_report_cannot_be_made(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*arguments: object) -> None:
        raise JournalError("journal.sqlite: can't be read")

    monkeypatch.setattr("framework.cli.commands.run.print_report", unreadable)

    result = call("run", "--config", stage.write(plugins=ONLY_BASE))

    assert (result.exit_code, result.stderr) == (3, "error: journal.sqlite: can't be read\n")
    assert "stays open: main BTCUSDT long 1.000" in result.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_session_ends_in_order_and_says_what_stays_open(live: Stage, number: int) -> None:
    config = live.write(signals=LIVE)
    process = subprocess.Popen(
        [*COMMAND, "run", "--config", str(config)],
        cwd=ROOT, env=environment(live), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if "opened long" in line:
            break

    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)

    assert (process.returncode, stderr) == (0, "")
    assert stdout.splitlines()[-2:] == [
        "session ended: interrupted",
        "stays open: main BTCUSDT long 1.000, simulated: it is gone with this process",
    ]


def test_nobody_reading_any_more_does_not_end_a_session(stage: Stage) -> None:
    config = stage.write(plugins=ONLY_BASE)
    process = subprocess.Popen(
        [*COMMAND, "run", "--config", str(config)],
        cwd=ROOT, env=environment(stage), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stderr as stream:
        stderr = stream.read()

    assert (process.wait(timeout=30), stderr) == (0, "")
    report = json.loads(call("report", "--json", "--config", config).stdout)
    assert report["totals"]["opened"] == 1


def test_in_a_terminal_the_view_is_live_and_makes_room_for_the_report(stage: Stage) -> None:
    config = stage.write(plugins=ONLY_BASE)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    env = {**environment(stage), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [*COMMAND, "run", "--config", str(config)], cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)

    screen = _read_all(ours).decode()

    assert process.wait(timeout=30) == 0
    live, shown_again, report = screen.partition("\x1b[?25h")
    assert shown_again  # the cursor is back
    assert "accounts main" in live
    assert report.startswith("\r\x1b[1A\x1b[2K")  # the view is wiped out
    assert REPORT in report
    assert "stays open: main BTCUSDT long 1.000" in report


def _read_all(descriptor: int) -> bytes:
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(descriptor, 65_536)
        except OSError:  # how Linux says that the other side is gone
            part = b""
        if not part:
            os.close(descriptor)
            return b"".join(parts)
        parts.append(part)


def _start(state: Path, *, recorded: bool) -> SessionStart:
    return SessionStart(("binance",), ("waves",), recorded, state / "journal.sqlite", None, SessionMode.LIVE)


@pytest.mark.parametrize("show_type", [PlainShow, LiveShow])
def test_positions_of_an_earlier_run_are_shown_from_the_start(tmp_path: Path, show_type: Any) -> None:
    write(tmp_path / "journal.sqlite", *HISTORY)
    view = RunView()
    show = PlainShow(view) if show_type is PlainShow else LiveShow(view, console())

    show.start(_start(tmp_path, recorded=False))
    show.stop()

    assert list(view.positions) == [place(NAKED)]


def test_the_live_view_takes_records_in_and_remembers_the_noteworthy() -> None:
    view = RunView()
    show = LiveShow(view, console())

    for record in HISTORY:
        show.record(record)

    assert view.counts[WAVE, "binance"].received == 4
    snapshot, latest = show.copied()
    assert snapshot == view.snapshot()
    assert latest[-2].endswith("binance HFTUSDT: closed at 0.04499 by trailing-stop, PnL +0.0500 USD")


def test_what_a_session_is_stands_in_its_first_line(tmp_path: Path) -> None:
    assert start_lines(_start(tmp_path, recorded=False)) == [
        f"live: accounts binance; signals waves (in real time); journal {tmp_path}/journal.sqlite"
    ]


def test_the_report_of_a_run_is_about_this_session_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second = (evolve(SESSION, time_ns=NEXT_BAR), refused("9"), step(NAKED, 2000, "flat", ("open", "closed"), **FLAT))
    write(tmp_path / "journal.sqlite", *HISTORY, *second)
    view = RunView()
    for record in second:
        view.apply(record)
    deployment: Any = SimpleNamespace(state=tmp_path)

    print_report(deployment, view)

    assert [line.split() for line in capsys.readouterr().out.splitlines() if line and "──" not in line] == [
        ["unusable:", "signal", "9", "from", "recording:", "not", "JSON"],
        " ".join(POSITION_HEADINGS).split(),
        ["bybit", "DOGUSDT", "long", "closed", "134", "-", "-", "-", "-", "-", "-", "2"],
        ["no", "signals", "arrived"],
    ]


@pytest.mark.parametrize(
    ("simulated", "stop", "text"),
    [
        (False, Decimal("0.0419"), "its stop at 0.0419 stays at the venue"),
        (False, None, "WITHOUT a stop at the venue"),
        (True, Decimal("0.0419"), "simulated: it is gone with this process"),
    ],
)
def test_what_stays_open_is_said_with_what_becomes_of_its_stop(
    simulated: bool, stop: Decimal | None, text: str
) -> None:
    component = SimpleNamespace(capabilities=SimpleNamespace(simulated=simulated))
    deployment: Any = SimpleNamespace(exchanges=[SimpleNamespace(name="main", component=component)])

    assert list(open_lines(deployment, [OpenLine("main", "HFTUSDT", "long", Decimal(134), stop)])) == [
        f"stays open: main HFTUSDT long 134, {text}"
    ]
