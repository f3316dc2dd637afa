"""``framework health``."""

from __future__ import annotations

from pathlib import Path

import click

from ..options import config_option, json_option, state_option
from ..output import print_json, print_table


@click.command("health")
@config_option
@state_option
@json_option
def command(config: Path, state: Path | None, as_json_: bool) -> None:
    """Show how the session and its parts are, and since when.

    Exit status 1 when something is down: the session itself, or a part of it. What is degraded goes on.
    """
    from ...core.health import Health
    from ..state import state_directory
    from ..vitals import HEADINGS, as_data, cells, vitals_of

    told = vitals_of(state_directory(config, state))
    if as_json_:
        print_json(as_data(told))
    else:
        print_table(HEADINGS, [cells(each) for each in told.conditions])
    if told.overall is Health.DOWN:
        click.get_current_context().exit(1)
