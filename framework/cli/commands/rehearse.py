"""``framework rehearse``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ...core.records import SessionMode
from ...errors import FrameworkError
from ...rehearse import RehearsalStart, rehearsed, run_rehearsal
from ..options import config_option, set_option, state_option
from ..run_end import last_known, open_lines, print_end, print_report
from ..run_show import say, show_for
from ..run_view import RunView
from ..state import open_rehearsal
from ..words import safe


@click.command("rehearse")
@config_option
@state_option
@set_option
@click.option("--for", "seconds", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="End by itself.")
@click.pass_context
def command(
    context: click.Context, config: Path, state: Path | None, sets: Sequence[str], seconds: float | None
) -> None:
    """Run the deployment with its real exchange plugins on emulated venues: no keys, no money, real sockets.

    Every real exchange is pointed at the stage that [rehearsal] names, with keys made up for it. A recording is
    played from its start; the hours in which nothing happens are skipped. The journal goes to the directory
    rehearsal of the state directory. The exit status is 1 when the session failed.
    """
    deployment = rehearsed(open_rehearsal(config, state, sets))
    view = RunView()
    show = show_for(view)

    def on_start(start: RehearsalStart) -> None:
        for line in start_lines(start, deployment.state):
            say(line)
        show.start(start.session)

    try:
        end = run_rehearsal(deployment, for_s=seconds, on_start=on_start, on_record=show.record)
    except FrameworkError as error:
        show.stop()
        for line in open_lines(deployment, last_known(error, view), SessionMode.REHEARSAL):
            click.echo(line, err=True)
        raise
    finally:
        show.stop()
    try:
        if view.mode is not None:  # a rehearsal that was interrupted before it came up has nothing to report
            print_report(deployment, view)
    finally:  # what stays open is told whatever happens
        print_end(deployment, end, SessionMode.REHEARSAL)
    context.exit(1 if end.failed else 0)


def start_lines(start: RehearsalStart, state: Path) -> list[str]:
    """That it is a rehearsal, where everything is, and how to ask about it afterwards."""
    return [
        f"this is a rehearsal on the stage {start.stage}: no real venue is reached, and no real key is used",
        *(safe(note) for note in start.notes),
        f"ask about it with: framework explain SIGNAL_ID --state {safe(str(state))}",
    ]
