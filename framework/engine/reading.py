"""Reading a whole account at once: a few requests, however many positions there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable

from ..components import Exchange
from ..core.orders import Fill, VenuePosition
from ..core.reconcile import LOOK_BACK_DAYS, AccountSeen, Unread, shows_opening
from ..errors import ExchangeError
from .desk import DAY_NS

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
    fills = {symbol: await _executions(exchange, held[symbol], now_ns) for symbol in unknown(held.values())}
    return AccountSeen(account, now_ns, held, tuple(resting), fills)


async def _executions(exchange: Exchange, held: VenuePosition, now_ns: int) -> tuple[Fill, ...]:
    """The executions of one market back to the one that opened its position, as far as that is looked for."""
    found: tuple[Fill, ...] = ()
    for days in LOOK_BACK_DAYS:
        found = await exchange.fills(held.symbol, now_ns - days * DAY_NS)
        if shows_opening(held, found):
            break
    return found
