"""Facts carry their hash, and a journal an identity. Facts that are there already are chained as they are."""

from __future__ import annotations

from typing import Any

from framework.journal.chain import COLUMNS, GENESIS, link

_PAGE = 1000

_REFUSE_UPDATE = """
CREATE TRIGGER facts_refuse_update BEFORE UPDATE ON facts
BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END
"""


def up(migrator: Any, db: Any) -> None:
    """Add the column and fill it, and the table of the identity."""
    db.execute_sql("DROP TRIGGER facts_refuse_update")
    db.execute_sql("ALTER TABLE facts ADD COLUMN hash BLOB NOT NULL DEFAULT x''")
    _chain(db)
    db.execute_sql(_REFUSE_UPDATE)
    db.execute_sql("CREATE TABLE identity (journal_id TEXT NOT NULL, accounts TEXT NOT NULL, hash BLOB NOT NULL)")


def _chain(db: Any) -> None:
    query = f"SELECT {', '.join(COLUMNS)} FROM facts WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - our own names
    seq, digest = 0, GENESIS
    while page := db.execute_sql(query, (seq, _PAGE)).fetchall():
        for row in page:
            seq, digest = row[0], link(digest, row)
            db.execute_sql("UPDATE facts SET hash = ? WHERE seq = ?", (digest, seq))
