"""``framework events``."""

from __future__ import annotations

from pathlib import Path

import click

from ...journal import LEVELS
from ..options import config_option, json_option, state_option
from ..output import print_rows_as_json, print_table
from ..state import open_journal
from ..tables import EVENT_HEADINGS, event_cells


@click.command("events")
@config_option
@state_option
@click.option("--level", type=click.Choice(LEVELS), default=LEVELS[0], show_default=True, help="The least level.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest N.")
@json_option
def command(config: Path, state: Path | None, level: str, limit: int | None, as_json_: bool) -> None:
    """Show events, oldest first. An `error` means that a person should look."""
    with open_journal(config, state) as journal:
        rows = journal.events(level, limit)
    if as_json_:
        print_rows_as_json(rows)
    elif rows:
        print_table(EVENT_HEADINGS, [event_cells(row) for row in rows])
    else:
        click.echo("no events" if level == LEVELS[0] else f"no events of level {level} or above")
