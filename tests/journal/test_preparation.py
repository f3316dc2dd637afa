"""Paper, recorded, live and rehearsal never share a journal; journals from before there were modes are paper's."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from attrs import evolve
from peewee import SqliteDatabase

from framework.core.records import SessionMode, SessionStarted
from framework.errors import ConfigError, JournalError
from framework.journal import Journal, JournalReader, WriterKind, codec, prepare_journal, rebuild, schema, verify
from framework.journal.mark import mark_path
from tests.journal import history as h
from tests.journal.loop import in_loop

KINDS = {
    "a recorded session": (SessionMode.PAPER, True),
    "a paper session": (SessionMode.PAPER, False),
    "a live session": (SessionMode.LIVE, False),
    "a rehearsal": (SessionMode.REHEARSAL, True),
}
AFRESH = {"a recorded session", "a rehearsal"}


def session(kind: str) -> SessionStarted:
    mode, recorded = KINDS[kind]
    return evolve(h.SESSION, mode=mode, recorded=recorded)


def prepare(path: Path, kind: str) -> Path | None:
    mode, recorded = KINDS[kind]
    return prepare_journal(path, mode, recorded=recorded).set_aside


def test_the_directory_is_made_and_there_is_no_journal_yet(tmp_path: Path) -> None:
    assert prepare(tmp_path / "deep" / "down" / "journal.sqlite", "a live session") is None

    assert list((tmp_path / "deep" / "down").iterdir()) == []


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="file/var: cannot be made: "):
        prepare(tmp_path / "file" / "var" / "journal.sqlite", "a paper session")


@pytest.mark.parametrize("was", KINDS)
@pytest.mark.parametrize("now", KINDS)
def test_a_journal_holds_sessions_of_one_kind_alone(path: Path, was: str, now: str) -> None:
    h.write(path, session(was))

    if was == now:
        prepare(path, now)
        return
    with pytest.raises(ConfigError) as caught:
        prepare(path, now)

    assert str(caught.value) == (
        f"{path}: is the journal of {was}; {now} needs a state directory of its own (--state DIR)"
    )
    with JournalReader.open(path) as reader:
        assert len(reader.facts()) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_recorded_sessions_and_rehearsals_start_afresh_and_the_others_go_on(path: Path, kind: str) -> None:
    h.write(path, session(kind))

    moved = prepare(path, kind)

    assert (moved is not None, path.exists()) == (kind in AFRESH, kind not in AFRESH)
    if moved is not None:
        assert moved.parent == path.parent / "sessions"


def test_a_rehearsal_without_a_recording_starts_afresh_too(path: Path) -> None:
    h.write(path, session("a rehearsal"))

    assert prepare_journal(path, SessionMode.REHEARSAL, recorded=False).set_aside is not None


@in_loop
async def test_a_journal_that_is_in_use_is_left_alone(path: Path) -> None:
    journal = Journal.open(path, writer=WriterKind.INLINE)

    with pytest.raises(JournalError, match="is in use by process"):
        prepare(path, "a paper session")

    await journal.aclose()


# ── journals from before there were modes ───────────────────────────────────────────────────────────────────


@pytest.fixture
def old(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal that the first schema made, with one session of live signals."""
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    shutil.copy(Path(schema.__file__).parent / "migrations" / "0001_journal.py", migrations)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "_MIGRATIONS", migrations)
        database = SqliteDatabase(str(path))
        with database.connection_context():
            schema.migrate(database, path)
    kind, body = codec.encode(session("a paper session"))
    fields = json.loads(body)
    del fields["mode"]
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO facts (seq, time_ns, kind, body) VALUES (1, ?, ?, ?)", (h.BAR, kind, json.dumps(fields))
    )
    connection.execute(
        "INSERT INTO sessions (seq, started_ns, version, config_digest, accounts, recorded)"
        " VALUES (1, ?, '0.1.0', 'abc', '[\"binance\",\"bybit\"]', 0)",
        (h.BAR,),
    )
    connection.commit()
    connection.close()
    return path


def mode_in(path: Path) -> SessionMode:
    with JournalReader.open(path) as reader:
        return reader.sessions()[0].mode


def test_an_old_journal_is_brought_up_to_date_and_its_sessions_were_on_paper(old: Path) -> None:
    assert prepare(old, "a paper session") is None

    assert mode_in(old) is SessionMode.PAPER


def test_the_facts_of_an_old_journal_are_chained(old: Path) -> None:
    prepare(old, "a paper session")

    finding = verify(old)
    assert (finding.facts, finding.checked, finding.damages) == (1, 1, ())


def test_the_facts_of_an_old_journal_are_as_append_only_as_before(old: Path) -> None:
    prepare(old, "a paper session")

    connection = sqlite3.connect(old)
    with pytest.raises(sqlite3.IntegrityError, match="facts are append-only"):
        connection.execute("UPDATE facts SET body = '{}'")
    connection.close()


def test_a_migration_that_is_interrupted_leaves_the_old_journal_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("framework.journal.chain.link", None)  # fails in the middle of the step
        with pytest.raises(TypeError):
            prepare(old, "a paper session")

    assert prepare(old, "a paper session") is None
    assert verify(old).damages == ()


def test_an_old_copy_from_before_there_were_marks_is_recognised(old: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer" / "journal.sqlite"
    newer.parent.mkdir()
    h.write(newer, session("a paper session"), *h.HISTORY[1:])
    shutil.copy(mark_path(newer), mark_path(old))

    prepared = prepare_journal(old, SessionMode.PAPER, recorded=False)

    assert "ends at fact 1, but journal.sqlite.mark tells of" in prepared.damage
    assert prepared.entries_stopped


def test_an_old_journal_is_refused_for_a_live_session(old: Path) -> None:
    with pytest.raises(ConfigError, match="is the journal of a paper session; a live session needs"):
        prepare(old, "a live session")


def test_the_facts_of_an_old_journal_can_still_be_read(old: Path) -> None:
    assert rebuild(old) == 1

    assert mode_in(old) is SessionMode.PAPER
    with JournalReader.open(old) as reader:
        assert reader.facts()[0].record() == session("a paper session")
