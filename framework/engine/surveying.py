"""Looking at accounts without a session: what a run would find there, and do. Nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from attrs import frozen

from ..components import Clock
from ..config import ConfiguredExchange, FrameworkSettings
from ..core.orders import VenuePosition
from ..core.position import Position
from ..core.reconcile import AccountSeen, Finding, Unread, reconcile, unknown_markets
from ..core.recovery import Action
from ..core.steering import Policy
from ..errors import ExchangeError
from ..journal import Silences
from .connecting import connect, disconnect
from .links import link_to_look
from .reading import read_account
from .reconciler import AGAIN_S


@frozen
class Survey:
    """What one account showed, and what follows from it."""

    seen: AccountSeen | Unread
    findings: tuple[Finding, ...]


async def survey(
    account: ConfiguredExchange,
    clock: Clock,
    known: Sequence[Position],
    settings: FrameworkSettings,
    silences: Silences | None = None,
) -> Survey:
    """Connect to an account, compare it with what the journal knows, and let go. Nothing is raised.

    `silences` are those that venues have asked for, and may ask for now.
    Where something would have to be seen twice before it is believed, the account is read twice.
    """
    exchange, name = account.component, account.name
    try:
        await connect(exchange, link_to_look(name, clock, silences), settings.start_timeout_s)
        first = await _survey(account, clock, known, settings, None)
        if isinstance(first.seen, Unread) or not _waits(first):
            return first
        await asyncio.sleep(AGAIN_S)
        return await _survey(account, clock, known, settings, first.seen)
    except ExchangeError as error:
        return _compared(Unread(name, clock.now_ns(), str(error)), None, known, settings)
    finally:
        await disconnect(exchange)


async def _survey(
    account: ConfiguredExchange,
    clock: Clock,
    known: Sequence[Position],
    settings: FrameworkSettings,
    before: AccountSeen | None,
) -> Survey:
    def unknown(held: Iterable[VenuePosition]) -> list[str]:
        return unknown_markets(held, known)

    seen = await read_account(account.component, account.name, clock.now_ns(), unknown, settings.data_timeout_s)
    return _compared(seen, before, known, settings)


def _compared(
    seen: AccountSeen | Unread, before: AccountSeen | None, known: Sequence[Position], settings: FrameworkSettings
) -> Survey:
    fence_ns, foreign = Policy.fence_ns, settings.foreign_positions
    found = reconcile(seen, before, known, foreign=foreign, fence_ns=fence_ns, now_ns=seen.time_ns)
    return Survey(seen, found)


def _waits(one: Survey) -> bool:
    return any(f.action is Action.WAIT and (f.order is not None or not f.position_id) for f in one.findings)
