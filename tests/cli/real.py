"""Exchanges for tests that call themselves real, and a live source that ends. No money is near."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from attrs import define, field, frozen

from framework import (
    Batch,
    Capabilities,
    Checkup,
    Exchange,
    ExchangeError,
    ExchangeLink,
    SignalSource,
    SourceLink,
    Timeline,
    hookimpl,
)
from framework.testing import make_signal
from tests.hooks.base import Venue

CONNECTED: list[str] = []
"""The accounts that were connected to, in order."""


@frozen
class Brief:
    """One signal of now, in real time, and then no more."""

    name: ClassVar[str] = "brief"

    def timeline(self) -> Timeline | None:
        return None

    async def run(self, link: SourceLink) -> None:
        now_ns = link.clock.now_ns()
        signal = make_signal(id="brief-1", account="main", bar_time_ns=now_ns, created_ns=now_ns, received_ns=now_ns)
        await link.submit(Batch((signal,), complete=True))


@define
class Real(Venue):
    """A real venue."""

    name: ClassVar[str] = "real"
    capabilities: Capabilities = field(default=Capabilities(amends_stops=True), init=False)

    async def start(self, link: ExchangeLink) -> None:
        CONNECTED.append(link.account)
        await super().start(link)


@define
class Production(Real):
    """A real venue where orders cost money."""

    name: ClassVar[str] = "production"
    capabilities: Capabilities = field(default=Capabilities(amends_stops=True, real_money=True), init=False)

    async def exercise_stops(self) -> tuple[Checkup, ...]:
        raise AssertionError("an order was sent where that costs money")


@define
class Testnet(Real):
    """A real venue with play money, and a way to exercise its stops."""

    name: ClassVar[str] = "testnet"

    async def exercise_stops(self) -> tuple[Checkup, ...]:
        return (Checkup("stop placed", True, "at 50.01, 1 tick"), Checkup("stop cancelled", True, "gone"))


@define
class Unready(Real):
    """A venue whose connection takes for ever."""

    name: ClassVar[str] = "unready"

    async def start(self, link: ExchangeLink) -> None:
        print("connecting", flush=True)  # noqa: T201 - for the test that waits for it
        await asyncio.Event().wait()

    async def stop(self) -> None:
        print("let go", flush=True)  # noqa: T201


@define
class Away(Real):
    """A venue that can't be reached."""

    name: ClassVar[str] = "away"

    async def start(self, link: ExchangeLink) -> None:
        raise ExchangeError(link.account, "no route to host")


@define
class Stuck(Venue):
    """A simulated exchange that is never ready. With a recording it is waited for in virtual time."""

    name: ClassVar[str] = "stuck"

    async def start(self, link: ExchangeLink) -> None:
        await asyncio.Event().wait()


@hookimpl
def signal_sources() -> list[type[SignalSource]]:
    return [Brief]


@hookimpl
def exchanges() -> list[type[Exchange]]:
    return [Real, Production, Testnet, Unready, Away, Stuck]
