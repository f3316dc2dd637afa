"""``framework check``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ...app import check_deployment
from ...components import Checkup
from ...config import Deployment
from ..options import config_option, json_option, set_option, state_option
from ..output import print_rows_as_json
from ..state import open_deployment
from ..words import safe


@click.command("check")
@config_option
@state_option
@set_option
@click.option(
    "--exercise-stops",
    is_flag=True,
    help="Place, read, move and cancel a smallest stop far away on each venue; not where orders cost money.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    config: Path,
    state: Path | None,
    sets: Sequence[str],
    exercise_stops: bool,
    as_json_: bool,
) -> None:
    """Validate the whole deployment without trading: configuration, plugins, signal sources, venues.

    Real venues are only read, and need not be live for that.

    The exit status is 1 when a check failed, 2 when the configuration or a plugin is wrong.
    """
    deployment = open_deployment(config, state, sets)
    checkups = (_configuration(deployment), *check_deployment(deployment, exercise_stops=exercise_stops))
    failed = sum(1 for each in checkups if not each.ok)
    if as_json_:
        print_rows_as_json(checkups)
    else:
        for each in checkups:
            click.echo(f"{'ok     ' if each.ok else 'problem'}  {safe(each.subject)}: {safe(each.message)}")
        click.echo(f"{failed} of {len(checkups)} checks failed" if failed else f"all {len(checkups)} checks are fine")
    context.exit(1 if failed else 0)


def _configuration(deployment: Deployment) -> Checkup:
    """What was found valid, for it has been checked already."""
    filters, risk = len(deployment.enabled_filters), len(deployment.enabled_risk)
    accounts = ", ".join(f"{each.name} ({each.use})" for each in deployment.enabled_exchanges)
    sources = ", ".join(each.use for each in deployment.enabled_sources)
    protections = ", ".join(each.use for each in deployment.enabled_protections)
    message = (
        f"valid; accounts {accounts or 'none'}; signals {sources or 'none'}; {filters} filters; {risk} risk rules; "
        f"sizing {deployment.sizer.use}; execution {deployment.execution.use}; protection {protections}"
    )
    return Checkup(str(deployment.path), True, message)
