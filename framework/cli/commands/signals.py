"""``framework signals``."""

from __future__ import annotations

from pathlib import Path

import click

from ..options import config_option, json_option, state_option
from ..output import print_rows_as_json, print_table
from ..state import open_journal
from ..tables import SIGNAL_HEADINGS, SIGNAL_RIGHT, signal_cells

OUTCOMES = ("refused", "received", "rejected", "planned", "opened", "not_attempted")


@click.command("signals")
@config_option
@state_option
@click.option("--wave", "wave_id", metavar="ID", help="Only this wave, like 2025-10-31T22:30Z.")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Only signals that ended like this.")
@json_option
def command(config: Path, state: Path | None, wave_id: str | None, outcome: str | None, as_json_: bool) -> None:
    """Show the signals that arrived, in that order, and what became of each.

    `refused` is no signal that could be used, `received` is not decided yet, `rejected` was refused at the stage
    shown, `planned` is being opened, `opened` has its position, `not_attempted` was not needed any more.
    """
    with open_journal(config, state) as journal:
        rows = journal.signals(wave_id, outcome)
    if as_json_:
        print_rows_as_json(rows)
    elif rows:
        print_table(SIGNAL_HEADINGS, [signal_cells(row) for row in rows], right=SIGNAL_RIGHT)
    else:
        click.echo("no such signals")
