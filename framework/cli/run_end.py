"""How a run ends: the report on what it did, and what stays open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Protocol

import click

from ..app import EndUnwrittenError, SessionEnd
from ..config import Deployment
from ..core.records import SessionMode
from ..errors import FrameworkError
from ..journal import JournalReader, PositionRow, Report, SignalRow, journal_path
from ..journal.report import Material, report_of
from .output import table_lines
from .report_text import refusal_lines, total_line, wave_lines
from .run_show import say
from .run_view import RunView
from .tables import POSITION_HEADINGS, POSITION_RIGHT, position_rows
from .words import safe, shown


class StillOpen(Protocol):
    """What is said of a position that stays open."""

    @property
    def account(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def side(self) -> str: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def stop_price(self) -> Decimal | None: ...


def print_report(deployment: Deployment, view: RunView) -> None:
    """What this session did: its waves and the positions that it changed, from the journal."""
    result, signals, positions = _read(deployment, view)
    say("")
    for wave in result.waves:
        for line in wave_lines(wave, signals):
            say(line)
    for line in refusal_lines([row for row in signals if row.outcome == "refused" and row.wave_id is None]):
        say(line)
    if positions:
        say("")
        for line in table_lines(POSITION_HEADINGS, position_rows(positions), right=POSITION_RIGHT):
            say(line)
    say(total_line(result.total) if result.waves else "no signals arrived")


def print_end(deployment: Deployment, end: SessionEnd, mode: SessionMode | None = None) -> None:
    """Why the session ended, and what stays open. For `mode` see `open_lines`."""
    if end.failed:
        click.echo(f"error: the session {safe(end.reason)}", err=True)
    else:
        say(f"session ended: {safe(end.reason)}")
    for why in end.unreached:
        click.echo(f"error: never reached: {safe(why)}", err=True)
    for line in open_lines(deployment, end.open_positions, mode):
        say(line)


def last_known(error: FrameworkError, view: RunView) -> Iterable[StillOpen]:
    """What stays open after a session that raised: as it knew it last, else as far as the journal took it."""
    return error.end.open_positions if isinstance(error, EndUnwrittenError) else view.open_positions()


def open_lines(
    deployment: Deployment, positions: Iterable[StillOpen], mode: SessionMode | None = None
) -> Iterator[str]:
    """A line for each position that stays open, with what becomes of its stop.

    `mode`: that of a session in which the deployment's exchanges were not what they are; None: they were.
    """
    simulated = {each.name for each in deployment.exchanges if each.component.capabilities.simulated}
    for position in positions:
        what = f"stays open: {position.account} {safe(position.symbol)} {position.side} {shown(position.quantity)}"
        if position.account in simulated:
            yield f"{what}, simulated: it is gone with this process"
        elif mode is SessionMode.REHEARSAL:
            yield f"{what}, rehearsed: it is gone with this process"
        elif position.stop_price is None:
            yield f"{what}, WITHOUT a stop at the venue"
        else:
            yield f"{what}, its stop at {shown(position.stop_price)} stays at the venue"


def _read(deployment: Deployment, view: RunView) -> tuple[Report, list[SignalRow], list[PositionRow]]:
    with JournalReader.open(journal_path(deployment.state)) as journal:
        since = journal.sessions()[-1].seq
        signals = [row for row in journal.signals() if row.seq > since or row.wave_id in view.waves]
        positions = [row for row in journal.positions() if row.position_id in view.positions]
        material = Material(
            waves=[wave for wave in journal.waves() if wave.wave_id in view.waves],
            signals=signals,
            positions=positions,
            orders=journal.orders(),
            events=[event for event in journal.events("error") if event.seq > since],
        )
    return report_of(material), signals, positions
