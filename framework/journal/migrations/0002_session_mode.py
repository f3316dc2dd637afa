"""Sessions say what their orders reached. All that were written down before this step traded on paper."""

from __future__ import annotations

from typing import Any

from peewee import Database


def up(migrator: Any, db: Database) -> None:
    """Add the column."""
    migrator.migrate(migrator.sql("ALTER TABLE sessions ADD COLUMN mode TEXT NOT NULL DEFAULT 'paper'"))
