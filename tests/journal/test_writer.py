"""Appending never waits, keeps the order, and whoever waits knows that it is on the disk."""

from __future__ import annotations

import asyncio
import resource
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from framework.core.records import Event, Record
from framework.errors import JournalError
from framework.journal import Journal, JournalReader, WriterKind
from framework.journal.store import PRAGMAS, Store
from framework.journal.writer import LONGEST_REST_S, SMALL
from tests.journal import history as h
from tests.journal.loop import in_loop

both_kinds = pytest.mark.parametrize("kind", list(WriterKind))

UNWRITABLE = attrs.evolve(h.step(h.TRAILED, 12, "e", ("a", "b")), snapshot={"bad": object()})


def event(number: int) -> Event:
    """An event that can be told from others."""
    return Event(number, "info", f"number {number}", "")


def codes(path: Path) -> list[str]:
    """The codes of all events, in the order of the journal."""
    with JournalReader.open(path) as reader:
        return [row.code for row in reader.events()]


class Spy:
    """Stands before `Store.write`: remembers how many records each transaction had, and can hold the writer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.reached = threading.Event()
        original = Store.write

        def write(store: Store, records: Sequence[Record]) -> None:
            self.reached.set()
            self.may_go_on.wait(timeout=30)
            self.sizes.append(len(records))
            original(store, records)

        monkeypatch.setattr(Store, "write", write)


@both_kinds
@in_loop
async def test_what_was_awaited_is_committed(path: Path, kind: WriterKind) -> None:
    journal = Journal.open(path, writer=kind)

    await journal.append(event(1), event(2))

    assert codes(path) == ["number 1", "number 2"]
    await journal.aclose()


@both_kinds
@in_loop
async def test_records_keep_the_order_of_the_calls(path: Path, kind: WriterKind) -> None:
    journal = Journal.open(path, writer=kind)

    for number in range(50):
        journal.append(event(number))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await journal.flushed()

    assert codes(path) == [f"number {number}" for number in range(50)]
    await journal.aclose()


@both_kinds
@in_loop
async def test_a_barrier_waits_for_everything_before_it(path: Path, kind: WriterKind) -> None:
    journal = Journal.open(path, writer=kind)
    first = journal.append(event(1))

    await journal.flushed()

    assert first.done()
    await journal.aclose()


@both_kinds
@in_loop
async def test_closing_writes_what_is_left(path: Path, kind: WriterKind) -> None:
    journal = Journal.open(path, writer=kind)
    waiting = [journal.append(event(number)) for number in range(10)]

    await journal.aclose()
    await journal.aclose()

    assert all(future.done() for future in waiting)
    assert len(codes(path)) == 10
    with pytest.raises(JournalError, match="has been closed"):
        await journal.append(event(11))


@both_kinds
@in_loop
async def test_a_waiter_that_was_cancelled_does_not_cancel_the_record(path: Path, kind: WriterKind) -> None:
    journal = Journal.open(path, writer=kind)

    journal.append(event(1)).cancel()
    await journal.append(event(2))

    assert codes(path) == ["number 1", "number 2"]
    await journal.aclose()


@both_kinds
@in_loop
async def test_listeners_get_every_durable_record_in_order(path: Path, kind: WriterKind) -> None:
    journal = Journal.open(path, writer=kind)
    seen: list[tuple[Record, int]] = []
    journal.on_durable.append(lambda record: seen.append((record, threading.get_ident())))

    journal.append(event(1), event(2))
    await journal.append(event(3))

    assert seen == [(event(number), threading.get_ident()) for number in (1, 2, 3)]
    await journal.aclose()


@both_kinds
@in_loop
async def test_a_listener_that_fails_is_reported_and_stops_nobody(path: Path, kind: WriterKind) -> None:
    journal = Journal.open(path, writer=kind)
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    seen: list[Record] = []

    def fail(record: Record) -> None:
        raise RuntimeError("broken listener")

    journal.on_durable += [fail, seen.append]
    await journal.append(event(1))

    assert seen == [event(1)]
    assert [str(problem["exception"]) for problem in problems] == ["broken listener"]
    await journal.aclose()


@both_kinds
@in_loop
async def test_a_full_disk_breaks_the_journal_loudly_and_for_good(
    path: Path, kind: WriterKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Journal.open(path, writer=kind).aclose()
    monkeypatch.setitem(PRAGMAS, "max_page_count", path.stat().st_size // 4096 + 2)  # noqa: ASYNC240
    journal = Journal.open(path, writer=kind)
    failures: list[JournalError] = []
    journal.on_failed.append(failures.append)
    durable: list[Record] = []
    journal.on_durable.append(durable.append)
    await journal.append(event(1))

    large = Event(2, "info", "large", "x" * 100_000)
    unseen = journal.append(event(3), large)
    with pytest.raises(JournalError, match="the disk is full"):
        await journal.append(event(4))
    with pytest.raises(JournalError, match="the disk is full"):
        await journal.append(event(5))

    assert isinstance(unseen.exception(), JournalError)
    assert [str(failure) for failure in failures] == [str(journal.failure)]
    assert durable == [event(1)]
    with pytest.raises(JournalError, match="the disk is full"):
        await journal.aclose()
    with JournalReader.open(path) as reader:
        assert [fact.record() for fact in reader.facts()] == durable


@both_kinds
@in_loop
async def test_a_record_that_cannot_be_written_down_breaks_the_journal_too(path: Path, kind: WriterKind) -> None:
    journal = Journal.open(path, writer=kind)

    with pytest.raises(JournalError, match="a record can't be written down"):
        await journal.append(event(1), UNWRITABLE)

    assert journal.failure is not None
    with pytest.raises(JournalError):
        await journal.aclose()
    assert codes(path) == []


@in_loop
async def test_inline_commits_once_for_each_turn_of_the_loop(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(monkeypatch)
    journal = Journal.open(path, writer=WriterKind.INLINE)

    journal.append(event(1))
    journal.append(event(2), event(3))
    await asyncio.sleep(0)
    journal.append(event(4))
    await asyncio.sleep(0)

    assert spy.sizes == [3, 1]
    await journal.aclose()


@in_loop
async def test_inline_starts_no_thread(path: Path) -> None:
    before = threading.active_count()
    journal = Journal.open(path, writer=WriterKind.INLINE)

    await journal.append(event(1))

    assert threading.active_count() == before
    await journal.aclose()


@in_loop
async def test_the_thread_takes_all_that_is_queued_as_one_transaction(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(monkeypatch)
    spy.may_go_on.clear()
    journal = Journal.open(path, writer=WriterKind.THREAD)
    journal.append(event(0))
    spy.reached.wait(timeout=30)

    for number in range(1, 101):
        journal.append(event(number))
    spy.may_go_on.set()
    await journal.flushed()

    assert spy.sizes[:2] == [1, 100]
    await journal.aclose()


@in_loop
async def test_after_a_small_transaction_the_thread_rests_as_long_as_it_took_within_a_bound(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, costs_s, rests_s = [0.0], [0.002, 3.0, 9.0], list[float]()
    original = Store.write

    def write(store: Store, records: Sequence[Record]) -> None:
        original(store, records)
        now_s[0] += costs_s.pop(0)

    monkeypatch.setattr(Store, "write", write)
    clock = SimpleNamespace(perf_counter=lambda: now_s[0], sleep=rests_s.append)
    monkeypatch.setattr("framework.journal.writer.time", clock)
    journal = Journal.open(path, writer=WriterKind.THREAD)

    await journal.append(event(1))
    await journal.append(*(event(number) for number in range(SMALL)))
    await journal.append(event(2))
    await journal.aclose()

    assert rests_s == [0.002, LONGEST_REST_S]


@in_loop
async def test_a_transaction_is_bounded_and_splits_no_call(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework.journal.writer.MAX_RECORDS_PER_COMMIT", 10)
    spy = Spy(monkeypatch)
    spy.may_go_on.clear()
    journal = Journal.open(path, writer=WriterKind.THREAD)
    journal.append(event(0))
    spy.reached.wait(timeout=30)

    for number in range(5):
        journal.append(*(event(number * 4 + offset) for offset in range(4)))
    spy.may_go_on.set()
    await journal.flushed()

    assert [size for size in spy.sizes if size] == [1, 12, 8]
    await journal.aclose()


@both_kinds
@in_loop
async def test_a_disk_that_takes_no_more_is_named_as_the_reason(path: Path, kind: WriterKind) -> None:
    journal = Journal.open(path, writer=kind)
    await journal.append(event(1))

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        with pytest.raises(JournalError, match="disk I/O error"):
            await journal.append(event(2))
        with pytest.raises(JournalError):
            await journal.aclose()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@in_loop
async def test_appending_does_not_wait_for_a_slow_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(monkeypatch)
    spy.may_go_on.clear()
    journal = Journal.open(path, writer=WriterKind.THREAD)

    future = journal.append(event(1))
    await asyncio.sleep(0)

    assert not future.done()
    spy.may_go_on.set()
    await future
    await journal.aclose()


def test_the_thread_outlives_a_loop_that_is_gone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(monkeypatch)
    spy.may_go_on.clear()
    opened: list[Journal] = []

    async def abandon() -> None:
        opened.append(Journal.open(path, writer=WriterKind.THREAD))
        opened[0].append(event(1))

    async def close() -> None:
        await opened[0].aclose()

    asyncio.run(abandon())
    spy.may_go_on.set()
    asyncio.run(close())

    assert codes(path) == ["number 1"]


@in_loop
async def test_a_connection_that_fails_in_the_thread_fails_every_append(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(store: Store) -> None:
        raise JournalError("no connection")

    monkeypatch.setattr(Store, "connect", connect)
    journal = Journal.open(path, writer=WriterKind.THREAD)

    with pytest.raises(JournalError, match="no connection"):
        await journal.append(event(1))
    with pytest.raises(JournalError, match="no connection"):
        await journal.aclose()


@in_loop
async def test_a_reader_sees_what_has_been_committed_while_the_journal_is_open(path: Path) -> None:
    journal = Journal.open(path, writer=WriterKind.THREAD)
    with journal.reader() as reader:
        for number in range(3):
            await journal.append(event(number))
            assert len(reader.events()) == number + 1
    await journal.aclose()
