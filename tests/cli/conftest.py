"""What tests of commands start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.journal import journal_path
from tests.cli.shell import Shell
from tests.hooks.stage import stage
from tests.journal.history import HISTORY, write

__all__ = ["shell", "stage"]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Commands over the hand-made history."""
    write(journal_path(tmp_path), *HISTORY)
    return Shell(tmp_path)
