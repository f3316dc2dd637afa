"""What venues asked for is known to the next process: whole, on the disk, and never shortened."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.errors import JournalError
from framework.journal import Silences

S = 1_000_000_000


def test_a_silence_is_known_to_whoever_comes_next(tmp_path: Path) -> None:
    Silences(tmp_path / "state").asked("one", 60 * S, now_ns=S)
    later = Silences(tmp_path / "state")
    assert (later.until_ns("one"), later.until_ns("two")) == (60 * S, 0)


def test_a_shorter_silence_ends_no_longer_one(tmp_path: Path) -> None:
    silences = Silences(tmp_path)
    silences.asked("one", 60 * S, now_ns=S)
    silences.asked("one", 30 * S, now_ns=S)
    assert silences.until_ns("one") == 60 * S


def test_accounts_have_silences_of_their_own_and_those_that_are_over_are_dropped(tmp_path: Path) -> None:
    silences = Silences(tmp_path)
    silences.asked("one", 60 * S, now_ns=S)
    silences.asked("two", 90 * S, now_ns=2 * S)
    assert (silences.until_ns("one"), silences.until_ns("two")) == (60 * S, 90 * S)
    silences.asked("three", 120 * S, now_ns=70 * S)
    assert (silences.until_ns("one"), silences.until_ns("two")) == (0, 90 * S)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"one": "soon"}', '{"one": null}'])
def test_a_file_that_cannot_be_read_tells_of_no_silence_and_is_replaced(tmp_path: Path, content: str) -> None:
    silences = Silences(tmp_path)
    (tmp_path / "silences.json").write_text(content, encoding="utf-8")
    assert silences.until_ns("one") == 0
    silences.asked("one", 60 * S, now_ns=S)
    assert silences.until_ns("one") == 60 * S


def test_a_silence_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(JournalError, match="can't be written"):
        Silences(tmp_path / "state").asked("one", 60 * S, now_ns=S)
