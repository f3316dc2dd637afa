"""What the parts of a connected account share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiohttp
from attrs import define, field

from framework import (
    ExchangeLink,
    Health,
    HealthSeen,
    MarketRules,
    StreamLost,
    StreamRestored,
    VenueNotice,
)

from .background import Background
from .budget import Budget
from .client import Client
from .clock import VenueClock
from .ids import OrderIds
from .preparing import Preparer
from .prices import PriceBoard
from .stream import Stream


@define(eq=False)
class Line:
    """What an account has while it is connected."""

    link: ExchangeLink
    clock: VenueClock
    session: aiohttp.ClientSession
    budget: Budget
    client: Client
    background: Background
    board: PriceBoard
    ids: OrderIds
    preparing: Preparer
    renew_rules: Callable[[], Awaitable[None]]
    """Read the markets' rules now, and tell the kernel what has changed. Raises `ExchangeError`."""

    streams: list[Stream] = field(factory=list)
    markets: dict[str, MarketRules] = field(factory=dict)
    entries_off: str = ""
    """Why no entry is sent; empty: they may be."""

    watched: frozenset[str] | None = None
    """What the kernel wants to see prices of, until it has been passed on."""

    def notice(self, level: str, code: str, message: str) -> None:
        """Tell people something, through the kernel's journal."""
        self.link.emit(VenueNotice(level, code, message))

    def report(self, condition: str, health: Health, reason: str = "", *, told: bool = False) -> None:
        """Say how something of the account is; `told`: a notice says so already."""
        self.link.emit(HealthSeen(condition, health, reason, told))

    def lost(self, why: str) -> None:
        """Events of the account may have been missed from here on."""
        self.link.emit(StreamLost(why))

    def restored(self) -> None:
        """Events of the account flow again: the kernel reads back what happened in between."""
        self.link.emit(StreamRestored())
