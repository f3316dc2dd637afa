"""What the tests of this plugin share: recordings on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

WriteRecording = Callable[..., Path]


@pytest.fixture
def write_recording(tmp_path: Path) -> WriteRecording:
    """Writes a recording of these lines (objects, or text as it is), with files beside it; answers its directory."""

    def write(*lines: object, **files: str) -> Path:
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        (tmp_path / "timeline.jsonl").write_text(text + "\n")
        for stem, content in files.items():
            (tmp_path / f"{stem}.json").write_text(content)
        return tmp_path

    return write
