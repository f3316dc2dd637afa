"""Whether a journal can be trusted: what it says of itself, what its mark says, and whether the two fit.

`inspect` is for the start of a session, `verify` for a person who has time: it looks at everything. Both
only read, on a connection that can't change the file, and can be used while the journal is being written.
"""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import frozen

from ..errors import JournalError
from . import schema
from .consistency import disagreements, missing_columns, restart_disagreements
from .identity import read_identity
from .mark import Mark, TornMarkError, mark_path, read_mark
from .scan import READ_ERRORS, Scan, hash_at, scan

NEWEST_FACTS = 250_000
"""How many facts `inspect` goes through at most: about a second's work. `verify` goes through all of them."""

REPLAYED_FACTS = 20_000
"""Up to so many facts `inspect` replays them as `verify` does: half a second's work."""

_NOT_DAMAGE = ("locked", "unable to open")
"""What SQLite says of a file that may be sound."""


class Trouble(enum.Enum):
    """What may be wrong with a journal."""

    LOST = "lost"
    UNREADABLE = "unreadable"
    FOREIGN = "foreign"
    CHANGED = "changed"
    BEHIND = "behind"
    REPLACED = "replaced"
    MARK_MISSING = "mark_missing"
    MARK_TORN = "mark_torn"
    DISAGREES = "disagrees"


@frozen
class Damage:
    """One thing that is wrong, as a code and as a line for people."""

    trouble: Trouble
    message: str


@frozen
class Finding:
    """What came of looking at a journal. It can be trusted if there are no `damages`.

    `facts` is the number of the newest one and `digest` its hash as hexadecimal digits: the same for two journals of
    the same facts. `checked`: how many of them were found intact. `outdated`: an earlier version wrote it.
    """

    path: Path
    facts: int = 0
    digest: str = ""
    checked: int = 0
    damages: tuple[Damage, ...] = ()
    outdated: bool = False

    def message(self) -> str:
        """All that is wrong, as one line."""
        return f"{self.path}: " + "; ".join(damage.message for damage in self.damages)


def inspect(path: Path) -> Finding:
    """Whether a session may go on in this journal, in a second or two, however long it is.

    Of a long journal only the newest `NEWEST_FACTS` are gone through, and only the read models that a restart goes
    on from are compared with the facts; the rest is for `verify`.
    Nothing at all, no journal and no mark, is fine. Raises `JournalError` for what is no damage: locked, of a newer
    version, not permitted, or a file that is no journal and has never had a mark.
    """
    return _look(path, _newest)


def verify(path: Path) -> Finding:
    """Whether every fact is as it was written, the database is sound, and all read models follow from the facts.

    Raises what `inspect` raises, and `JournalError` when there is no journal, or one of an earlier version.
    """
    finding = _look(path, _everything)
    if not finding.damages and not path.exists():
        raise JournalError(f"{path}: there is no journal yet; run the deployment first, or choose another state")
    if not finding.damages and finding.outdated:
        raise JournalError(f"{path}: was written by an older version; run it once")
    return finding


_Depth = Callable[[sqlite3.Connection], tuple[Scan, list[str]]]
"""Goes through facts and read models. The texts say in what they disagree."""


def _newest(connection: sqlite3.Connection) -> tuple[Scan, list[str]]:
    (newest,) = connection.execute("SELECT coalesce(max(seq), 0) FROM facts").fetchone()
    if newest <= REPLAYED_FACTS:
        return _everything(connection)
    found = scan(connection, max(newest - NEWEST_FACTS, 0))
    # Facts that were changed say nothing about the read models.
    return found, restart_disagreements(connection, since_seq=found.since_seq) if found.is_whole else []


def _everything(connection: sqlite3.Connection) -> tuple[Scan, list[str]]:
    found = scan(connection)
    return found, disagreements(connection) if found.is_whole else []


def _look(path: Path, depth: _Depth) -> Finding:
    mark, damage = _mark_of(path)  # before the database: so it tells of no more than what is there
    damages = () if damage is None else (damage,)
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return Finding(path, damages=(*damages, *_lost(path, mark)), outdated=path.exists())
    try:
        with schema.reading(path) as connection:
            return _look_into(connection, path, mark, damages, depth)
    except schema.DamagedJournalError as error:
        return Finding(path, damages=(*damages, Damage(Trouble.UNREADABLE, error.what)))
    except (*schema.DATABASE_ERRORS, *READ_ERRORS, schema.NoJournalError) as error:
        said = " ".join(str(error).removeprefix(f"{path}: ").split())
        # Without a mark it may never have been a journal: that is for a person to say.
        perhaps_not_ours = mark is None and damage is None and not _has_our_header(path)
        if perhaps_not_ours or any(words in said for words in _NOT_DAMAGE):
            raise schema.error_of(path, error) from error
        return Finding(path, damages=(*damages, Damage(Trouble.UNREADABLE, f"can't be read ({said})")))


def _look_into(
    connection: sqlite3.Connection, path: Path, mark: Mark | None, damages: tuple[Damage, ...], depth: _Depth
) -> Finding:
    if schema.missing_steps(connection, path):
        return Finding(path, damages=damages, outdated=True)
    if missing := missing_columns(connection):
        return Finding(path, damages=(*damages, Damage(Trouble.UNREADABLE, f"its schema lacks {missing}")))
    identity = read_identity(connection, path)
    if mark is None and not damages and identity is not None:
        damages = (Damage(Trouble.MARK_MISSING, f"{mark_path(path).name} is missing"),)
    found, disagreeing = depth(connection)
    changed = tuple(_changed(found))
    if mark is not None:
        damages = (*damages, *_against_mark(connection, path, mark, None if identity is None else identity.journal_id))
    damages = (*damages, *changed)
    if not damages:  # else the facts are not what the read models were made of
        damages = tuple(Damage(Trouble.DISAGREES, text) for text in disagreeing)
    return Finding(path, found.seq, found.hash.hex(), found.intact, damages)


def _mark_of(path: Path) -> tuple[Mark | None, Damage | None]:
    try:
        return read_mark(path), None
    except TornMarkError:
        return None, Damage(Trouble.MARK_TORN, f"{mark_path(path).name} can't be read: it is torn, or was changed")
    except OSError as error:
        raise JournalError(f"{mark_path(path)}: can't be read: {error.strerror}; see to the file") from error


def _lost(path: Path, mark: Mark | None) -> Iterator[Damage]:
    if mark is not None and mark.seq > 0:
        yield Damage(Trouble.LOST, f"is missing or empty, but {mark_path(path).name} tells of {mark.seq} facts")


def _has_our_header(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(72)[68:] == schema.APPLICATION_ID.to_bytes(4)


def _changed(found: Scan) -> Iterator[Damage]:
    if found.broken:
        numbers = ", ".join(str(seq) for seq in found.first_broken)
        more = "" if found.broken <= len(found.first_broken) else ", …"
        text = f"{found.broken} of {found.broken + found.intact} facts are not as they were written ({numbers}{more})"
        yield Damage(Trouble.CHANGED, text)
    elif found.unreadable:
        yield Damage(Trouble.UNREADABLE, f"what follows fact {found.seq} can't be read")


def _against_mark(connection: sqlite3.Connection, path: Path, mark: Mark, journal_id: str | None) -> Iterator[Damage]:
    name = mark_path(path).name
    (newest,) = connection.execute("SELECT coalesce(max(seq), 0) FROM facts").fetchone()
    if journal_id is not None and journal_id != mark.journal_id:
        yield Damage(Trouble.FOREIGN, f"is another journal than the one that {name} tells of")
    elif newest < mark.seq:
        text = f"ends at fact {newest}, but {name} tells of {mark.seq}: the last were lost, or this is an old copy"
        yield Damage(Trouble.BEHIND, text)
    elif hash_at(connection, mark.seq) != mark.hash:
        text = f"fact {mark.seq} is not the one that {name} tells of: the file was changed, or replaced by another copy"
        yield Damage(Trouble.REPLACED, text)
