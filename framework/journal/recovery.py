"""Going on when a journal can't be trusted: it is kept as it is, and a new one begins with all that is intact.

The new journal is built beside the damaged one and put in its place only when it is complete. Whatever kills the
process on the way, the next start finds either the damaged journal as it was, or a new one that has only to be put in
place.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from ..core.records import Event, Record
from ..errors import JournalError
from . import codec, schema
from .acceptance import DAMAGED, MENDED
from .identity import Identity, read_identity
from .inspection import Finding, Trouble
from .mark import Mark, TornMarkError, mark_path, read_mark, sync_directory
from .rotation import COMPANIONS
from .scan import READ_ERRORS, Scan, rows
from .store import Store

DAMAGED_DIR = "damaged"
"""Where damaged journals are kept, in the directory of the journal."""

_BATCH = 2000


@frozen
class Recovered:
    """What has been done about a damaged journal.

    `kept`: where it is now. `taken_over`: how many of its facts the new one begins with. `complete`: these are all
    that were ever written down, as the mark proves.
    """

    kept: Path
    taken_over: int
    complete: bool
    message: str


def recover(finding: Finding, now_ns: int) -> Recovered:
    """Keep a damaged journal in `DAMAGED_DIR` and begin a new one in its place, with an event that says so.

    For who holds the lock of the journal. Raises `JournalError` when the directory can't be written.
    """
    path = finding.path
    try:
        kept = _free_name(path.parent / DAMAGED_DIR, now_ns)
        building = _named(path, ".building")
        _remove(building)
        recovered = _build(building, finding, kept, now_ns)
        _keep(path, kept)
        building.replace(_named(path, ".next"))
        sync_directory(path.parent)
        mark_path(building).replace(_ready(path))  # from here on the new one counts
        put_in_place(path)
    except OSError as error:
        raise JournalError(f"{path}: can't be recovered: {error.strerror}; make {path.parent} writable") from error
    except schema.DATABASE_ERRORS as error:
        raise schema.error_of(path, error) from error
    return recovered


def put_in_place(path: Path) -> None:
    """Finish a recovery that was interrupted after its journal was complete. For who holds the lock.

    Raises `OSError`.
    """
    if not _ready(path).exists():
        return
    fresh = _named(path, ".next")
    if fresh.exists():
        # SQLite would carry the old write-ahead log over into the new database.
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        fresh.replace(path)
        sync_directory(path.parent)
    _ready(path).replace(mark_path(path))
    sync_directory(path.parent)


def _named(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _ready(path: Path) -> Path:
    """The mark of a new journal that is complete, but not in its place yet."""
    return _named(path, ".next.mark")


def _remove(journal: Path) -> None:
    for suffix in ("", *COMPANIONS):
        journal.with_name(journal.name + suffix).unlink(missing_ok=True)


def _free_name(directory: Path, now_ns: int) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    stem, number = f"{datetime.fromtimestamp(now_ns // 1_000_000_000, UTC):%Y%m%dT%H%M%SZ}", 1
    while list(directory.glob(f"{stem}-{number}.sqlite*")):
        number += 1
    return directory / f"{stem}-{number}.sqlite"


def _keep(path: Path, kept: Path) -> None:
    """Give the damaged files a second name: they stay where they are until the new ones take their place."""
    for suffix in ("", *COMPANIONS):
        source, target = path.with_name(path.name + suffix), kept.with_name(kept.name + suffix)
        if source.exists():
            try:
                os.link(source, target)
            except OSError:  # a file system without links
                shutil.copyfile(source, target)
    sync_directory(kept.parent)


def _build(building: Path, finding: Finding, kept: Path, now_ns: int) -> Recovered:
    accounts = _accounts_of(finding)
    store = Store(building)
    store.prepare(accounts)
    store.connect()
    try:
        taken_over, complete = _salvage(finding, store)
        recovered = Recovered(kept, taken_over, complete, _message(finding, kept, taken_over, complete))
        level, code = ("warning", MENDED) if complete else ("error", DAMAGED)
        store.write([Event(now_ns, level, code, recovered.message)])
        store.checkpoint()
    finally:
        store.close()
    return recovered


def _message(finding: Finding, kept: Path, taken_over: int, complete: bool) -> str:
    if complete:
        rest = f"nothing is lost, all {taken_over} facts were taken over"
    else:
        rest = f"{taken_over} facts were taken over; no position is opened until `framework journal accept`"
    return f"the journal was damaged: {finding.message()}; it is kept as {kept}; {rest}"


def _accounts_of(finding: Finding) -> dict[str, str]:
    if not _is_ours(finding):
        return {}
    try:
        with schema.reading(finding.path) as connection:
            identity: Identity | None = read_identity(connection, finding.path)
    except (*schema.DATABASE_ERRORS, *READ_ERRORS, JournalError):
        return {}
    return {} if identity is None else dict(identity.accounts)


def _is_ours(finding: Finding) -> bool:
    """Whether what is there belongs to this deployment, as far as one can tell."""
    return all(damage.trouble not in (Trouble.LOST, Trouble.FOREIGN) for damage in finding.damages)


def _salvage(finding: Finding, store: Store) -> tuple[int, bool]:
    """Take over what is intact. Returns how many facts, and whether the mark proves that these are all there were."""
    if not _is_ours(finding):
        return 0, False
    mark = _mark_of(finding.path)
    scan, batch = Scan(), list[Record]()
    proven = mark is not None and mark.seq == 0
    try:
        with schema.reading(finding.path) as connection:
            for row in rows(connection, on_unreadable=scan.skip):
                if not scan.take(row):
                    continue
                try:
                    batch.append(codec.decode(row[2], row[8]))
                except codec.DECODE_ERRORS:
                    scan.intact, scan.broken = scan.intact - 1, scan.broken + 1
                    continue
                proven = proven or (mark is not None and (scan.seq, scan.hash) == (mark.seq, mark.hash))
                if len(batch) >= _BATCH:
                    store.write(batch)
                    batch.clear()
    except (*schema.DATABASE_ERRORS, *READ_ERRORS):
        proven = False  # so damaged that not even its tables can be found
    store.write(batch)
    return scan.intact, proven and scan.is_whole


def _mark_of(path: Path) -> Mark | None:
    try:
        return read_mark(path)
    except TornMarkError:
        return None
