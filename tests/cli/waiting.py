"""A live source for tests: one signal, a price, and then nothing until the session is interrupted."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import click
from attrs import frozen

from framework import Batch, SignalSource, SourceLink, Timeline, hookimpl
from framework.testing import make_signal


@frozen
class Waiting:
    """One signal of now, in real time."""

    name: ClassVar[str] = "waiting"

    def timeline(self) -> Timeline | None:
        return None

    async def run(self, link: SourceLink) -> None:
        now_ns = link.clock.now_ns()
        signal = make_signal(id="live-1", account="main", bar_time_ns=now_ns, created_ns=now_ns, received_ns=now_ns)
        await link.submit(Batch((signal,), complete=True))
        await asyncio.Event().wait()


@frozen
class Failing:
    """A source that breaks at once."""

    name: ClassVar[str] = "failing"

    def timeline(self) -> Timeline | None:
        return None

    async def run(self, link: SourceLink) -> None:
        raise ConnectionError("nobody sends signals here")


@hookimpl
def signal_sources() -> list[type[SignalSource]]:
    return [Waiting, Failing]


@click.command("greet")
def greet() -> None:
    """Greet the world."""
    click.echo("good day")


@hookimpl
def commands() -> list[click.Command]:
    return [greet]
