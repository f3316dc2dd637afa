"""Whose journal it is: an id of its own, and what each account was when it was first traded on."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from attrs import evolve, field, frozen

from ..errors import ConfigError, Problem
from . import codec
from .schema import DamagedJournalError


@frozen
class Identity:
    """`accounts`: the name of each account, and the exchange component that it was traded with."""

    journal_id: str
    accounts: Mapping[str, str] = field(factory=dict)

    def hash(self) -> bytes:
        """Shows that neither has been changed."""
        return sha256(f"{self.journal_id} {codec.dump_json(self.accounts)}".encode()).digest()


def new_identity() -> Identity:
    """The identity of a journal that nobody has seen before."""
    return Identity(uuid.uuid4().hex)


def read_identity(connection: sqlite3.Connection, path: Path) -> Identity | None:
    """The identity of a journal; None before it has one. Raises `DamagedJournalError` when it has been changed."""
    rows = connection.execute("SELECT journal_id, accounts, hash FROM identity").fetchall()
    if not rows:
        return None
    try:
        ((journal_id, accounts, digest),) = rows
        identity = Identity(journal_id, json.loads(accounts))
        intact = identity.hash() == digest
    except (TypeError, ValueError):
        intact = False
    if not intact:
        raise DamagedJournalError(path, "its identity is not as it was written")
    return identity


def write_identity(connection: sqlite3.Connection, identity: Identity) -> None:
    """Give a journal its identity, in place of any other, in the transaction of the caller."""
    connection.execute("DELETE FROM identity")
    values = (identity.journal_id, codec.dump_json(identity.accounts), identity.hash())
    connection.execute("INSERT INTO identity (journal_id, accounts, hash) VALUES (?, ?, ?)", values)


def claimed(identity: Identity, accounts: Mapping[str, str], path: Path) -> Identity:
    """The identity with these accounts as well. Raises `ConfigError` for an account that was another one before."""
    problems = [
        Problem(
            str(path),
            f"is the journal of {name} on {identity.accounts[name]}, not on {use}; "
            f"give it another name, or the deployment a state directory of its own (--state DIR)",
        )
        for name, use in accounts.items()
        if identity.accounts.get(name, use) != use
    ]
    if problems:
        raise ConfigError(problems)
    return evolve(identity, accounts={**identity.accounts, **accounts})
