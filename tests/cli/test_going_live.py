"""Going live, as a user does it: both locks, journals apart, stops exercised only where no money is lost."""

from __future__ import annotations

import signal
import subprocess

import pytest

from framework import SessionMode
from framework.journal import JournalReader, journal_path
from tests.cli import real
from tests.cli.shell import COMMAND, ROOT, call, environment
from tests.hooks.stage import Stage

BRIEF = '[[signals]]\nuse = "brief"'


@pytest.fixture
def live(stage: Stage) -> Stage:
    """A stage with exchanges that call themselves real, none of them connected to yet."""
    stage.install("tests.cli.real")
    real.CONNECTED.clear()
    return stage


def account(use: str, *more: str, name: str = "main") -> str:
    return "\n".join([f"[exchanges.{name}]", f'use = "{use}"', "max_positions_per_wave = 1", *more])


def test_with_both_locks_a_real_venue_is_traded_on(live: Stage) -> None:
    config = live.write(signals=BRIEF, exchanges=account("real", "live = true"))

    result = call("run", "--config", config, "--live", "main")

    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("live: accounts main; signals brief (in real time); ")
    assert lines[-2:] == [
        "session ended: sources ended",
        "stays open: main BTCUSDT long 1.000, its stop at 94.01 stays at the venue",
    ]
    assert real.CONNECTED == ["main"]
    with JournalReader.open(journal_path(live.directory / "var")) as journal:
        assert journal.sessions()[-1].mode is SessionMode.LIVE


@pytest.mark.parametrize(
    ("lines", "words", "missing"),
    [
        ((), (), "set live = true in this table and start with --live main"),
        (("live = true",), (), "start with --live main"),
        ((), ("--live", "main"), "set live = true in this table"),
    ],
)
def test_without_either_lock_nothing_is_started(
    live: Stage, lines: tuple[str, ...], words: tuple[str, ...], missing: str
) -> None:
    config = live.write(signals=BRIEF, exchanges=account("real", *lines))

    result = call("run", "--config", config, *words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (f"error: {config}:4 [exchanges.main]: main is a real venue: to trade there, {missing}\n")
    assert real.CONNECTED == []
    assert not (live.directory / "var").exists()


def test_everything_that_is_wrong_is_told_at_once(live: Stage) -> None:
    accounts = [account("real"), account("venue", "live = true", name="paper")]
    config = live.write(signals="", exchanges="\n".join(accounts))

    result = call("run", "--config", config, "--live", "man")

    assert result.exit_code == 2
    assert [line.removeprefix(f"error: {config}").partition(": ")[0] for line in result.stderr.splitlines()] == [
        " [[signals]]",
        ":7 [exchanges.paper]",
        " [exchanges]",
        ":4 [exchanges.main]",
        "error",
    ]
    assert result.stderr.endswith("error: --live man: there is no account of that name; did you mean main?\n")
    assert not (live.directory / "var").exists()


def test_a_recording_is_not_told_how_to_trade_on_a_real_venue(live: Stage) -> None:
    config = live.write(exchanges=account("real"))

    result = call("run", "--config", config)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"error: {config}:4 [exchanges.main]: a recorded session must not trade on a real venue; "
        "use a simulated exchange for main, or `framework rehearse`\n"
    )


def test_paper_and_live_do_not_share_a_journal(live: Stage) -> None:
    assert call("run", "--config", live.write(signals=BRIEF)).exit_code == 0

    config = live.write(signals=BRIEF, exchanges=account("real", "live = true"))
    result = call("run", "--config", config, "--live", "main")

    assert result.exit_code == 2
    assert result.stderr == (
        f"error: {live.directory}/var/journal.sqlite: is the journal of a paper session; "
        "a live session needs a state directory of its own (--state DIR)\n"
    )
    assert real.CONNECTED == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_start_that_takes_for_ever_can_be_interrupted(live: Stage, number: int) -> None:
    config = live.write(signals=BRIEF, exchanges=account("unready", "live = true"))
    process = subprocess.Popen(
        [*COMMAND, "run", "--config", str(config), "--live", "main"],
        cwd=ROOT, env=environment(live), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "connecting\n"

    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)

    assert (process.returncode, stderr) == (0, "")
    assert stdout.splitlines() == ["let go", "session ended: interrupted"]


def test_a_start_that_takes_too_long_is_given_up(live: Stage) -> None:
    config = live.write(exchanges=account("stuck"))

    result = call("run", "--config", config, "--set", "framework.start_timeout_s=7")

    assert result.exit_code == 3
    assert result.stderr == (
        "error: main: could not start: no answer within 7 s; see to the network, or raise [framework] start_timeout_s\n"
    )


def test_an_account_that_is_never_reached_is_said_and_shows_in_the_exit_status(live: Stage) -> None:
    exchanges = "\n".join([account("real", "live = true"), account("away", "live = true", name="other")])
    config = live.write(signals=BRIEF, exchanges=exchanges)
    words = ("--live", "main", "--live", "other", "--set", "framework.data_timeout_s=1")

    result = call("run", "--config", config, *words)

    assert (result.exit_code, result.stderr) == (3, "error: never reached: other: no route to host\n")
    lines = result.stdout.splitlines()
    assert any("error: other: no route to host; nothing is opened there" in line for line in lines)
    assert lines[-1] == "stays open: main BTCUSDT long 1.000, its stop at 94.01 stays at the venue"


# ── check ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_real_venue_can_be_checked_before_it_is_live(live: Stage) -> None:
    config = live.write(signals=BRIEF, exchanges=account("production"))

    result = call("check", "--config", config)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[1:] == ["ok       main: 1 markets listed", "all 2 checks are fine"]


def test_a_check_finds_accounts_that_could_not_be_traded_together(live: Stage) -> None:
    config = live.write(signals=BRIEF, exchanges=account("real") + "\n" + account("venue", name="paper"))

    result = call("check", "--config", config)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "[exchanges]: real venues (main) and simulated exchanges (paper) would share a journal" in result.stderr


def test_stops_are_exercised_and_each_step_is_a_line(live: Stage) -> None:
    accounts = [account("testnet"), account("real", name="other")]
    config = live.write(signals=BRIEF, exchanges="\n".join(accounts))

    result = call("check", "--config", config, "--exercise-stops")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[1:] == [
        "ok       main: 1 markets listed",
        "ok       main stop placed: at 50.01, 1 tick",
        "ok       main stop cancelled: gone",
        "ok       other: 1 markets listed",
        "ok       other stops: not exercised: real has no way to do that",
        "all 6 checks are fine",
    ]


def test_a_simulated_exchange_has_no_stops_to_exercise(live: Stage) -> None:
    result = call("check", "--config", live.write(), "--exercise-stops")

    assert result.exit_code == 0
    assert "ok       main stops: not exercised: venue is a simulated exchange" in result.stdout.splitlines()


def test_stops_are_not_exercised_where_orders_cost_money(live: Stage) -> None:
    accounts = [account("production"), account("testnet", name="other")]
    config = live.write(signals=BRIEF, exchanges="\n".join(accounts))

    result = call("check", "--config", config, "--exercise-stops")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"error: {config}:4 [exchanges.main]: main is a production venue: orders cost money there, so its stops are "
        "not exercised; use the venue's testnet, or `framework rehearse`\n"
    )
    assert real.CONNECTED == []


def test_a_venue_that_is_not_ready_in_time_is_a_check_that_failed(live: Stage) -> None:
    result = call("check", "--config", live.write(exchanges=account("stuck")), "--set", "framework.start_timeout_s=7")

    assert result.exit_code == 1
    problem, summary = result.stdout.splitlines()[1:]
    assert problem.startswith("problem  main: could not start: no answer within 7 s; ")
    assert summary == "1 of 2 checks failed"
