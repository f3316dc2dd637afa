"""Looking at an exchange before anything is traded on it: it is connected to, asked about its readiness, let go of."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from attrs import evolve

from ..components import Checkable, Checkup, Clock, ExercisesStops
from ..config import ConfiguredExchange
from ..errors import ExchangeError, FrameworkError
from ..journal import Silences
from .connecting import connect, disconnect, said
from .links import link_to_look


async def check_exchange(
    account: ConfiguredExchange,
    clock: Clock,
    step_s: float,
    *,
    exercise_stops: bool,
    silences: Silences | None = None,
) -> list[Checkup]:
    """What was looked at and what came of it. Nothing is raised: what can't be reached is a checkup that failed.

    Every step has `step_s` seconds. `exercise_stops` sends orders: stops far away from the market. `silences` are those
    that venues have asked for, and may ask for now.
    """
    exchange, name = account.component, account.name
    link = link_to_look(name, clock, silences)
    checkups: list[Checkup] = []
    try:
        markets = await connect(exchange, link, step_s)
        checkups.append(Checkup(name, bool(markets), f"{len(markets)} markets listed"))
        if isinstance(exchange, Checkable):
            checkups += await _step(name, "checkup", exchange.checkup(), step_s)
        if exercise_stops:
            checkups += await _exercised(account, step_s)
    except ExchangeError as error:
        checkups.append(Checkup(name, False, _without(name, str(error))))
    finally:
        trouble = await disconnect(exchange)
    return checkups if trouble is None else [*checkups, Checkup(name, False, trouble)]


async def _exercised(account: ConfiguredExchange, step_s: float) -> list[Checkup]:
    exchange, subject = account.component, f"{account.name} stops"
    if exchange.capabilities.simulated:
        return [Checkup(subject, True, f"not exercised: {account.use} is a simulated exchange")]
    if not isinstance(exchange, ExercisesStops):
        return [Checkup(subject, True, f"not exercised: {account.use} has no way to do that")]
    found = await _step(account.name, "exercise of the stops", exchange.exercise_stops(), step_s)
    return found or [Checkup(subject, False, f"not exercised: {account.use} reported no step")]


async def _step(
    name: str, what: str, asked: Coroutine[Any, Any, tuple[Checkup, ...]], within_s: float
) -> list[Checkup]:
    limit = asyncio.timeout(within_s)
    try:
        async with limit:
            return [evolve(each, subject=f"{name} {each.subject}") for each in await asked]
    except FrameworkError as error:
        text = _without(name, str(error))
    except Exception as error:
        text = said(error, limit, within_s)
    return [Checkup(name, False, f"{what} failed: {text}")]


def _without(name: str, text: str) -> str:
    """An error's text without the account that stands before it in the line anyway."""
    return text.removeprefix(f"{name}: ")
