"""An engine that holds one protected position: where most tests of prices and venue news begin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from framework import Event
from framework.core.position import Position, State
from framework.testing import SYMBOL, make_signal
from tests.core.strategies import FixedStop
from tests.engine.fakes import Rig, Venue, running

ONE = make_signal(id="one-1", account="one")


@asynccontextmanager
async def opened(market: Venue, *protections: Any, **parts: Any) -> AsyncIterator[Rig]:
    """An engine with one protected position of one piece, bought at 100.01 with a stop at 94.01."""
    async with running(market, protections=(FixedStop(), *protections), **parts) as rig:
        await rig.take(ONE)
        assert held(rig).state is State.PROTECTED
        yield rig


def held(rig: Rig) -> Position:
    """The position."""
    return rig.positions[SYMBOL]


def events(rig: Rig) -> list[str]:
    """The codes of all events so far."""
    return [event.code for event in rig.store.of(Event)]
