"""Reads the catalogue of faults, `catalogue.toml` beside this file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from attrs import frozen

FILE = Path(__file__).with_name("catalogue.toml")


@frozen
class Fault:
    """One fault in the field's words, and the outcome that it must have.

    `tests`: the node ids of the tests that let it happen; none exactly if `untested` says why.
    """

    group: str
    name: str
    outcome: str
    tests: tuple[str, ...] = ()
    untested: str = ""


def read_catalogue() -> tuple[Fault, ...]:
    """All faults, in their order. Raises `TypeError` for a field that there is not."""
    rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["fault"]
    return tuple(Fault(**{**row, "tests": tuple(row.get("tests", ()))}) for row in rows)
