"""``framework rehearse``, as a user meets it: what it says, what it refuses, how it ends."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from framework import SessionMode
from framework.app import OpenLine
from framework.cli.run_end import open_lines
from framework.config import load_deployment, placeholder_from
from framework.journal import JournalReader, journal_path
from tests.cli.shell import call
from tests.hooks import test_stages as plugin
from tests.hooks.stage import Stage

TABLES = {"exchanges": plugin.FAR, "signals": plugin.SLOW}


@pytest.fixture
def config(stage: Stage) -> Path:
    """A deployment with an exchange that calls itself real, and a stage for it. Its key is nowhere to be found."""
    stage.install("tests.hooks.test_stages")
    plugin.Nearby.said.clear()
    return stage.write(**TABLES)


def test_it_says_first_what_it_is_where_everything_is_and_how_to_ask(config: Path) -> None:
    result = call("rehearse", "--config", config)

    assert (result.exit_code, result.stderr) == (0, "")
    journal = config.parent / "var" / "rehearsal" / "journal.sqlite"
    assert result.stdout.splitlines()[:4] == [
        "this is a rehearsal on the stage nearby: no real venue is reached, and no real key is used",
        "listening here",
        f"ask about it with: framework explain SIGNAL_ID --state {journal.parent}",
        "rehearsal: accounts main; signals slow (a recording, in real time but for the hours in which nothing "
        f"happens); journal {journal}",
    ]


def test_it_ends_with_a_report_and_what_was_open(config: Path) -> None:
    lines = call("rehearse", "--config", config).stdout.splitlines()

    assert "total: 1 opened, 0 closed, 1 still open" in next(line for line in lines if line.startswith("total"))
    assert lines[-2:] == [
        "session ended: recording ended",
        "stays open: main BTCUSDT long 1.000, rehearsed: it is gone with this process",
    ]


def test_what_was_rehearsed_can_be_asked_about_where_it_says(config: Path) -> None:
    call("rehearse", "--config", config)

    result = call("explain", "slow-1", "--state", config.parent / "var" / "rehearsal")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "slow-1" in result.stdout


def test_its_journal_is_one_of_its_own_below_the_state_directory(config: Path, tmp_path: Path) -> None:
    call("rehearse", "--config", config, "--state", tmp_path / "elsewhere")

    with JournalReader.open(journal_path(tmp_path / "elsewhere" / "rehearsal")) as journal:
        assert [session.mode for session in journal.sessions()] == [SessionMode.REHEARSAL]
    assert not journal_path(tmp_path / "elsewhere").exists()


def test_settings_can_be_overridden(config: Path) -> None:
    result = call("rehearse", "--config", config, "--set", "rehearsal.use=nearby", "--set", "rehearsal.town=there")

    assert result.stdout.splitlines()[1] == "listening there"


def test_it_ends_by_itself_after_so_many_seconds(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin.Nearby, "is_busy", lambda self: True)  # so that the hour passes in real time

    result = call("rehearse", "--config", config, "--for", "0.3")

    assert result.exit_code == 0
    assert "session ended: interrupted" in result.stdout


@pytest.mark.parametrize("seconds", ["0", "-1", "soon"])
def test_a_duration_that_is_none_is_bad_usage(config: Path, seconds: str) -> None:
    result = call("rehearse", "--config", config, "--for", seconds)

    assert result.exit_code == 2
    assert "'--for'" in result.stderr


def test_a_deployment_with_nothing_to_rehearse_is_refused_and_leaves_nothing_behind(stage: Stage) -> None:
    stage.install("tests.hooks.test_stages")

    result = call("rehearse", "--config", stage.write(signals=plugin.SLOW))

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"error: {stage.directory / 'config.toml'} [exchanges]: every enabled exchange is simulated, so there is "
        "nothing to rehearse; use `framework run`\n"
    )
    assert not (stage.directory / "var").exists()


def test_every_mistake_in_the_configuration_is_told_as_by_other_commands(stage: Stage) -> None:
    stage.install("tests.hooks.test_stages")
    config = stage.write(**TABLES, rehearsal='[rehearsal]\nuse = "nearby"\ntwon = "there"')

    result = call("rehearse", "--config", config)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "[rehearsal] twon: unknown" in result.stderr
    assert "town" in result.stderr


def test_a_configuration_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = call("rehearse", "--config", tmp_path / "absent.toml")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "absent.toml" in result.stderr


def test_run_still_needs_the_key_that_a_rehearsal_does_not(config: Path) -> None:
    result = call("run", "--config", config)

    assert result.exit_code == 2
    assert "missing secret: the environment variable FAR_KEY does not exist" in result.stderr


def test_a_stage_that_can_not_start_ends_with_its_reason(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from framework import ExchangeError

    async def taken(*_: object) -> None:
        raise ExchangeError("rehearsal", "no port can be had")

    monkeypatch.setattr(plugin.Nearby, "start", taken)

    result = call("rehearse", "--config", config)

    assert (result.exit_code, result.stderr) == (3, "error: rehearsal: no port can be had\n")
    assert plugin.Nearby.said == ["stop"]


def test_what_is_open_after_a_rehearsal_is_gone(config: Path) -> None:
    deployment = load_deployment(config, environ={}, exchange_secret=placeholder_from)
    line = OpenLine("main", "HFTUSDT", "long", Decimal(134), Decimal("0.04191"))

    assert list(open_lines(deployment, [line], SessionMode.REHEARSAL)) == [
        "stays open: main HFTUSDT long 134, rehearsed: it is gone with this process"
    ]
    assert list(open_lines(deployment, [line])) == [
        "stays open: main HFTUSDT long 134, its stop at 0.04191 stays at the venue"
    ]
