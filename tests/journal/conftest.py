"""What most tests of the journal start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framework.journal import JournalReader
from tests.journal.history import HISTORY, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal may be."""
    return tmp_path / "journal.sqlite"


@pytest.fixture
def reader(path: Path) -> Iterator[JournalReader]:
    """A reader of the hand-made history."""
    write(path, *HISTORY)
    with JournalReader.open(path) as reader:
        yield reader
