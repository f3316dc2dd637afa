"""Reading a whole account at once: a few requests, however many positions there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable

from ..components import Exchange
from ..core.orders import VenuePosition
from ..core.reconcile import LOOK_BACK_NS, AccountSeen, Unread
from ..errors import ExchangeError

Unknown = Callable[[Iterable[VenuePosition]], Collection[str]]
"""Which of the markets that are held nobody knows of. Asked when the positions are there."""


async def read_account(
    exchange: Exchange, account: str, now_ns: int, unknown: Unknown, timeout_s: float
) -> AccountSeen | Unread:
    """Positions, resting orders, and the executions of markets whose position nobody knows. Nothing is raised."""
    try:
        async with asyncio.timeout(timeout_s) as limit:
            return await _read(exchange, account, now_ns, unknown)
    except ExchangeError as error:
        return Unread(account, now_ns, str(error))
    except Exception as error:  # a reading that breaks is one that failed, never "nothing there"
        if isinstance(error, TimeoutError) and limit.expired():
            return Unread(account, now_ns, f"{account}: no answer within {timeout_s:g} s")
        return Unread(account, now_ns, f"{account}: {type(error).__name__}: {error}")


async def _read(exchange: Exchange, account: str, now_ns: int, unknown: Unknown) -> AccountSeen:
    positions, resting = await asyncio.gather(exchange.positions(), exchange.resting())
    held = {position.symbol: position for position in positions if position.quantity}
    fills = {symbol: await exchange.fills(symbol, now_ns - LOOK_BACK_NS) for symbol in unknown(held.values())}
    return AccountSeen(account, now_ns, held, tuple(resting), fills)
