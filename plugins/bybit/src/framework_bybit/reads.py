"""What is read from the account. A read that fails, or whose answer is not understood, raises; it is never empty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any, TypeVar

from attrs import Factory, define, field

from framework import (
    Balance,
    ExchangeError,
    Fill,
    OrderReport,
    RestingOrder,
    StopReport,
    VenuePosition,
)
from framework_venue.budget import Purpose
from framework_venue.client import Client, Route
from framework_venue.shared import Shared

from . import limits, requests
from .strange import Row, StrangeAnswerError, cursor, rows
from .translate import Translator, is_attached, is_own_stop

T = TypeVar("T")

MOST_PAGES = 200
"""No list of ours is longer; a cursor that never ends is a defect of the venue's."""

DAY_MS = 24 * 60 * 60 * 1000
SPAN_MS = 7 * DAY_MS - 1000
"""One query covers at most seven days ("Bybit v5, Get Trade History")."""

KEPT_MS = 730 * DAY_MS
"""For so long the venue keeps them."""

AHEAD_MS = 60_000
"""How far beyond now the newest executions are asked for: their clock is not ours."""


@define(eq=False)
class Reads:
    """Reads of one account."""

    client: Client
    words: Translator
    _positions: Shared[tuple[VenuePosition, ...]] = field(
        default=Factory(lambda self: Shared(self._read_positions), takes_self=True), init=False
    )

    async def positions(self) -> tuple[VenuePosition, ...]:
        """Every position that is not flat. Those who ask at once share one request."""
        return await self._positions.get()

    async def _read_positions(self) -> tuple[VenuePosition, ...]:
        params = requests.linear(settleCoin=requests.COIN, limit=200)
        found = [
            self.understood(limits.POSITIONS, self.words.position, row)
            async for row in self.pages(limits.POSITIONS, params, Purpose.READ)
        ]
        return tuple(position for position in found if position.quantity)

    async def position(self, symbol: str, purpose: Purpose = Purpose.PROTECT) -> VenuePosition:
        """The position in one market, flat or not."""
        found = await self.position_rows(symbol, purpose)
        held = [self.understood(limits.POSITIONS, self.words.position, row) for row in found]
        if not held:
            raise self.malformed(limits.POSITIONS, f"there is no row for {symbol}")
        return next((position for position in held if position.quantity), held[0])

    async def position_rows(self, symbol: str, purpose: Purpose) -> list[Row]:
        """The rows of one market's position: one, or one for each side in hedge mode."""
        params = requests.linear(symbol=symbol)
        return [row async for row in self.pages(limits.POSITIONS, params, purpose) if row.get("symbol") == symbol]

    async def order_row(self, symbol: str, client_id: str, purpose: Purpose) -> Row | None:
        """An order of ours: among the open and recently closed ones, then among the past ones, whatever its end."""
        params = requests.named(symbol, client_id)
        for route in (limits.OPEN_ORDERS, limits.PAST_ORDERS):
            async for row in self.pages(route, params, purpose):
                if row.get("orderLinkId") == client_id:
                    return row
        return None

    async def order(self, symbol: str, client_id: str, purpose: Purpose = Purpose.READ) -> OrderReport | None:
        """An entry or a close of ours; None: the venue does not know the id."""
        row = await self.order_row(symbol, client_id, purpose)
        return None if row is None else self.understood(limits.OPEN_ORDERS, self.words.order_report, row)

    async def own_stop(self, symbol: str, client_id: str) -> StopReport | None:
        """A stop of its own, resting or not; None: the venue does not know the id."""
        row = await self.order_row(symbol, client_id, Purpose.PROTECT)
        return None if row is None else self.understood(limits.OPEN_ORDERS, self.words.stop_report, row)

    async def stops(self, symbol: str) -> tuple[StopReport, ...]:
        """The stops that rest in one market: the attached one, and those of their own."""
        params = requests.linear(symbol=symbol, orderFilter="StopOrder", limit=50)
        found = [
            self.understood(limits.OPEN_ORDERS, self.words.stop_report, row)
            async for row in self.pages(limits.OPEN_ORDERS, params, Purpose.READ)
            if is_attached(row) or is_own_stop(row)
        ]
        return tuple(stop for stop in found if stop.live)

    async def resting(self) -> tuple[RestingOrder, ...]:
        """Every order of the account that rests, in all markets: stops, attached ones, and all others."""
        params = requests.linear(settleCoin=requests.COIN, limit=50)
        found = [
            self.understood(limits.OPEN_ORDERS, self.words.resting_order, row)
            async for row in self.pages(limits.OPEN_ORDERS, params, Purpose.READ)
        ]
        return tuple(order for order in found if order is not None)

    async def fills(self, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        """Executions in one market since an instant, oldest first, of every type that changes a position."""
        clock = self.client.clock
        skew_ms = clock.skew_ms
        found = await self._fills(symbol, since_ns)
        if abs(clock.skew_ms - skew_ms) > clock.uncertain_ms:  # our clock was set meanwhile: other instants were meant
            found = await self._fills(symbol, since_ns)
        return found

    async def _fills(self, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        now_ms = self.client.clock.now_ms()
        start_ms = max(min(self.words.venue_ms(since_ns), now_ms), now_ms - KEPT_MS)
        found: dict[str, Fill] = {}
        while start_ms <= now_ms:
            end_ms = start_ms + SPAN_MS
            for row in reversed(await self._executions(symbol, start_ms, min(end_ms, now_ms + AHEAD_MS))):
                fill = self.understood(limits.EXECUTIONS, self.words.fill, row)
                if fill is not None:
                    found.setdefault(fill.id, fill)
            start_ms = end_ms + 1
        return tuple(sorted(found.values(), key=lambda fill: fill.time_ns))

    async def balance(self, leverage: Decimal) -> Balance:
        """The account's money."""
        body = await self.client.read(limits.WALLET, {"accountType": "UNIFIED"})
        wallets = self.understood(limits.WALLET, rows, body)
        if not wallets:
            raise self.malformed(limits.WALLET, "there is no unified wallet")
        return self.understood(limits.WALLET, self.words.balance, wallets[0], leverage)

    async def pages(self, route: Route, params: requests.Params, purpose: Purpose) -> AsyncIterator[Row]:
        """The rows of a list, all of its pages."""
        after = ""
        for _ in range(MOST_PAGES):
            body = await self.client.read(route, {**params, **({"cursor": after} if after else {})}, purpose)
            page, following = self.understood(route, rows, body), self.understood(route, cursor, body)
            for row in page:
                yield row
            if not following or not page or following == after:
                return
            after = following
        raise self.malformed(route, f"the list has more than {MOST_PAGES} pages")

    def understood(self, route: Route, read: Callable[..., T], *given: Any) -> T:
        """What `read` makes of what was given. Raises `ExchangeError` where that has not the documented form."""
        try:
            return read(*given)
        except StrangeAnswerError as error:
            raise self.malformed(route, str(error)) from None

    def malformed(self, route: Route, why: str) -> ExchangeError:
        """An answer that can't be read, as the error of a read."""
        text = f"{route.method}: the answer is not what the venue documents: {why}"
        return ExchangeError(self.client.account, text, code="strange_answer")

    async def _executions(self, symbol: str, start_ms: int, end_ms: int) -> list[Row]:
        params = requests.linear(symbol=symbol, startTime=start_ms, endTime=end_ms, limit=100)
        return [row async for row in self.pages(limits.EXECUTIONS, params, Purpose.READ)]
