"""Whole sessions in virtual time: a deployment without a file, sources that do as they are told, a real journal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from attrs import define

from framework import (
    Batch,
    Exchange,
    Execution,
    Filter,
    Observer,
    Record,
    SessionMode,
    SignalSource,
    SourceLink,
    Timeline,
)
from framework.config import Configured, ConfiguredExchange, Deployment
from framework.config.deployment import FrameworkSettings
from framework.engine.ending import SessionEnd
from framework.engine.session import Session
from framework.journal import Journal, JournalReader, WriterKind, journal_path
from framework.registry import Registry
from framework.testing import NOW_NS
from tests.core.strategies import AtMarket, FixedStop
from tests.engine.fakes import Buys, Venue, virtual_clock

R = TypeVar("R")

FOREVER = object()


@define
class Script:
    """A source that works off its script: delivers batches, sleeps for numbers, calls functions, raises exceptions.

    It ends with the script; `FOREVER` as the last line is for a live source, which never ends by itself.
    """

    name: ClassVar[str] = "script"

    lines: tuple[Any, ...]
    recorded: bool = False

    def timeline(self) -> Timeline | None:
        return Timeline(NOW_NS) if self.recorded else None

    async def run(self, link: SourceLink) -> None:
        for line in self.lines:
            match line:
                case Batch():
                    await link.submit(line)
                case int() | float():
                    await asyncio.sleep(line)
                case Exception():
                    raise line
                case _ if line is FOREVER:
                    await asyncio.Event().wait()
                case _:
                    line()


def live(*lines: Any) -> Script:
    """A live source."""
    return Script(lines)


def recording(*lines: Any) -> Script:
    """A recorded session that starts at the default instant."""
    return Script(lines, recorded=True)


def deployment(
    directory: Path,
    *venues: Venue,
    sources: Sequence[SignalSource] = (),
    settings: FrameworkSettings | None = None,
    observers: Sequence[Observer] = (),
    filters: Sequence[Filter] = (),
    execution: Execution | None = None,
    target: int = 5,
) -> Deployment:
    """A deployment with a fixed stop that buys one piece at the market."""
    path = directory / "config.toml"
    return Deployment(
        path=path,
        directory=directory,
        state=directory / "var",
        framework=settings or FrameworkSettings(),
        load=(),
        registry=Registry(),
        exchanges=tuple(_account(each, target) for each in venues),
        sources=tuple(
            Configured(each.name, True, each, f"config.toml:{n} [[signals]]") for n, each in enumerate(sources)
        ),
        filters=tuple(Configured(each.name, True, each, "config.toml:20 [[filters]]") for each in filters),
        sizer=Configured("buys", True, Buys(), "config.toml:30 [sizing]"),
        risk=(),
        execution=Configured("market", True, execution or AtMarket(), "config.toml:40 [execution]"),
        protections=(Configured("fixed", True, FixedStop(), "config.toml:50 [[protection]]"),),
        observers=tuple(Configured(each.name, True, each, "config.toml:60 [[observers]]") for each in observers),
        rehearsal=None,
        digest="0" * 64,
    )


def _account(venue: Venue, target: int) -> ConfiguredExchange:
    exchange: Exchange = venue
    return ConfiguredExchange(
        venue.account, "venue", True, target, exchange, f"config.toml:10 [exchanges.{venue.account}]"
    )


@define
class Played:
    """A session that is over: its end, what the journal told of it, and what it had at last."""

    end: SessionEnd
    records: list[Record]
    session: Session
    elapsed_s: Decimal

    def of(self, kind: type[R]) -> list[R]:
        """The records of one type, in order."""
        return [record for record in self.records if isinstance(record, kind)]


def session_of(
    what: Deployment, records: list[Record], *, recorded: bool = False, mode: SessionMode = SessionMode.PAPER
) -> Session:
    """A session of a deployment, in the virtual time of the loop that runs; `records` gets what becomes durable."""
    path = journal_path(what.state)
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal.open(path, writer=WriterKind.INLINE)
    return Session(what, virtual_clock(), journal, recorded, records.append, mode)


async def play(what: Deployment, *, recorded: bool = False) -> Played:
    """Run a session to its end. Live unless `recorded`."""
    records: list[Record] = []
    session = session_of(what, records, recorded=recorded)
    began_ns = session.clock.now_ns()
    end = await session.run(lambda: None)
    return Played(end, records, session, Decimal(session.clock.now_ns() - began_ns) / 1_000_000_000)


def journal_of(what: Deployment) -> JournalReader:
    """What the journal of a deployment knows."""
    return JournalReader.open(journal_path(what.state))
