"""A damaged journal is kept as it is; the session goes on in a new one, and a person is asked where facts may lack."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from framework.core.records import SessionMode
from framework.errors import ConfigError, JournalError
from framework.journal import (
    Journal,
    JournalReader,
    Preparation,
    WriterKind,
    accept,
    prepare_journal,
    unaccepted,
    verify,
)
from framework.journal import recovery as recovery_module
from framework.journal.mark import mark_path
from framework.journal.store import Store
from tests.journal import damage, test_inspection
from tests.journal import history as h
from tests.journal.loop import in_loop
from tests.journal.test_inspection import COUNT, body_changed, journal, tail_removed, without_database

__all__ = ["journal"]

NOW_NS = h.BAR + 3600 * h.S

NOTHING_LOST = {
    "read_model_changed", "signal_forgotten", "position_closed", "identity_changed", "column_missing",
    "migration_forgotten", "index_incomplete",
}  # fmt: skip

each_damage = pytest.mark.parametrize("spoil", [spoil for spoil, *_ in test_inspection.SPOILED])


def prepare(path: Path, mode: SessionMode = SessionMode.LIVE, *, recorded: bool = False) -> Preparation:
    return prepare_journal(path, mode, recorded=recorded, now_ns=lambda: NOW_NS)


def files_of(path: Path) -> dict[str, bytes]:
    """What is in the files. Looking at a database leaves an empty write-ahead log behind."""
    named = {suffix: path.with_name(path.name + suffix) for suffix in damage.FILES}
    content = {suffix: file.read_bytes() for suffix, file in named.items() if file.exists()}
    return {suffix: data for suffix, data in content.items() if data or suffix != "-wal"}


def facts_of(path: Path) -> list[Any]:
    with JournalReader.open(path) as reader:
        return [fact.record() for fact in reader.facts()]


@each_damage
def test_the_session_goes_on_in_a_whole_journal_that_says_what_was_found(
    journal: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(journal)

    prepared = prepare(journal)

    assert verify(journal).damages == ()
    event = facts_of(journal)[-1]
    assert event.message == prepared.damage
    assert event.time_ns == NOW_NS
    assert event.message.startswith("the journal was damaged: ")
    assert str(journal.parent / "damaged" / "20251031T233000Z-1.sqlite") in event.message
    nothing_lost = spoil.__name__ in NOTHING_LOST
    assert (event.level, event.code) == (
        ("warning", "journal_mended") if nothing_lost else ("error", "journal_damaged")
    )
    assert prepared.entries_stopped == ("" if nothing_lost else event.message)
    if nothing_lost:
        assert facts_of(journal)[:-1] == list(damage.LIVE)


@each_damage
def test_the_damaged_files_are_kept_as_they_are(journal: Path, spoil: Callable[[Path], None]) -> None:
    spoil(journal)
    before = files_of(journal)

    prepare(journal)

    assert files_of(journal.parent / "damaged" / "20251031T233000Z-1.sqlite") == before


@pytest.mark.parametrize("folded", [False, True])
def test_all_facts_but_the_changed_one_are_taken_over(journal: Path, folded: bool) -> None:
    if folded:
        damage.fold_in(journal)
    body_changed(journal)

    prepared = prepare(journal)

    assert facts_of(journal)[:-1] == [*damage.LIVE[:17], *damage.LIVE[18:]]
    assert f"{COUNT - 1} facts were taken over" in prepared.damage


def test_what_a_restart_goes_on_from_is_taken_over(journal: Path) -> None:
    tail_removed(journal)  # and with it that one position was closed

    prepare(journal)

    with JournalReader.open(journal) as reader:
        found = {row.position.position_id for row in reader.open_snapshots()}
        assert found == {h.place(h.NAKED), h.place(h.TRAILED)}
        assert reader.known_signal_ids() >= {h.TRAILED.id, h.NAKED.id, h.FILTERED.id}


def test_nothing_of_a_foreign_journal_is_taken_over(journal: Path) -> None:
    test_inspection.foreign(journal)

    prepare(journal)

    assert len(facts_of(journal)) == 1


def test_entries_stay_stopped_until_a_person_has_accepted(journal: Path) -> None:
    body_changed(journal)
    first = prepare(journal)

    again = prepare(journal)
    assert (again.damage, again.entries_stopped) == ("", first.entries_stopped)
    assert accept(journal, NOW_NS + 1) == first.entries_stopped

    assert prepare(journal) == Preparation()
    assert accept(journal, NOW_NS + 2) == ""
    assert facts_of(journal)[-1].code == "journal_accepted"
    assert verify(journal).damages == ()


def test_what_was_accepted_does_not_count_for_the_next_damage(journal: Path) -> None:
    body_changed(journal)
    prepare(journal)
    accept(journal, NOW_NS)
    test_inspection.without_mark(journal)

    assert "journal.sqlite.mark is missing" in prepare(journal).entries_stopped


def test_a_second_damage_does_not_make_the_first_forgotten(journal: Path) -> None:
    body_changed(journal)
    first = prepare(journal)
    test_inspection.signal_forgotten(journal)

    second = prepare(journal)

    assert "nothing is lost" in second.damage
    assert second.entries_stopped == first.entries_stopped
    assert sorted(path.name for path in (journal.parent / "damaged").glob("*.sqlite")) == [
        "20251031T233000Z-1.sqlite",
        "20251031T233000Z-2.sqlite",
    ]


def test_a_journal_that_is_damaged_now_cannot_be_accepted(journal: Path) -> None:
    body_changed(journal)
    prepare(journal)
    damage.execute(journal, "UPDATE facts SET time_ns = 1 WHERE seq = 3")

    with pytest.raises(JournalError, match=r"1 of 45 facts are not as they were written \(3\)"):
        accept(journal, NOW_NS)
    assert unaccepted(journal)


@in_loop
async def test_the_session_can_write_in_the_new_journal(journal: Path) -> None:
    without_database(journal)
    prepare(journal)

    opened = Journal.open(journal, writer=WriterKind.INLINE)
    await opened.append(damage.LIVE[0])
    await opened.aclose()

    finding = verify(journal)
    assert (finding.facts, finding.damages) == (2, ())


@pytest.mark.parametrize("mode", [SessionMode.PAPER, SessionMode.REHEARSAL])
def test_sessions_that_start_anew_only_notice_the_damage(path: Path, mode: SessionMode) -> None:
    damage.write_and_die(path, (evolve(h.SESSION, mode=mode),), damage.LIVE[1:])
    body_changed(path)

    prepared = prepare(path, mode, recorded=True)

    assert "1 of 45 facts are not as they were written (18)" in prepared.damage
    assert prepared.entries_stopped == ""
    assert prepared.set_aside is not None
    assert not path.exists()
    assert prepare(path, mode, recorded=True) == Preparation()


def test_a_damaged_live_journal_is_not_taken_for_a_recorded_one(journal: Path) -> None:
    body_changed(journal)

    with pytest.raises(ConfigError, match="is the journal of a live session"):
        prepare(journal, SessionMode.PAPER, recorded=True)

    assert unaccepted(journal)


def test_a_directory_that_cannot_be_written_is_named(journal: Path) -> None:
    body_changed(journal)
    (journal.parent / "damaged").touch()

    with pytest.raises(JournalError, match=rf"{journal}: can't be recovered: File exists; make {journal.parent} writ"):
        prepare(journal)


def test_where_files_cannot_have_two_names_they_are_copied(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    body_changed(journal)
    before = files_of(journal)
    monkeypatch.setattr(os, "link", refuse)

    prepare(journal)

    assert files_of(journal.parent / "damaged" / "20251031T233000Z-1.sqlite") == before


# ── whose journal it is ─────────────────────────────────────────────────────────────────────────────────────


def open_and_close(path: Path, **accounts: str) -> None:
    @in_loop
    async def run() -> None:
        await Journal.open(path, writer=WriterKind.INLINE, accounts=accounts).aclose()

    run()


def test_an_account_that_is_another_one_now_is_refused(path: Path) -> None:
    open_and_close(path, binance="binance", bybit="bybit")

    with pytest.raises(ConfigError) as caught:
        open_and_close(path, binance="bybit", bybit="bybit")

    assert str(caught.value) == (
        f"{path}: is the journal of binance on binance, not on bybit; give it another name, or the deployment a "
        "state directory of its own (--state DIR)"
    )


def test_accounts_may_come_and_go(path: Path) -> None:
    open_and_close(path, binance="binance")
    open_and_close(path, bybit="bybit")
    open_and_close(path)

    with pytest.raises(ConfigError, match="of binance on binance, not on other"):
        open_and_close(path, binance="other")


def test_the_new_journal_is_that_of_the_same_accounts(journal: Path) -> None:
    body_changed(journal)
    prepare(journal)

    with pytest.raises(ConfigError, match="of binance on binance, not on other"):
        open_and_close(journal, binance="other")


# ── the process dies while it recovers ──────────────────────────────────────────────────────────────────────


class Crash(BaseException):
    """The process is gone."""


class Steps:
    """Counts the steps of a recovery that change files, and dies before the one of a given number."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, die_at: int) -> None:
        self.taken = 0
        self.die_at = die_at
        for owner, name in (
            (Path, "replace"),
            (Path, "unlink"),
            (os, "link"),
            (Store, "write"),
            (Store, "prepare"),
            (Store, "close"),
            (recovery_module, "sync_directory"),
        ):
            monkeypatch.setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            self.taken += 1
            if self.taken == self.die_at:
                raise Crash
            return original(*arguments, **options)

        return step


@pytest.mark.parametrize("spoil", [body_changed, tail_removed, without_database])
def test_wherever_a_recovery_is_interrupted_the_next_start_finishes_it(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None]
) -> None:
    source = tmp_path / "source" / path.name
    source.parent.mkdir()
    damage.write_and_die(source, *damage.groups(20))
    spoil(source)
    undisturbed = damage.copy(source, tmp_path / "undisturbed")
    prepare(undisturbed)
    expected = facts_of(undisturbed)[:-1]
    die_at, finished = 0, False
    while not finished:
        die_at += 1
        directory = tmp_path / str(die_at)
        struck = damage.copy(source, directory)
        before = files_of(struck)
        with monkeypatch.context() as patch:
            Steps(patch, die_at)
            try:
                prepare(struck)
                finished = True
            except Crash:
                pass

        prepared = prepare(struck)

        assert verify(struck).damages == (), die_at
        assert facts_of(struck)[: len(expected)] == expected, die_at
        assert prepared.entries_stopped, die_at
        kept = (directory / "damaged").glob("*.mark")
        assert before in [files_of(mark.with_name(mark.name.removesuffix(".mark"))) for mark in kept], die_at
        left = {each.name.removeprefix(path.name) for each in directory.iterdir() if each.is_file()}
        assert left <= {"", "-wal", "-shm", ".mark", ".lock"}, die_at
    assert die_at > 10


def test_a_recovery_in_which_the_new_journal_lost_its_place_is_not_taken_for_damage(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body_changed(journal)

    def crash(path: Path) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(recovery_module, "put_in_place", crash)
        with pytest.raises(Crash):
            prepare(journal)
    assert mark_path(journal).with_name("journal.sqlite.next.mark").exists()

    prepared = prepare(journal)

    assert prepared.damage == ""
    assert f"{COUNT - 1} facts were taken over" in prepared.entries_stopped
    assert len(list((journal.parent / "damaged").glob("*.sqlite"))) == 1
