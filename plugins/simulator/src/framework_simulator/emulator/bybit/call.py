"""One request on its way through a handler, and what handlers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from attrs import frozen

from framework import Refusal

from ..desk_call import DeskCall
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
class Call(DeskCall[Params]):
    """A request to Bybit."""

    notes: Notes

    VENUE: ClassVar = VENUE

    def nobody(self) -> VenueError:
        """10003."""
        return VenueError(10003)

    def unlisted(self) -> VenueError:
        """10001."""
        return VenueError(10001, "Symbol Invalid")

    def refused(self, refusal: Refusal) -> VenueError:
        """The engine's refusal in Bybit's words."""
        return from_refusal(refusal)

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
