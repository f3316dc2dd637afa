"""Showing a run while it goes on: a live view in a terminal, plain lines elsewhere. Neither can hold trading up."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Protocol

import click
from rich.console import Console, RenderableType
from rich.live import Live

from ..app import SessionStart
from ..core.records import PositionChanged, Record, SessionMode
from ..errors import JournalError
from ..journal import JournalReader
from .output import console
from .run_lines import line_of
from .run_screen import MOST_LINES, draw
from .run_view import PositionLine, RunView, Snapshot
from .words import safe

REFRESHES_PER_S = 4


class Show(Protocol):
    """What a run tells as it goes on. All calls come from the thread that trades, so none may take long."""

    def start(self, start: SessionStart) -> None:
        """The session is up."""

    def record(self, record: Record) -> None:
        """A record is durable."""

    def stop(self) -> None:
        """Nothing more will come. May be called without a start, and twice."""


def show_for(view: RunView) -> Show:
    """The live view where standard output is a terminal that can draw it, else plain lines."""
    screen = console()
    return LiveShow(view, screen) if screen.is_terminal and not screen.is_dumb_terminal else PlainShow(view)


class PlainShow:
    """One line for each noteworthy record."""

    def __init__(self, view: RunView) -> None:
        self._view = view

    def start(self, start: SessionStart) -> None:
        """The session is up."""
        _seed(self._view, start)
        for line in start_lines(start):
            say(line)

    def record(self, record: Record) -> None:
        """A record is durable."""
        line = _applied(self._view, record)
        if line is not None:
            say(line)

    def stop(self) -> None:
        """Nothing more will come."""


class LiveShow:
    """The wave and the positions, drawn again a few times a second by a thread of its own."""

    def __init__(self, view: RunView, screen: Console) -> None:
        self._view = view
        self._journal = "-"
        self._latest: deque[str] = deque(maxlen=MOST_LINES)
        # Held for copying only, never while something is drawn: trading must not wait for a terminal.
        self._lock = threading.Lock()
        self._live = Live(console=screen, get_renderable=self.drawn, refresh_per_second=REFRESHES_PER_S, transient=True)

    def start(self, start: SessionStart) -> None:
        """The session is up."""
        with self._lock:
            _seed(self._view, start)
            self._journal = str(start.journal)
            self._latest.extend(start_lines(start)[1:])
        self._live.start()

    def record(self, record: Record) -> None:
        """A record is durable."""
        with self._lock:
            line = _applied(self._view, record)
            if line is not None:
                self._latest.append(line)

    def stop(self) -> None:
        """Nothing more will come: the view makes room for the report."""
        self._live.stop()

    def drawn(self) -> RenderableType:
        """The screen as it should be now."""
        snapshot, latest = self.copied()
        return draw(snapshot, self._journal, latest)

    def copied(self) -> tuple[Snapshot, list[str]]:
        """What is to be drawn: the view, and the newest noteworthy lines."""
        with self._lock:
            return self._view.snapshot(), list(self._latest)


def start_lines(start: SessionStart) -> list[str]:
    """What a session that came up is, and where an earlier one's journal went."""
    clock = "a recording, in virtual time" if start.recorded else "in real time"
    if start.recorded and start.mode is SessionMode.REHEARSAL:
        clock = "a recording, in real time but for the hours in which nothing happens"
    lines = [
        f"{start.mode.value}: accounts {', '.join(start.accounts)}; "
        f"signals {', '.join(start.sources)} ({clock}); journal {start.journal}"
    ]
    if start.set_aside is not None:
        lines.append(f"the journal of the session before is kept as {start.set_aside}")
    if start.damage:
        lines.append(f"warning: {start.damage}")
    return lines


def tell_broken(error: JournalError) -> None:
    """The journal can't be written any more, while the session goes on: no record could tell of it."""
    text = f"error: {safe(str(error))}; until then nothing is opened, and what is open stays protected"
    click.echo(text, err=True)


def say(line: str) -> None:
    """Print a line. Once nobody reads them any more, lines go nowhere: the run itself goes on."""
    try:
        click.echo(line)
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _seed(view: RunView, start: SessionStart) -> None:
    with JournalReader.open(Path(start.journal)) as journal:
        for row in journal.positions(open_only=True):
            view.seed(row)


def _applied(view: RunView, record: Record) -> str | None:
    before: PositionLine | None = None
    if isinstance(record, PositionChanged):
        before = view.positions.get(record.position_id)
    view.apply(record)
    return line_of(record, before)
