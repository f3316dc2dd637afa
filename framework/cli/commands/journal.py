"""``framework journal``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ...journal import Finding, accept, journal_path, verify
from ..options import config_option, json_option, state_option
from ..output import print_json
from ..state import state_directory
from ..words import safe


@click.group("journal")
def command() -> None:
    """Look after the journal: whether it is as it was written, and accepting what may be lost."""


@command.command("verify")
@config_option
@state_option
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Another journal than that of the deployment: one that was put aside, or kept because it is damaged.",
)
@json_option
@click.pass_context
def verify_command(context: click.Context, config: Path, state: Path | None, file: Path | None, as_json_: bool) -> None:
    """Verify the whole journal: every fact against the chain of hashes, the end against the mark beside the journal,
    the read models against what the facts make of them. Changes nothing, and works while `run` runs.

    The exit status is 1 when something is wrong.
    """
    finding = verify(journal_path(state_directory(config, state)) if file is None else file)
    if as_json_:
        print_json(_plain(finding))
    elif finding.damages:
        for damage in finding.damages:
            click.echo(f"problem  {safe(str(finding.path))}: {safe(damage.message)}")
    else:
        click.echo(f"ok       {safe(str(finding.path))}: {finding.facts} facts, all as they were written")
        click.echo(f"         digest {finding.digest}")
    context.exit(1 if finding.damages else 0)


@command.command("accept")
@config_option
@state_option
def accept_command(config: Path, state: Path | None) -> None:
    """Allow positions to be opened again after the journal was damaged. Look at the venues first: a signal that the
    lost part knew of may be taken a second time. `run` must not be running.
    """
    accepted = accept(journal_path(state_directory(config, state)), time.time_ns())
    if accepted:
        click.echo(f"accepted: {safe(accepted)}")
        click.echo("the next `framework run` opens positions again")
    else:
        click.echo("nothing to accept: positions may be opened")


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "journal": str(finding.path),
        "whole": not finding.damages,
        "facts": finding.facts,
        "intact": finding.checked,
        "digest": finding.digest,
        "problems": [{"code": damage.trouble.value, "message": damage.message} for damage in finding.damages],
    }
