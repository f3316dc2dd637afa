"""What a start reads, as SQL that is made once: peewee takes longer to write a query than SQLite to answer it.

Each function makes its query the first time that it is asked; what differs from one run to the next is `given`.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable
from typing import Any

from attrs import frozen
from peewee import AsIs, ModelSelect, SqliteDatabase

from . import models

OVER = ("closed", "failed")
"""The statuses of positions that nothing more can happen to."""

_DIALECT = SqliteDatabase(None)


@frozen
class _Given:
    """Stands for a value that is known only when the query is run."""

    name: str


@frozen(eq=False)
class Query:
    """SQL, its values in their order, and how each of its columns is called and read."""

    sql: str
    values: tuple[object, ...]
    columns: tuple[tuple[str, Callable[[Any], Any]], ...]

    def rows(self, connection: sqlite3.Connection, **given: object) -> list[dict[str, Any]]:
        """All rows, by column. Raises what the database raises, and ValueError for what no column of ours can hold.

        Read to the end at once: a transaction left open would keep the write-ahead log from being emptied.
        """
        values = [given[value.name] if isinstance(value, _Given) else value for value in self.values]
        return [
            {name: read(value) for (name, read), value in zip(self.columns, row, strict=True)}
            for row in connection.execute(self.sql, values).fetchall()
        ]


def _made(query: ModelSelect[Any]) -> Query:
    sql, values = query.bind(_DIALECT).sql()
    columns = tuple((column.name, column.python_value) for column in query.selected_columns)
    return Query(sql, tuple(values), columns)


def given(name: str) -> Any:
    """In place of a value that `Query.rows` is told. It is stored as it is told: a text or a number."""
    return AsIs(_Given(name), converter=False)


@functools.cache
def sessions() -> Query:
    """See `JournalReader.sessions`; so each of the others."""
    table = models.SessionTable
    return _made(table.select().order_by(table.seq))


@functools.cache
def waves() -> Query:
    """All waves."""
    table = models.WaveTable
    return _made(table.select().order_by(table.bar_time_ns, table.opened_ns, table.wave_id))


@functools.cache
def signals(*, of_wave: bool, with_outcome: bool) -> Query:
    """Given `wave_id` and `outcome`, where they matter."""
    table = models.SignalTable
    query = table.select().order_by(table.seq)
    if of_wave:
        query = query.where(table.wave_id == given("wave_id"))
    if with_outcome:
        query = query.where(table.outcome == given("outcome"))
    return _made(query)


@functools.cache
def known_signal_ids() -> Query:
    """The ids of what was not refused."""
    table = models.SignalTable
    return _made(table.select(table.signal_id).where(table.outcome != "refused"))


@functools.cache
def signals_taken_since() -> Query:
    """Given `since_ns`."""
    table = models.SignalTable
    taken = (table.outcome != "refused", table.created_ns >= given("since_ns"))
    return _made(table.select().where(*taken).order_by(table.seq))


@functools.cache
def newest_event(codes: int) -> Query:
    """Of so many codes, given as `code_0`, `code_1` and so on."""
    table = models.EventTable
    wanted = table.code.in_([given(f"code_{number}") for number in range(codes)])
    return _made(table.select().where(wanted).order_by(table.seq.desc()).limit(1))


@functools.cache
def open_snapshots() -> Query:
    """Given `since_ns`: what is over counts if it changed then or later. The column `body` is the newest fact's."""
    fact, position = models.FactTable, models.PositionTable
    recent = position.changed_ns >= given("since_ns")
    query = (
        position.select(position, fact.body)
        .join(fact, on=(fact.seq == position.seq))
        .where(position.status.not_in(OVER) | recent)
        .order_by(position.decided_ns, position.position_id)
    )
    return _made(query)
