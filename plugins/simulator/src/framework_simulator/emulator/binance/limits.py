"""Request weights by IP address, new orders by account; 429, and 418 for whoever does not listen.

Source: "Binance USD-M Futures, General Info, Limits". The emulator has one address: whoever talks to it.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field

from ..clock import NS_PER_S
from ..world import World
from .errors import VenueError

WEIGHT_PER_MINUTE = 2400
ORDERS_PER_10_S = 300
ORDERS_PER_MINUTE = 1200
# Unverified: how many requests after a 429 it takes, and how the ban grows; documented are 2 minutes to 3 days.
IGNORED_BEFORE_BAN = 20
FIRST_BAN_NS = 120 * NS_PER_S
LONGEST_BAN_NS = 3 * 24 * 60 * 60 * NS_PER_S
MINUTE_NS = 60 * NS_PER_S
TEN_SECONDS_NS = 10 * NS_PER_S

RATE_LIMITS: tuple[dict[str, Any], ...] = (
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": WEIGHT_PER_MINUTE},
    {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": ORDERS_PER_MINUTE},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": ORDERS_PER_10_S},
)


@define
class Window:
    """A counter that begins anew with every interval."""

    length_ns: int
    count: int = 0
    _number: int = -1

    def at(self, now_ns: int) -> int:
        """The count in the interval of an instant."""
        number = now_ns // self.length_ns
        if number != self._number:
            self._number, self.count = number, 0
        return self.count

    def left_s(self, now_ns: int) -> int:
        """Whole seconds until the next interval, at least 1."""
        return max(1, -(-(self.length_ns - now_ns % self.length_ns) // NS_PER_S))


@define
class Orders:
    """New orders of one account."""

    short: Window = field(factory=lambda: Window(TEN_SECONDS_NS))
    minute: Window = field(factory=lambda: Window(MINUTE_NS))


@define
class Limits:
    """What was used, and who is banned."""

    world: World
    _weight: Window = field(factory=lambda: Window(MINUTE_NS), init=False)
    _orders: dict[str, Orders] = field(factory=dict, init=False)
    _ignored: int = field(default=0, init=False)
    _bans: int = field(default=0, init=False)
    _banned_until_ns: int = field(default=0, init=False)

    def spend(self, weight: int) -> None:
        """Count a request. Raises -1003 above the limit (429), and while banned (418)."""
        now_ns = self.world.now_ns()
        if now_ns < self._banned_until_ns:
            raise self._banned()
        used = self._weight.at(now_ns) + weight
        self._weight.count = used
        if used <= WEIGHT_PER_MINUTE or not self.world.settings.rate_limits:
            return
        self._ignored += 1
        if self._ignored <= IGNORED_BEFORE_BAN:
            raise VenueError(-1003, WEIGHT_PER_MINUTE)
        self._ignored = 0
        self._banned_until_ns = now_ns + min(LONGEST_BAN_NS, FIRST_BAN_NS * 4**self._bans)
        self._bans += 1
        raise self._banned()

    def spend_orders(self, account: str, orders: int) -> None:
        """Count new orders. Raises -1015 above the limit."""
        now_ns = self.world.now_ns()
        mine = self._orders.setdefault(account, Orders())
        for window, largest, told in (
            (mine.short, ORDERS_PER_10_S, f"{ORDERS_PER_10_S} orders per TEN_SECONDS"),
            (mine.minute, ORDERS_PER_MINUTE, f"{ORDERS_PER_MINUTE} orders per MINUTE"),
        ):
            window.count = window.at(now_ns) + orders
            if window.count > largest and self.world.settings.rate_limits:
                raise VenueError(-1015, told)

    def headers(self, account: str | None, *, orders: bool) -> dict[str, str]:
        """What an answer tells of it."""
        now_ns = self.world.now_ns()
        told = {"X-MBX-USED-WEIGHT-1M": str(self._weight.at(now_ns))}
        if orders and account is not None:
            mine = self._orders.setdefault(account, Orders())
            told["X-MBX-ORDER-COUNT-10S"] = str(mine.short.at(now_ns))
            told["X-MBX-ORDER-COUNT-1M"] = str(mine.minute.at(now_ns))
        return told

    def retry_after_s(self) -> int:
        """How long a client that was refused has to be quiet."""
        now_ns = self.world.now_ns()
        if now_ns < self._banned_until_ns:
            return -(-(self._banned_until_ns - now_ns) // NS_PER_S)
        return self._weight.left_s(now_ns)

    def frames(self, account: str | None, *, orders: bool) -> list[dict[str, Any]]:
        """What a WebSocket answer tells of it."""
        now_ns = self.world.now_ns()
        if not orders or account is None:
            return [{**RATE_LIMITS[0], "count": self._weight.at(now_ns)}]
        mine = self._orders.setdefault(account, Orders())
        return [
            {**RATE_LIMITS[2], "count": mine.short.at(now_ns)},
            {**RATE_LIMITS[1], "count": mine.minute.at(now_ns)},
        ]

    def _banned(self) -> VenueError:
        until_ms = self._banned_until_ns // 1_000_000
        return VenueError(-1003, message=f"Way too many requests; IP banned until {until_ms}.", status=418)
