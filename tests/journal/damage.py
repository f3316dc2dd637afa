"""Journals as a crash leaves them, and what can happen to their files afterwards."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from attrs import evolve, frozen

from framework.core.records import Record, SessionMode
from framework.journal.models import READ_MODELS
from framework.journal.store import Store
from tests.journal import history as h

LIVE = (evolve(h.SESSION, recorded=False, mode=SessionMode.LIVE), *h.HISTORY[1:-1])
"""The history as a live session would have it, before its end."""

FILES = ("", "-wal", ".mark")

Content = dict[str, list[tuple[Any, ...]]]


def write_and_die(path: Path, *groups: tuple[Record, ...]) -> None:
    """Write each group as one commit, and leave the files as the death of the process does: nothing folded in."""
    scratch = path.parent / "alive"
    scratch.mkdir()
    alive = scratch / path.name
    store = Store(alive)
    store.prepare({"binance": "binance", "bybit": "bybit"})
    store.connect()
    for number, group in enumerate(groups):
        store.write(group)
        if number == len(groups) // 2:
            store.checkpoint()
    for suffix in FILES:
        shutil.copyfile(alive.with_name(alive.name + suffix), path.with_name(path.name + suffix))
    store.close()
    shutil.rmtree(scratch)


def groups(size: int = 5) -> Iterator[tuple[Record, ...]]:
    """The live history in commits of this many records."""
    for start in range(0, len(LIVE), size):
        yield LIVE[start : start + size]


def fold_in(path: Path) -> None:
    """Move all of the write-ahead log into the database, as an orderly end does."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def copy(path: Path, directory: Path) -> Path:
    """The journal and its companions, in a directory of their own."""
    directory.mkdir(exist_ok=True)
    for suffix in FILES:
        source = path.with_name(path.name + suffix)
        if source.exists():
            shutil.copyfile(source, directory / source.name)
    return directory / path.name


def content(path: Path) -> Content:
    """All facts and read models, by a plain connection that knows nothing of chains. Raises `sqlite3.Error`."""
    tables = ["facts", *(model._meta.table_name for model in READ_MODELS)]
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table} NOT INDEXED").fetchall(), key=repr)  # noqa: S608
            for table in tables
        }
    finally:
        connection.close()


def execute(path: Path, *statements: str) -> None:
    """Change a journal behind its back; the triggers that guard the facts are taken away first."""
    connection = sqlite3.connect(path, isolation_level=None)
    for name in ("facts_refuse_update", "facts_refuse_delete", "facts_without_gaps"):
        connection.execute(f"DROP TRIGGER IF EXISTS {name}")
    for statement in statements:
        assert connection.execute(statement).rowcount != 0, statement
    connection.close()


@frozen
class Blow:
    """One thing that happens to one file: a bit is flipped, or the end is cut off."""

    suffix: str
    kind: str
    at: int

    def strike(self, path: Path) -> None:
        """Let it happen to the journal at `path`."""
        target = path.with_name(path.name + self.suffix)
        data = bytearray(target.read_bytes())
        if self.kind == "flip":
            data[self.at // 8] ^= 1 << self.at % 8
        else:
            del data[self.at :]
        target.write_bytes(data)


def blow(path: Path, seed: int) -> Blow:
    """A blow to one of the files that are there; it depends on the seed alone."""
    random = Random(seed)
    sizes = {each: file.stat().st_size for each in FILES if (file := path.with_name(path.name + each)).exists()}
    suffix = random.choice([each for each, size in sizes.items() if size])
    size = sizes[suffix]
    if random.random() < 0.8:
        return Blow(suffix, "flip", random.randrange(size * 8))
    return Blow(suffix, "cut", random.randrange(size))
