"""Reading the journal, also from another process while it is being written."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from peewee import ModelSelect, SqliteDatabase

from ..errors import JournalError
from . import chain, models, queries, rows, schema
from .queries import OVER, Query

T = TypeVar("T")

LEVELS = ("info", "warning", "error")
"""The levels of events, in rising order."""

NEVER_NS = 2**63 - 1


class JournalReader:
    """Queries on a read-only connection, for the thread that opened it. Each sees one consistent state.

    Every list is in the order in which things were recorded. All methods raise `JournalError` when the file can't
    be read.
    """

    def __init__(self, path: Path, database: SqliteDatabase) -> None:
        self._path = path
        self._database = database
        self._connection = schema.connection_of(database)

    @classmethod
    def open(cls, path: Path) -> JournalReader:
        """Open a journal for reading. Raises `JournalError`: missing, no journal, of another version."""
        if not path.is_file():
            raise JournalError(f"{path}: there is no journal yet; run the deployment first, or choose another state")
        try:
            database = schema.open_to_read(path)
        except schema.DATABASE_ERRORS as error:
            raise schema.error_of(path, error) from error
        try:
            schema.check(database, path)
        except (*schema.DATABASE_ERRORS, JournalError) as error:
            database.close()
            raise schema.error_of(path, error) from error
        return cls(path, database)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def __enter__(self) -> JournalReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def sessions(self) -> tuple[rows.SessionRow, ...]:
        """All sessions, oldest first."""
        return self._found(queries.sessions(), rows.SessionRow)

    def waves(self) -> tuple[rows.WaveRow, ...]:
        """All waves, oldest bar first."""
        return self._found(queries.waves(), rows.WaveRow)

    def signals(self, wave_id: str | None = None, outcome: str | None = None) -> tuple[rows.SignalRow, ...]:
        """What arrived as a signal: all, or those of one wave, or with one outcome. The refused are among them."""
        query = queries.signals(of_wave=wave_id is not None, with_outcome=outcome is not None)
        return self._found(query, rows.SignalRow, wave_id=wave_id, outcome=outcome)

    def signal(self, signal_id: str) -> rows.SignalRow | None:
        """The signal of this id; when every one that bore it was refused, the newest of those. None: never seen."""
        table = models.SignalTable
        query = _only(table.select(), signal_id=signal_id).order_by(table.outcome == "refused", table.seq.desc())
        return _first(self._rows(query.limit(1), rows.SignalRow))

    def refusals(self, signal_id: str) -> tuple[rows.SignalRow, ...]:
        """Everything that was refused under this id: malformed ones, and repetitions of a good one."""
        table = models.SignalTable
        query = table.select().order_by(table.seq)
        return self._rows(_only(query, signal_id=signal_id, outcome="refused"), rows.SignalRow)

    def known_signal_ids(self) -> frozenset[str]:
        """The ids of all signals that were taken in: what arrives again under one of them is a repetition."""
        return frozenset(row["signal_id"] for row in self._answer(queries.known_signal_ids()))

    def signals_taken_since(self, since_ns: int) -> tuple[rows.SignalRow, ...]:
        """The signals that were taken in and had been made since an instant, oldest first."""
        return self._found(queries.signals_taken_since(), rows.SignalRow, since_ns=since_ns)

    def decisions(self, signal_id: str | None = None) -> tuple[rows.DecisionRow, ...]:
        """The decisions about one signal, or all."""
        table = models.DecisionTable
        return self._rows(_only(table.select().order_by(table.seq), signal_id=signal_id), rows.DecisionRow)

    def positions(self, open_only: bool = False) -> tuple[rows.PositionRow, ...]:
        """All positions in the order of their decisions; `open_only` leaves out the closed and the failed."""
        table = models.PositionTable
        query = table.select().order_by(table.decided_ns, table.position_id)
        if open_only:
            query = query.where(table.status.not_in(OVER))
        return self._rows(query, rows.PositionRow)

    def position(self, position_id: str) -> rows.PositionRow | None:
        """One position, or None."""
        query = _only(models.PositionTable.select(), position_id=position_id)
        return _first(self._rows(query, rows.PositionRow))

    def orders(self, position_id: str | None = None) -> tuple[rows.OrderRow, ...]:
        """The requests of one position, or all."""
        table = models.OrderTable
        return self._rows(_only(table.select().order_by(table.seq), position_id=position_id), rows.OrderRow)

    def fills(self, position_id: str | None = None) -> tuple[rows.FillRow, ...]:
        """The executions of one position, or all."""
        table = models.FillTable
        return self._rows(_only(table.select().order_by(table.seq), position_id=position_id), rows.FillRow)

    def stop_moves(self, position_id: str | None = None) -> tuple[rows.StopMoveRow, ...]:
        """The changes of the wanted stop of one position, or all."""
        table = models.StopMoveTable
        return self._rows(_only(table.select().order_by(table.seq), position_id=position_id), rows.StopMoveRow)

    def events(self, level: str | None = None, limit: int | None = None) -> tuple[rows.EventRow, ...]:
        """Events of at least this level; with `limit` only the newest, still oldest first."""
        table = models.EventTable
        query = table.select().order_by(table.seq.desc())
        if level is not None:
            query = query.where(table.level.in_(LEVELS[LEVELS.index(level) :]))
        if limit is not None:
            query = query.limit(limit)
        return self._rows(query, rows.EventRow)[::-1]

    def newest_event(self, codes: Collection[str]) -> rows.EventRow | None:
        """The newest event that has one of these codes."""
        wanted = {f"code_{number}": code for number, code in enumerate(codes)}
        return _first(self._found(queries.newest_event(len(wanted)), rows.EventRow, **wanted))

    def events_about(self, signal_id: str, position_id: str | None = None) -> tuple[rows.EventRow, ...]:
        """The events that name a signal, or its position."""
        table = models.EventTable
        named = table.signal_id == signal_id
        if position_id is not None:
            named = named | (table.position_id == position_id)
        return self._rows(table.select().where(named).order_by(table.seq), rows.EventRow)

    def facts(
        self,
        after_seq: int = 0,
        signal_id: str | None = None,
        position_id: str | None = None,
        limit: int | None = None,
    ) -> tuple[rows.FactRow, ...]:
        """The records after number `after_seq`: all, or those of a position, or of a signal and its position."""
        table, signal = models.FactTable, models.SignalTable
        columns = (getattr(table, name) for name in chain.COLUMNS)
        query = table.select(*columns).where(table.seq > after_seq).order_by(table.seq)
        if signal_id is not None:
            # Named by the decision that planned it, so before its first request.
            owned = signal.select(signal.position_id).where(signal.signal_id == signal_id)
            query = query.where((table.signal_id == signal_id) | table.position_id.in_(owned))
        if position_id is not None:
            query = query.where(table.position_id == position_id)
        if limit is not None:
            query = query.limit(limit)
        return self._rows(query, rows.FactRow)

    def open_snapshots(self, changed_since_ns: int | None = None) -> tuple[rows.SnapshotRow, ...]:
        """The newest snapshot of every position that is neither closed nor failed: what a restart goes on from.

        With `changed_since_ns` also of those that are over, if they changed then or later: something of them may
        still be under way.
        """
        since_ns = NEVER_NS if changed_since_ns is None else changed_since_ns
        found = self._answer(queries.open_snapshots(), since_ns=since_ns)
        snapshots = [_snapshot_of(row.pop("body")) for row in found]
        return tuple(
            rows.SnapshotRow(rows.PositionRow(**row), snapshot) for row, snapshot in zip(found, snapshots, strict=True)
        )

    def _rows(self, query: ModelSelect[Any], row_type: type[T]) -> tuple[T, ...]:
        return tuple(row_type(**row) for row in self._dicts(query))

    def _found(self, query: Query, row_type: type[T], **given: object) -> tuple[T, ...]:
        return tuple(row_type(**row) for row in self._answer(query, **given))

    def _answer(self, query: Query, **given: object) -> list[dict[str, Any]]:
        try:
            return query.rows(self._connection, **given)
        except schema.DATABASE_ERRORS as error:
            raise schema.error_of(self._path, error) from error

    def _dicts(self, query: ModelSelect[Any]) -> list[dict[str, Any]]:
        try:
            # Read to the end at once: a transaction left open would keep the write-ahead log from being emptied.
            return list(query.bind(self._database).dicts())
        except schema.DATABASE_ERRORS as error:
            raise schema.error_of(self._path, error) from error


def _snapshot_of(body: str) -> Mapping[str, Any]:
    """The snapshot in a fact's text; empty where none can be read: then it is for the reader to do without."""
    try:
        snapshot = json.loads(body)["snapshot"]
    except (ValueError, KeyError, TypeError):
        return {}
    return snapshot if isinstance(snapshot, Mapping) else {}


def _only(query: ModelSelect[Any], **wanted: str | None) -> ModelSelect[Any]:
    for name, value in wanted.items():
        if value is not None:
            query = query.where(getattr(query.model, name) == value)
    return query


def _first(found: tuple[T, ...]) -> T | None:
    return found[0] if found else None
