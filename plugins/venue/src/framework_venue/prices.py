"""Quotes from news in parts: a venue tells bid, ask, last and mark price apart, and often only what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation

from attrs import define, field

from framework import Quote

NEVER_NS = -1
BID, ASK, LAST, MARK = range(4)

LEAST, MOST = Decimal("1e-18"), Decimal("1e12")
"""No market in dollars has prices beyond these: who reckoned with one that is would break, and never be asked again."""


@define(eq=False)
class _Known:
    """What is known of a symbol, by field: the price, as it was written, and when it was told."""

    prices: list[Decimal | None] = field(factory=lambda: [None] * 4)
    written: list[Decimal | str | None] = field(factory=lambda: [None] * 4)
    times_ns: list[int] = field(factory=lambda: [NEVER_NS] * 4)
    newest_ns: int = NEVER_NS


@define(eq=False)
class PriceBoard:
    """The latest prices by symbol. `emit` gets a quote whenever all four prices are known and one has changed.

    Until `keep` is called, every symbol is watched.
    """

    emit: Callable[[str, Quote], None]
    _known: dict[str, _Known] = field(factory=dict, init=False)
    _watched: frozenset[str] | None = field(default=None, init=False)

    def update(
        self,
        symbol: str,
        time_ns: int,
        *,
        bid: Decimal | str | None = None,
        ask: Decimal | str | None = None,
        last: Decimal | str | None = None,
        mark: Decimal | str | None = None,
    ) -> None:
        """News of one symbol, told by the venue at `time_ns`.

        What is no number that a price can be is ignored, as is what is older than the news of the same price before it,
        or of a symbol that nobody watches. The quote carries the time of the newest news.
        """
        known = self._known.get(symbol)
        if known is None:
            if self._watched is not None and symbol not in self._watched:
                return
            known = self._known[symbol] = _Known()
        # One line for each price: this is called for every tick of every open position.
        changed = bid is not None and _take(known, BID, bid, time_ns)
        changed = (ask is not None and _take(known, ASK, ask, time_ns)) or changed
        changed = (last is not None and _take(known, LAST, last, time_ns)) or changed
        changed = (mark is not None and _take(known, MARK, mark, time_ns)) or changed
        if changed:
            b, a, l, m = known.prices  # noqa: E741
            if b is not None and a is not None and l is not None and m is not None:
                self.emit(symbol, Quote(b, a, l, m, known.newest_ns))

    def keep(self, symbols: Iterable[str]) -> None:
        """Watch these symbols from now on: what is known of all others is forgotten, and their news is ignored."""
        self._watched = frozenset(symbols)
        self._known = {symbol: known for symbol, known in self._known.items() if symbol in self._watched}

    def forget(self, symbols: Iterable[str]) -> None:
        """Forget what is known of these symbols; if `keep` has named them, they are watched no more."""
        gone = frozenset(symbols)
        for symbol in gone:
            self._known.pop(symbol, None)
        if self._watched is not None:
            self._watched -= gone

    def stale(self) -> None:
        """News may have been missed: nothing known is used any more. Quotes come again when all four are known anew."""
        self._known.clear()

    def redate(self) -> None:
        """A clock was set: the next news of each price count, however old they seem beside those from before."""
        for known in self._known.values():
            known.times_ns = [NEVER_NS] * 4
            known.newest_ns = NEVER_NS


def _take(known: _Known, which: int, news: Decimal | str, time_ns: int) -> bool:
    """Take over one price. Whether it is another one than before."""
    if time_ns < known.times_ns[which]:
        return False
    written = known.written[which]
    same = type(news) is str and type(written) is str and news == written
    price = known.prices[which] if same else _price(news)
    if price is None:
        return False
    known.times_ns[which] = time_ns
    if time_ns > known.newest_ns:
        known.newest_ns = time_ns
    known.written[which] = news
    if price == known.prices[which]:
        return False
    known.prices[which] = price
    return True


def _price(news: Decimal | str) -> Decimal | None:
    """The news as a price; None if it is none."""
    try:
        price = Decimal(news)
    except InvalidOperation:
        return None
    return price if price.is_finite() and LEAST <= price <= MOST else None
