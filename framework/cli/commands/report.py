"""``framework report``."""

from __future__ import annotations

from pathlib import Path

import click

from ...journal import Control, JournalReader, Report, as_json, report
from ..failures import NotFoundError
from ..instants import instant_ns
from ..options import config_option, json_option, state_option
from ..output import print_json
from ..report_text import detail_lines, refusal_lines, total_line, wave_lines
from ..state import open_journal, state_directory
from ..upkeep import halt_line


@click.command("report")
@config_option
@state_option
@click.option("--wave", "wave_id", metavar="ID", help="Only this wave, like 2025-10-31T22:30Z.")
@click.option(
    "--since", callback=instant_ns, metavar="INSTANT", help="Only waves whose bar opened at or after this instant."
)
@click.option(
    "--until", callback=instant_ns, metavar="INSTANT", help="Only waves whose bar opened before this instant."
)
@json_option
def command(
    config: Path, state: Path | None, wave_id: str | None, since: int | None, until: int | None, as_json_: bool
) -> None:
    """Report on all waves, on one, or on those of a period: how far the signals got, how well positions were
    protected, how long things took, what went wrong.

    Instants are ISO 8601, in UTC where they name no offset: 2025-10-31 or 2025-10-31T22:30.
    """
    halted = halt_line(Control(state_directory(config, state)))
    if halted:
        click.echo(halted, err=as_json_)
    with open_journal(config, state) as journal:
        result = report(journal, wave_id=wave_id, since_ns=since, until_ns=until)
        if wave_id is not None and not result.waves:
            raise NotFoundError(f"the journal knows no wave {wave_id!r}; `framework report` shows all")
        if as_json_:
            plain = as_json(result)
            print_json({"waves": plain.pop("waves"), "totals": plain.pop("total"), **plain})
        else:
            _print(journal, result)


def _print(journal: JournalReader, result: Report) -> None:
    signals = journal.signals()
    for wave in result.waves:
        for line in (*wave_lines(wave, signals), *detail_lines(wave)):
            click.echo(line)
    if result.refused_without_wave:
        click.echo(f"of no wave: {result.refused_without_wave} unusable")
        for line in refusal_lines([row for row in signals if row.outcome == "refused" and row.wave_id is None]):
            click.echo(line)
    click.echo(total_line(result.total) if result.waves else "no waves")
