"""Tables never cut a value off: a pipe gets one line for each row, a narrow terminal gets folded cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.cli.output import marks
from framework.core.records import Event
from framework.journal import journal_path
from tests.cli.shell import Shell
from tests.journal.history import BAR, SESSION, write

MESSAGE = "word " * 60 + "end"


@pytest.fixture
def wordy(tmp_path: Path) -> Shell:
    """A journal with one very long message, which looks like rich's own markup, too."""
    write(journal_path(tmp_path), SESSION, Event(BAR, "error", "long", f"[red]{MESSAGE}[/red] :smile:"))
    return Shell(tmp_path)


def test_in_a_pipe_a_row_is_one_line_however_long(wordy: Shell) -> None:
    lines = wordy.lines("events")

    assert len(lines) == 3
    assert lines[2].endswith(f"[red]{MESSAGE}[/red] :smile:")


def test_what_is_too_wide_is_folded_and_nothing_is_lost(wordy: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")

    lines = wordy.lines("events")

    assert max(len(line) for line in lines) <= 100
    assert sum(line.count("word") for line in lines) == 60
    assert "…" not in "".join(lines)


def test_marks_are_signs_where_the_output_can_show_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert marks() == {"passed": "✓", "notice": "!", "rejected": "✗"}
