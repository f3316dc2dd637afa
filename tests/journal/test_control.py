"""What an operator asks for is kept in files that outlast the process, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.errors import JournalError
from framework.journal import Control, FlattenWish, Halt
from framework.testing import NOW_NS


def test_nothing_is_asked_for_at_first(tmp_path: Path) -> None:
    control = Control(tmp_path / "var")
    assert (control.halted(), control.flatten_wanted(), control.resume()) == (None, None, None)
    control.take_flatten()


def test_a_halt_holds_until_it_is_taken_back(tmp_path: Path) -> None:
    Control(tmp_path / "var").halt("news", NOW_NS)
    assert Control(tmp_path / "var").halted() == Halt(NOW_NS, "news")
    assert Control(tmp_path / "var").resume() == Halt(NOW_NS, "news")
    assert Control(tmp_path / "var").halted() is None


def test_who_halted_first_is_remembered(tmp_path: Path) -> None:
    control = Control(tmp_path)
    control.halt("news", NOW_NS)
    control.halt("flatten", NOW_NS + 1)
    assert control.halted() == Halt(NOW_NS, "news")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"since_ns": "soon"}', b"\xff\xfe"])
def test_a_halt_that_can_not_be_read_is_a_halt(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "halt.json").write_bytes(content)
    halt = Control(tmp_path).halted()
    assert halt is not None
    assert "can't be read; `framework resume` removes it" in halt.reason
    Control(tmp_path).resume()
    assert Control(tmp_path).halted() is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"since_ns": 1, "strangers": true}'])
def test_a_wish_to_flatten_that_can_not_be_read_asks_for_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "flatten.json").write_bytes(content)
    assert Control(tmp_path).flatten_wanted() is None


def test_a_wish_to_flatten_is_there_until_it_is_taken_up(tmp_path: Path) -> None:
    control, wish = Control(tmp_path), FlattenWish(NOW_NS, "one", strangers=True)
    control.ask_to_flatten(wish)
    assert control.flatten_wanted() == wish
    control.take_flatten()
    assert control.flatten_wanted() is None


def test_nothing_is_left_beside_the_files(tmp_path: Path) -> None:
    control = Control(tmp_path)
    control.halt("news", NOW_NS)
    control.ask_to_flatten(FlattenWish(NOW_NS))
    assert {path.name for path in tmp_path.iterdir()} == {"halt.json", "flatten.json"}


def test_what_can_not_be_written_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    with pytest.raises(JournalError, match=r"halt\.json: can't be written: .*; make .*var writable"):
        Control(tmp_path / "var").halt("news", NOW_NS)
