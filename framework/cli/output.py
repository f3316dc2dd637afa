"""Printing: JSON, plain lines and tables that never cut a value off."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs
import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..journal import as_json
from .words import safe

UNBOUNDED = 10_000
"""The width of a pipe or a file: one row stays one line, whatever reads it."""


def console() -> Console:
    """Standard output. A terminal has its own width; elsewhere COLUMNS says it, or there is none."""
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else UNBOUNDED
    return Console(file=sys.stdout, width=width)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> Table:
    """Rows under headings; those columns in `right` are set to the right. What is too wide is folded, never cut."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        made.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(safe(cell)) for cell in row))
    return made


def table_lines(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> Iterator[str]:
    """A table as lines of text, as wide as standard output takes them."""
    screen = console()
    with screen.capture() as captured:
        screen.print(table(headings, rows, right=right))
    for line in captured.get().splitlines():
        yield line.rstrip()


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """Print a table to standard output."""
    for line in table_lines(headings, rows, right=right):
        click.echo(line)


def print_json(data: Any) -> None:
    """Print plain data as JSON."""
    click.echo(json.dumps(data, indent=2))


def print_rows_as_json(rows: Iterable[attrs.AttrsInstance]) -> None:
    """Print rows of the journal as a JSON array."""
    print_json([as_json(row) for row in rows])


def marks() -> dict[str, str]:
    """How passed, notice and rejected are marked: signs where the output can show them, else words."""
    signs = {"passed": "✓", "notice": "!", "rejected": "✗"}
    try:
        "".join(signs.values()).encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return {"passed": "ok", "notice": "notice", "rejected": "no"}
    return signs
