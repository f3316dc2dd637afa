"""``framework journal``: whether it can be trusted, and accepting what may be lost; and a run after damage."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from framework import SessionMode
from framework.journal import JournalReader, journal_path, prepare_journal
from framework.journal.mark import mark_path
from tests.cli import real
from tests.cli.shell import COMMAND, ROOT, Shell, call, environment
from tests.cli.test_going_live import BRIEF, account
from tests.hooks.stage import Stage
from tests.journal import damage
from tests.journal.history import HISTORY

COUNT = len(HISTORY)


@pytest.fixture
def damaged(tmp_path: Path) -> Shell:
    """Commands over a live journal of which one fact was changed."""
    path = journal_path(tmp_path)
    damage.write_and_die(path, *damage.groups())
    damage.execute(path, "UPDATE facts SET time_ns = time_ns + 1 WHERE seq = 5")
    return Shell(tmp_path)


def test_a_whole_journal_is_said_to_be_whole(shell: Shell) -> None:
    lines = shell.lines("journal", "verify")

    assert lines[0] == f"ok       {journal_path(shell.state)}: {COUNT} facts, all as they were written"
    assert lines[1].startswith("         digest ")
    assert len(lines) == 2


def test_a_whole_journal_as_data(shell: Shell) -> None:
    found = shell.json("journal", "verify")

    digest = found.pop("digest")
    assert shell.lines("journal", "verify")[1].endswith(digest)
    assert found == {
        "journal": str(journal_path(shell.state)),
        "whole": True,
        "facts": COUNT,
        "intact": COUNT,
        "problems": [],
    }


def test_each_problem_is_a_line_and_the_status_is_1(damaged: Shell) -> None:
    path = journal_path(damaged.state)
    mark_path(path).unlink()

    result = damaged("journal", "verify")

    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.splitlines() == [
        f"problem  {path}: journal.sqlite.mark is missing",
        f"problem  {path}: 1 of {len(damage.LIVE)} facts are not as they were written (5)",
    ]


def test_problems_as_data(damaged: Shell) -> None:
    result = damaged("journal", "verify", "--json")

    assert result.exit_code == 1
    assert '"whole": false' in result.stdout
    assert '"code": "changed"' in result.stdout


def test_without_a_journal_the_status_is_3(tmp_path: Path) -> None:
    for command in ("verify", "accept"):
        result = Shell(tmp_path)("journal", command)

        assert (result.exit_code, result.stdout) == (3, "")
        assert "there is no journal yet" in result.stderr


def test_a_journal_that_was_kept_can_be_verified_too(damaged: Shell) -> None:
    path = journal_path(damaged.state)
    prepare_journal(path, SessionMode.LIVE, recorded=False)
    (kept,) = (damaged.state / "damaged").glob("*.sqlite")

    assert damaged("journal", "verify").exit_code == 0
    result = damaged("journal", "verify", "--file", kept)
    assert result.exit_code == 1
    assert "facts are not as they were written (5)" in result.stdout


def test_accepting_tells_what_was_accepted(damaged: Shell) -> None:
    prepare_journal(journal_path(damaged.state), SessionMode.LIVE, recorded=False)

    first, second = damaged.lines("journal", "accept"), damaged.lines("journal", "accept")

    assert first[0].startswith("accepted: the journal was damaged: ")
    assert first[1] == "the next `framework run` opens positions again"
    assert second == ["nothing to accept: positions may be opened"]


def test_a_damaged_journal_is_first_recovered_by_a_run_and_then_accepted(damaged: Shell) -> None:
    result = damaged("journal", "accept")

    assert (result.exit_code, result.stdout) == (3, "")
    assert "facts are not as they were written (5); `framework run` has to recover it first" in result.stderr


# ── a run after damage ──────────────────────────────────────────────────────────────────────────────────────


def run_live(stage: Stage) -> tuple[int, str, str]:
    config = stage.write(signals=BRIEF, exchanges=account("real", "live = true"))
    result = call("run", "--config", config, "--live", "main")
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def live(stage: Stage) -> Stage:
    """A deployment whose live journal has lost its end."""
    stage.install("tests.cli.real")
    real.CONNECTED.clear()
    assert run_live(stage)[0] == 0
    path = journal_path(stage.directory / "var")
    damage.execute(path, "DELETE FROM facts WHERE seq = (SELECT max(seq) FROM facts)")
    return stage


def codes(stage: Stage) -> list[str]:
    with JournalReader.open(journal_path(stage.directory / "var")) as journal:
        return [row.code for row in journal.events()]


def test_a_live_run_goes_on_and_opens_nothing_until_the_damage_is_accepted(live: Stage) -> None:
    status, out, _ = run_live(live)
    assert status == 0
    assert "warning: the journal was damaged: " in out
    assert "no position is opened: the journal was damaged: " in out
    assert real.CONNECTED == ["main", "main"]  # what is open is looked after
    told = [code for code in codes(live) if code in ("journal_damaged", "entries_stopped")]
    assert told == ["journal_damaged", "entries_stopped"]

    assert call("journal", "accept", "--config", live.directory / "config.toml").exit_code == 0
    status, out, _ = run_live(live)
    assert status == 0
    assert "damaged" not in out


def test_an_account_on_another_venue_is_refused(live: Stage) -> None:
    run_live(live)
    config = live.write(signals=BRIEF, exchanges=account("production", "live = true"))

    result = call("run", "--config", config, "--live", "main")

    assert result.exit_code == 2
    assert "is the journal of main on real, not on production" in result.stderr
    assert real.CONNECTED == ["main", "main"]


def test_reading_works_while_the_journal_is_written(tmp_path: Path) -> None:
    writer = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from framework.journal import Journal, WriterKind\n"
        "from tests.journal.damage import LIVE\n"
        "async def main():\n"
        "    journal = Journal.open(Path(sys.argv[1]), writer=WriterKind.THREAD)\n"
        "    await journal.append(*LIVE)\n"
        "    print('written', flush=True)\n"
        "    while True:\n"
        "        await journal.append(LIVE[1])\n"
        "asyncio.run(main())\n"
    )
    words = [COMMAND[0], "-c", writer, str(journal_path(tmp_path))]
    with subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        for _ in range(3):
            assert Shell(tmp_path)("report").exit_code == 0
            assert Shell(tmp_path)("journal", "verify").exit_code == 0
        result = Shell(tmp_path)("journal", "accept")
        assert (result.exit_code, "is in use by process" in result.stderr) == (3, True)
        os.kill(process.pid, signal.SIGKILL)
