"""``framework run``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ...app import run_session
from ...errors import ExchangeError, FrameworkError
from ..options import config_option, live_option, set_option, state_option
from ..run_end import last_known, open_lines, print_end, print_report
from ..run_show import show_for, tell_broken
from ..run_view import RunView
from ..state import open_deployment


@click.command("run")
@config_option
@state_option
@set_option
@live_option
@click.pass_context
def command(context: click.Context, config: Path, state: Path | None, sets: Sequence[str], live: Sequence[str]) -> None:
    """Trade the deployment. A recorded session is played to its end; others end with Ctrl-C or SIGTERM.

    Real venues are traded on only where the account's table says live = true and --live names the account.

    In a terminal the waves and positions are shown live, elsewhere as one line for each thing that matters. At the
    end comes a report, and what stays open. The exit status is 1 when the session failed, 3 when an account was never
    reached.
    """
    deployment = open_deployment(config, state, sets)
    view = RunView()
    show = show_for(view)
    try:
        end = run_session(deployment, live=live, on_start=show.start, on_record=show.record, on_broken=tell_broken)
    except FrameworkError as error:
        show.stop()
        for line in open_lines(deployment, last_known(error, view)):
            click.echo(line, err=True)
        raise
    finally:
        show.stop()
    try:
        if view.mode is not None:  # a session that was interrupted before it came up has nothing to report
            print_report(deployment, view)
    finally:  # what stays open is told whatever happens
        print_end(deployment, end)
    context.exit(1 if end.failed else ExchangeError.exit_status if end.unreached else 0)
