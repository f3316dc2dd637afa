from __future__ import annotations

from pathlib import Path

import pytest

from tests.registry.packages import Site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An environment into which a test installs its own packages."""
    return Site(tmp_path / "site", monkeypatch)
