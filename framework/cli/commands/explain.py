"""``framework explain``."""

from __future__ import annotations

from pathlib import Path

import click

from ...journal import as_json, explain
from ..failures import NotFoundError
from ..options import config_option, json_option, state_option
from ..output import marks, print_json
from ..state import open_journal
from ..story import story


@click.command("explain")
@click.argument("signal_id")
@config_option
@state_option
@json_option
def command(signal_id: str, config: Path, state: Path | None, as_json_: bool) -> None:
    """Show the whole chain of one signal: the signal, each verdict with its numbers, the arithmetic of the size,
    requests and answers, fills, stop moves, the exit.
    """
    with open_journal(config, state) as journal:
        found = explain(journal, signal_id)
    if found is None:
        raise NotFoundError(f"the journal knows no signal {signal_id!r}; `framework signals` shows all")
    if as_json_:
        print_json(as_json(found))
        return
    for line in story(found, marks()):
        click.echo(line)
