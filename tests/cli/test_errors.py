"""Errors are one line each on stderr, without a traceback, and the status says whose fault it is."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from framework import ConfigError, ExchangeError, MissingDataError, PluginError, Problem
from framework.cli.group import cli
from framework.core.records import Event
from framework.errors import JournalError
from framework.journal import journal_path
from tests.cli.shell import COMMAND, ROOT, Shell, call, environment
from tests.journal.history import BAR, HISTORY, write


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Makes `framework fail` a command that raises this error."""

    def install(error: Exception) -> None:
        @click.command("fail")
        def fail() -> None:
            raise error

        monkeypatch.setitem(cli.commands, "fail", fail)

    return install


@pytest.mark.parametrize(
    ("error", "status", "stderr"),
    [
        (
            ConfigError([Problem("config.toml:3 [sizing]", "is wrong"), Problem("--set x", "is no PATH=VALUE")]),
            2,
            "error: config.toml:3 [sizing]: is wrong\nerror: --set x: is no PATH=VALUE\n",
        ),
        (PluginError("acme", "one is broken\ntwo is missing"), 2, "error: one is broken\nerror: two is missing\n"),
        (ExchangeError("binance", "no answer"), 3, "error: binance: no answer\n"),
        (JournalError("journal.sqlite: in use"), 3, "error: journal.sqlite: in use\n"),
        (MissingDataError("book_top", "too old"), 1, "error: book_top: too old\n"),
    ],
)  # fmt: skip
def test_each_problem_is_one_line_and_the_status_says_whose_fault_it_is(
    failing: Callable[[Exception], None], error: Exception, status: int, stderr: str
) -> None:
    failing(error)

    result = call("fail")

    assert (result.exit_code, result.stdout, result.stderr) == (status, "", stderr)


def test_an_error_cannot_command_the_terminal(failing: Callable[[Exception], None]) -> None:
    failing(JournalError("a\x1b[2Jb\rc\ud800"))

    assert call("fail").stderr == "error: a\\x1b[2Jb\\rc\\ud800\n"


def test_a_bug_of_ours_is_one_line_that_says_so(failing: Callable[[Exception], None]) -> None:
    failing(KeyError("some\nkey"))

    result = call("fail")

    assert result.exit_code == 1
    assert result.stderr == (
        "internal error: KeyError: 'some\\nkey' (this is a bug; run with FRAMEWORK_DEBUG=1 for the traceback)\n"
    )


def test_the_traceback_of_a_bug_can_be_asked_for(
    failing: Callable[[Exception], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_DEBUG", "1")
    failing(KeyError("key"))

    stderr = call("fail").stderr

    assert stderr.startswith("Traceback (most recent call last)")
    assert stderr.splitlines()[-1].startswith("internal error: KeyError")


def test_wrong_usage_has_status_two() -> None:
    assert call("positions", "--frobnicate").exit_code == 2
    assert call("events", "--limit", "0").exit_code == 2


def test_the_version_is_printed() -> None:
    assert call("--version").output == "framework 0.1.0\n"


def test_a_state_directory_without_a_journal_says_to_run_first(tmp_path: Path) -> None:
    result = Shell(tmp_path)("positions")

    assert result.exit_code == 3
    assert result.stderr.startswith(f"error: {tmp_path}/journal.sqlite: there is no journal yet; run the deployment")
    assert result.stderr.count("\n") == 1


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    result = call("signals", "--config", tmp_path / "other.toml")

    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {tmp_path}/other.toml: can't be read: No such file")


def test_the_state_directory_is_read_from_the_configuration_alone(tmp_path: Path) -> None:
    # The rest of the file is wrong in every way, and none of it matters to what is only read.
    config = tmp_path / "config.toml"
    config.write_text('[framework]\nstate = "here"\n[plugins]\nload = ["not-installed"]\n[nonsense]\n')
    (tmp_path / "here").mkdir()
    write(tmp_path / "here" / "journal.sqlite", *HISTORY)

    assert call("events", "--config", config).exit_code == 0


def test_a_wrong_state_setting_is_one_line(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[framework]\nstate = 7\n")

    result = call("events", "--config", config)

    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {config}:2 [framework] state: ")


def test_the_real_command_ends_with_status_and_line_and_without_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "report", "--state", str(tmp_path)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error(shell: Shell) -> None:
    process = subprocess.Popen(
        [*COMMAND, "signals", "--json", "--state", str(shell.state)],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()

    with process.stderr as stderr:
        said = stderr.read()
    process.wait()

    assert said == ""


def test_what_the_output_cannot_show_is_escaped_and_no_error(tmp_path: Path) -> None:
    write(journal_path(tmp_path), *HISTORY, Event(BAR, "info", "listed", "\u5e01\u5b89USDT is listed"))

    def latin_lines(*words: str) -> list[str]:
        done = subprocess.run(
            [*COMMAND, *words, "--state", str(tmp_path)],
            cwd=ROOT, env={**environment(), "PYTHONIOENCODING": "iso8859-1", "PYTHONUTF8": "0"},
            capture_output=True, encoding="iso8859-1", check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    assert "  no sizing fixed-usd: too small" in latin_lines("explain", "4")
    assert latin_lines("events")[-1].endswith("\\u5e01\\u5b89USDT is listed")
