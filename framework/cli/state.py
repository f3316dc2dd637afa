"""Opening what commands read: the journal of a deployment, or the deployment itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import Deployment
    from ..journal import JournalReader


def open_journal(config: Path, state: Path | None) -> JournalReader:
    """The journal in `state`, or in the state directory that the configuration names. Plugins are not looked at.

    Raises `ConfigError` for a configuration that can't be read, `JournalError` when there is no journal.
    """
    from ..journal import JournalReader, journal_path

    return JournalReader.open(journal_path(state_directory(config, state)))


def state_directory(config: Path, state: Path | None) -> Path:
    """`state`, or the state directory that the configuration names. Raises `ConfigError`."""
    from ..config import read_state_dir

    return read_state_dir(config) if state is None else state


def open_deployment(config: Path, state: Path | None, sets: Sequence[str]) -> Deployment:
    """The whole deployment, checked. Raises `ConfigError` and `PluginError` with everything that is wrong."""
    from ..config import load_deployment

    return _with_commands_checked(load_deployment(config, environ=os.environ, sets=sets, state=state))


def open_rehearsal(config: Path, state: Path | None, sets: Sequence[str]) -> Deployment:
    """Like `open_deployment`, but the keys of exchanges are neither needed nor read."""
    from ..config import load_deployment, placeholder_from

    return _with_commands_checked(
        load_deployment(config, environ=os.environ, sets=sets, state=state, exchange_secret=placeholder_from)
    )


def _with_commands_checked(deployment: Deployment) -> Deployment:
    from .plugin_commands import commands_of

    commands_of(deployment.registry)
    return deployment
