"""The catalogue of faults: every test that it names is there, and what it can't test is told to users, too."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from tests.faults.catalogue import Fault, read_catalogue
from tests.house.tree import ROOT

CATALOGUE = read_catalogue()
SAFETY = ROOT / "docs" / "safety.md"
GROUPS = {
    "network": 16,
    "venue": 27,
    "orders": 16,
    "streams and time": 12,
    "process and storage": 18,
    "hostile input": 16,
}
"""How many faults each group has. A fault is added here, too: none is lost by accident."""


@pytest.fixture(scope="module")
def collected() -> frozenset[str]:
    """The node ids of all tests in the files that the catalogue names."""
    files = sorted({test.split("::")[0] for fault in CATALOGUE for test in fault.tests})
    words = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", *files]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stdout[-2_000:] + told.stderr[-2_000:]
    return frozenset(line for line in told.stdout.splitlines() if "::" in line)


def is_there(test: str, collected: frozenset[str]) -> bool:
    """Whether a test, or the part of it that is named in brackets, is among those that run."""
    name, _, part = test.partition("[")
    found = [node for node in collected if node.partition("[")[0] == name]
    return bool(found) if not part else any(part.rstrip("]") in node.partition("[")[2] for node in found)


def test_every_test_that_the_catalogue_names_is_there(collected: frozenset[str]) -> None:
    missing = [test for fault in CATALOGUE for test in fault.tests if not is_there(test, collected)]

    assert missing == []


def test_a_test_that_is_not_there_would_be_missed(collected: frozenset[str]) -> None:
    test = CATALOGUE[0].tests[0]

    assert is_there(test, collected)
    assert not is_there(test.replace("the request is lost", "the request is eaten"), collected)
    assert not is_there(test.replace("goes_astray", "is_eaten"), collected)


def test_a_fault_has_tests_or_a_reason_why_not() -> None:
    assert [fault.name for fault in CATALOGUE if bool(fault.tests) == bool(fault.untested)] == []
    assert [fault.name for fault in CATALOGUE if not fault.outcome] == []


def test_every_fault_stands_in_the_catalogue_once() -> None:
    assert [name for name, times in Counter(fault.name for fault in CATALOGUE).items() if times > 1] == []
    assert Counter(fault.group for fault in CATALOGUE) == GROUPS


def row(fault: Fault) -> str:
    """A fault that is not tested, as the document lists it."""
    return f"| {fault.name} | {fault.untested} |"


def test_the_document_lists_exactly_what_is_not_tested() -> None:
    text = SAFETY.read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- untested:begin -->")
    table, _, _ = rest.partition("<!-- untested:end -->")

    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert rows == [row(fault) for fault in CATALOGUE if fault.untested]


def test_the_document_says_how_many_faults_there_are() -> None:
    tested = sum(1 for fault in CATALOGUE if fault.tests)

    assert f"{len(CATALOGUE)} faults, {tested} of them tested" in SAFETY.read_text(encoding="utf-8")
