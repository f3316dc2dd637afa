"""``framework resume``."""

from __future__ import annotations

from pathlib import Path

import click

from ...journal import Control
from ..options import config_option, state_option
from ..state import state_directory


@click.command("resume")
@config_option
@state_option
def command(config: Path, state: Path | None) -> None:
    """Take a halt back: positions may be opened again."""
    halt = Control(state_directory(config, state)).resume()
    click.echo("nothing was halted" if halt is None else "resumed: positions may be opened again")
