"""The code blocks of the documents: fenced, with the name of their language and nothing else on the fence.

A block that is no example, but part of one, says so on its fence (```` ```toml fragment ````) and is not executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from tests.house.tree import ROOT, files, short

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@frozen
class Block:
    """One block. `place` reads like ``docs/plugins.md:12``; `section` is the ``##`` heading above it, or empty."""

    place: str
    section: str
    language: str
    code: str

    def __str__(self) -> str:
        return self.place


def blocks_of(text: str, name: str) -> Iterator[Block]:
    """The blocks of one document, in order."""
    for match in _BLOCK.finditer(text):
        before = text[: match.start()]
        headings = re.findall(r"^## `?(.+?)`?$", before, re.MULTILINE)
        place = f"{name}:{before.count(chr(10)) + 1}"
        yield Block(place, headings[-1] if headings else "", match[1], match[2])


def documented() -> list[Block]:
    """The blocks of every document that people read."""
    paths = [path for path in files(".md") if "tests" not in path.parts or path.parent == ROOT]
    return [block for path in paths for block in blocks_of(path.read_text(encoding="utf-8"), short(path))]
