"""Connecting to an exchange and letting go of it, each within a time limit: a venue that hangs keeps nobody waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ..components import Exchange, ExchangeLink
from ..core.market import MarketRules
from ..errors import ExchangeError, FrameworkError

STOP_S = 10.0
"""How long an exchange may take to let go of its connections."""


async def connect(exchange: Exchange, link: ExchangeLink, within_s: float) -> Mapping[str, MarketRules]:
    """Start an exchange and read the rules of its markets. Raises `ExchangeError`, whatever goes wrong."""
    limit = asyncio.timeout(within_s)
    try:
        async with limit:
            await exchange.start(link)
            return await exchange.markets()
    except FrameworkError:
        raise
    except Exception as error:
        raise ExchangeError(link.account, f"could not start: {said(error, limit, within_s)}") from error


async def disconnect(exchange: Exchange) -> str | None:
    """Let go of an exchange, one that was never started among them. What went wrong; None if all is well."""
    try:
        async with asyncio.timeout(STOP_S) as limit:
            await exchange.stop()
    except Exception as error:
        if limit.expired():
            return f"did not let go of its connections within {STOP_S:g} s; they end with this process"
        return f"could not let go of its connections: {type(error).__name__}: {error}"
    return None


def said(error: Exception, limit: asyncio.Timeout, within_s: float) -> str:
    """What an error says, on one line; of a time limit that has passed, how to raise it."""
    if isinstance(error, TimeoutError) and limit.expired():
        return no_answer(within_s)
    return " ".join(f"{type(error).__name__}: {error}".split())


def no_answer(within_s: float) -> str:
    """What is said of a venue that is not ready in time, and how to give it more."""
    return f"no answer within {within_s:g} s; see to the network, or raise [framework] start_timeout_s"
