"""Requests per second by account and route (10006), and by address (HTTP 403).

Source: "Bybit v5, Rate Limit". The emulator has one address: whoever talks to it.
"""

from __future__ import annotations

from attrs import define, field

from ..clock import NS_PER_MS, NS_PER_S
from ..world import World
from .errors import VenueError

REQUESTS_BY_ADDRESS = 600
ADDRESS_WINDOW_NS = 5 * NS_PER_S
BAN_NS = 10 * 60 * NS_PER_S
FORBIDDEN = 403
TOO_MANY_VISITS = 10006


@define
class Bucket:
    """A counter that begins anew with every interval."""

    length_ns: int
    count: int = 0
    _number: int = -1

    def add(self, now_ns: int, amount: int) -> int:
        """Count `amount`; answers the count in the interval of this instant."""
        number = now_ns // self.length_ns
        if number != self._number:
            self._number, self.count = number, 0
        self.count += amount
        return self.count

    def end_ms(self) -> int:
        """When the interval ends, ms UTC."""
        return (self._number + 1) * self.length_ns // NS_PER_MS


@define
class Limits:
    """What was used, and whether the address is banned."""

    world: World
    _address: Bucket = field(factory=lambda: Bucket(ADDRESS_WINDOW_NS), init=False)
    _routes: dict[tuple[str, str], Bucket] = field(factory=dict, init=False)
    _banned_until_ns: int = field(default=0, init=False)

    def refuses_address(self) -> bool:
        """Count a request of whoever it is. True: too many, for the next ten minutes nothing is answered."""
        now_ns = self.world.now_ns()
        if not self.world.settings.rate_limits:
            return False
        if now_ns >= self._banned_until_ns and self._address.add(now_ns, 1) > REQUESTS_BY_ADDRESS:
            self._banned_until_ns = now_ns + BAN_NS
        return now_ns < self._banned_until_ns

    def spend(self, account: str, route: str, limit: int, amount: int = 1) -> dict[str, str]:
        """Count requests of an account on a route; answers the headers that tell of it. Raises 10006 with them."""
        now_ns = self.world.now_ns()
        bucket = self._routes.setdefault((account, route), Bucket(NS_PER_S))
        used = bucket.add(now_ns, amount)
        over = used > limit and self.world.settings.rate_limits
        headers = {
            "X-Bapi-Limit": str(limit),
            "X-Bapi-Limit-Status": str(max(0, limit - used)),
            "X-Bapi-Limit-Reset-Timestamp": str(bucket.end_ms() if over else self.world.told_ms("bybit")),
        }
        if over:
            raise TooManyVisitsError(headers)
        return headers

    def used_up(self) -> dict[str, str]:
        """The headers of an answer that a fault makes 10006: come back in a second."""
        reset_ms = self.world.told_ms("bybit") + NS_PER_S // NS_PER_MS
        return {
            "X-Bapi-Limit": str(self.world.settings.orders_per_s),
            "X-Bapi-Limit-Status": "0",
            "X-Bapi-Limit-Reset-Timestamp": str(reset_ms),
        }


class TooManyVisitsError(VenueError):
    """10006, with the headers that tell when to come back."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(TOO_MANY_VISITS)
        self.headers = headers
