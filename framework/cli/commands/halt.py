"""``framework halt``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ...journal import Control
from ..options import config_option, state_option
from ..state import state_directory
from ..upkeep import halt_line


@click.command("halt")
@config_option
@state_option
@click.option(
    "--reason", default="by the operator", show_default=True, metavar="TEXT", help="Why, for whoever reads it."
)
def command(config: Path, state: Path | None, reason: str) -> None:
    """Open no more positions, from now on and after every restart; what is open stays protected.

    A session that runs obeys within a second; one that is started later, too. `framework resume` takes it back.
    """
    control = Control(state_directory(config, state))
    control.halt(reason, time.time_ns())
    click.echo(halt_line(control))
