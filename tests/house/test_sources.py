"""What is written here stays readable, finished, and true on every machine."""

from __future__ import annotations

import re

import pytest

from tests.house.tree import files, short

LINES = 400
TEST_LINES = 600

# Each is put together from parts, so that this file does not find itself.
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.-])/(?:" + "|".join(("root", "work", "home", "Users")) + r")/",
    "the host of a package registry": "|".join(
        ("py" + r"pi\.", r"python" + r"hosted\.", r"(?:--|extra-)index" + "-url")
    ),
    "a document that does not ship": "|".join(("venue" + "-facts", "lessons" + r"\.md", "perf" + r"ormance\.md")),
    "work that is not done": r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME")) + r")\b",
}


def test_no_source_file_is_too_long_to_be_read() -> None:
    too_long = {}
    for path in files(".py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > (TEST_LINES if "tests" in path.parts else LINES):
            too_long[short(path)] = lines

    assert too_long == {}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = [
        f"{short(path)}:{number}: {line.strip()[:80]}"
        for path in files(".py", ".md", ".toml", ".txt", ".in", ".json", "")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(FORBIDDEN[what], line)
    ]

    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a path of somebody's machine", "see /" + "home/me/notes"),
        ("the host of a package registry", "https://py" + "pi.org/simple"),
        ("a document that does not ship", "see venue" + "-facts.md"),
        ("work that is not done", "# TO" + "DO: later"),
    ],
)
def test_what_is_forbidden_would_be_found(what: str, line: str) -> None:
    assert re.search(FORBIDDEN[what], line)
