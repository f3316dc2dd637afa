"""``framework positions``."""

from __future__ import annotations

from pathlib import Path

import click

from ...journal import Control, PositionRow
from ..options import config_option, json_option, state_option
from ..output import print_rows_as_json, print_table
from ..state import open_journal, state_directory
from ..tables import POSITION_HEADINGS, POSITION_RIGHT, position_rows
from ..upkeep import halt_line


@click.command("positions")
@config_option
@state_option
@click.option("--all", "everything", is_flag=True, help="The closed and the failed ones, too.")
@json_option
def command(config: Path, state: Path | None, everything: bool, as_json_: bool) -> None:
    """Show the open positions that the journal knows, or all of them.

    Prices and money are in USD, quantities in the base asset; PnL is after fees.
    """
    halted = halt_line(Control(state_directory(config, state)))
    if halted:
        click.echo(halted, err=as_json_)
    with open_journal(config, state) as journal:
        rows: tuple[PositionRow, ...] = journal.positions(open_only=not everything)
    if as_json_:
        print_rows_as_json(rows)
    elif rows:
        print_table(POSITION_HEADINGS, position_rows(rows), right=POSITION_RIGHT)
    else:
        click.echo("no positions" if everything else "no open positions (--all shows the closed ones)")
