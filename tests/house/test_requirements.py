"""The pinned requirements hold everything that the distributions ask for, each version with its hashes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT, plugin_directories, project

REQUIREMENTS = ROOT / "requirements"
LOCKS = sorted(REQUIREMENTS.glob("*.txt"))


def asked() -> dict[str, set[str]]:
    """What the kernel and the shipped plugins ask for beside each other: the version ranges by name."""
    ranges: dict[str, set[str]] = {}
    for directory in (ROOT, *plugin_directories()):
        for text in project(directory)["dependencies"]:
            requirement = Requirement(text)
            if not requirement.name.startswith("framework"):
                ranges.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier))
    return ranges


def listed(path: Path) -> dict[str, set[str]]:
    """The version ranges by name of a file of requirements, without its comments and options."""
    lines = [line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    requirements = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return {canonicalize_name(each.name): {str(each.specifier)} for each in requirements}


def pinned(path: Path) -> dict[str, tuple[str, int]]:
    """The version and the number of hashes by name of a lock."""
    entries = re.split(r"^(?=[a-z0-9])", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found: dict[str, tuple[str, int]] = {}
    for entry in entries:
        head = re.match(r"([\w.-]+)==([\w.!+]+)", entry)
        if head:
            found[canonicalize_name(head[1])] = (head[2], entry.count("--hash=sha256:"))
    return found


def test_the_runtime_list_is_what_the_distributions_ask_for() -> None:
    assert listed(REQUIREMENTS / "run.in") == asked()


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_pins_what_its_list_asks_for(path: Path) -> None:
    versions = pinned(path)

    for name, ranges in listed(path.with_suffix(".in")).items():
        version, _ = versions[name]
        assert all(Requirement(f"{name}{each}").specifier.contains(version) for each in ranges), name


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_pinned_version_has_its_hashes(path: Path) -> None:
    versions = pinned(path)

    assert versions
    assert [name for name, (_, hashes) in versions.items() if hashes < 1] == []


def test_the_locks_agree_with_each_other() -> None:
    seen: dict[str, set[str]] = {}
    for path in LOCKS:
        for name, (version, _) in pinned(path).items():
            seen.setdefault(name, set()).add(version)

    assert {name: versions for name, versions in seen.items() if len(versions) > 1} == {}
