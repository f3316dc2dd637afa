"""One request on its way through a handler, and what handlers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from attrs import frozen

from framework import Refusal

from ...engine.book import Book
from ...engine.rules import Market
from ...engine.venue import Venue
from ..view import View
from ..world import KeyInfo, World
from .errors import VenueError, bad_param, from_refusal, missing
from .notes import VENUE, Notes
from .params import Params

T = TypeVar("T")
Row = dict[str, Any]


@frozen
class Answer:
    """What a handler answers where the result alone won't do: batches have a word on every item."""

    result: Mapping[str, Any]
    extra: Mapping[str, Any]


@frozen
class Call:
    """A request that was let in. `key` is None on public routes."""

    world: World
    params: Params
    notes: Notes
    key: KeyInfo | None = None

    @property
    def account(self) -> str:
        """Whose request it is. Raises 10003 on a route without a key."""
        if self.key is None:
            raise VenueError(10003)
        return self.key.account

    @property
    def engine(self) -> Venue:
        """The venue, for reads that don't lag: money, settings."""
        return self.world.venues[VENUE]

    @property
    def view(self) -> View:
        """The account as queries see it now."""
        return self.world.visible(VENUE, self.account)

    def act(self, do: Callable[[Venue, str, int], T | Refusal]) -> T:
        """Change something on the account; a refusal is raised in Bybit's words."""
        account = self.account
        answer = self.world.act(VENUE, lambda venue, now_ns: do(venue, account, now_ns))
        if isinstance(answer, Refusal):
            raise from_refusal(answer)
        return answer

    def market(self, symbol: str) -> Market:
        """The rules of a listed symbol. Raises 10001 for another."""
        market = self.engine.markets.get(symbol)
        if market is None:
            raise VenueError(10001, "Symbol Invalid")
        return market

    def symbol(self) -> str:
        """The mandatory symbol, listed."""
        symbol = self.params.need("symbol")
        self.market(symbol)
        return symbol

    def some_symbol(self) -> str | None:
        """The symbol, listed, if there is one."""
        return None if self.params.text("symbol") is None else self.symbol()

    def require_one_way(self) -> None:
        """Raises unless positionIdx suits the position mode. Positions by side are not modelled."""
        index = self.params.whole("positionIdx") or 0
        if index not in (0, 1, 2):
            raise bad_param("positionIdx")
        if (index == 0) is self.engine.account(self.account).hedge_mode:
            raise VenueError(10001, message="position idx not match position mode")
        if index:
            raise VenueError(10001, "positions by side are not emulated, switch to one-way mode")

    def symbol_or_coin(self) -> str | None:
        """The symbol, or None for every symbol: then a settleCoin or baseCoin has to be there."""
        symbol = self.some_symbol()
        if symbol is None and self.params.text("settleCoin") is None and self.params.text("baseCoin") is None:
            raise missing("symbol, settleCoin or baseCoin")
        return symbol

    def settles(self, symbol: str) -> bool:
        """Whether a symbol is among those that settleCoin and baseCoin ask for."""
        row = self.world.rows[VENUE].get(symbol, {})
        settle, base = self.params.text("settleCoin"), self.params.text("baseCoin")
        return settle in (None, row.get("settleCoin", "USDT")) and base in (None, row.get("baseCoin"))

    def book(self, symbol: str) -> Book | None:
        """The market of a symbol; None before its first quote."""
        return self.world.book(VENUE, symbol)

    def window(self, time_of: Callable[[T], int], rows: Iterable[T]) -> list[T]:
        """The rows from `startTime` to `endTime` (ms), by their time in ns."""
        start, end = self.params.whole("startTime"), self.params.whole("endTime")
        if start is not None and end is not None and start > end:
            raise VenueError(10001, "startTime should be earlier than endTime")
        return [
            row
            for row in rows
            if (start is None or time_of(row) // 1_000_000 >= start)
            and (end is None or time_of(row) // 1_000_000 <= end)
        ]


Handler = Callable[[Call], Mapping[str, Any] | Answer]


def newest_first(rows: Iterable[Row], time: str) -> list[Row]:
    """Rows by a time in ms; of one millisecond, the one that came last goes first."""
    ordered = list(rows)
    ordered.reverse()
    ordered.sort(key=lambda row: -int(row[time]))
    return ordered


def page(call: Call, rows: list[Row], key: str, *, default: int, largest: int) -> Row:
    """A page of rows that are sorted already, after the one whose `key` is the cursor; with the next cursor."""
    limit, cursor = call.params.limit(default, largest), call.params.text("cursor")
    start = 0
    if cursor is not None:
        places = [place for place, row in enumerate(rows) if str(row[key]) == cursor]
        start = places[0] + 1 if places else len(rows)
    part = rows[start : start + limit]
    more = start + limit < len(rows)
    return {"category": "linear", "list": part, "nextPageCursor": str(part[-1][key]) if more and part else ""}
