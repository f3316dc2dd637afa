"""A recorded market on the emulated venues: quotes, candles, open interest, and bars that are walked through."""

from __future__ import annotations

from attrs import define, field

from framework import (
    INTERVALS_S,
    BarUpdate,
    Candle,
    CandleUpdate,
    MarketUpdate,
    OpenInterestUpdate,
    Quote,
    QuoteUpdate,
    Side,
    floor_to,
)

from ..engine.path import BarPath, Point, after_opening, opening
from .clock import Cancel
from .tape import Bar
from .world import World


@define
class Playback:
    """Plays one piece after another, each at its instant. `order` is the way through a bar, seen from the position."""

    world: World
    order: BarPath
    _walks: dict[tuple[str, str], dict[int, Cancel]] = field(factory=dict, init=False)

    def play(self, venue: str, update: MarketUpdate) -> None:
        """Take over a piece of the market. What the venue does not list is passed over."""
        if update.symbol not in self.world.markets(venue):
            return
        match update:
            case QuoteUpdate():
                self._quote(venue, update)
            case CandleUpdate():
                self._keep(venue, update.symbol, update.interval, update.candle)
            case OpenInterestUpdate():
                self.world.tape(venue, update.symbol).open_interest_usd = update.open_interest_usd
            case BarUpdate():
                self._begin(venue, update)

    def next_ns(self) -> int | None:
        """When a price next moves on its way through a bar; None: no bar is under way."""
        return min((at_ns for walk in self._walks.values() for at_ns in walk), default=None)

    def _quote(self, venue: str, update: QuoteUpdate) -> None:
        quote: Quote = update.quote
        self.world.price(
            venue,
            update.symbol,
            quote.bid,
            quote.ask,
            mark=quote.mark,
            last=quote.last,
            bid_quantity=update.bid_quantity,
            ask_quantity=update.ask_quantity,
        )

    def _keep(self, venue: str, symbol: str, interval: str, candle: Candle) -> None:
        tape = self.world.tape(venue, symbol)
        bar = Bar(
            open_ns=candle.open_ns,
            open=candle.open,
            high=candle.high,
            low=candle.low,
            close=candle.close,
            volume=floor_to(candle.quote_volume / candle.close, tape.step),
            turnover=candle.quote_volume,
            trades=1,
        )
        tape.put_bar(INTERVALS_S[interval] // 60, bar)

    def _begin(self, venue: str, update: BarUpdate) -> None:
        """The market jumps to the bar's open, and goes on from there. A bar takes over from the one before."""
        symbol, bar = update.symbol, update.candle
        for cancel in self._walks.pop((venue, symbol), {}).values():
            cancel()
        price = opening(bar).price
        self.world.price(venue, symbol, price, price, mark=price, last=price)
        points = after_opening(bar, self._holding(venue, update.account, symbol), self.order)
        self._walks[venue, symbol] = {point.at_ns: self._at(venue, symbol, point) for point in points}
        self.world.at(bar.close_ns, lambda: self._keep(venue, symbol, update.interval, bar))

    def _at(self, venue: str, symbol: str, point: Point) -> Cancel:
        def reach() -> None:
            self._walks[venue, symbol].pop(point.at_ns)
            self.world.walk(venue, symbol, point.price)

        return self.world.at(point.at_ns, reach)

    def _holding(self, venue: str, account: str, symbol: str) -> Side | None:
        quantity = self.world.venues[venue].position(account, symbol).quantity
        if not quantity:
            return None
        return Side.LONG if quantity > 0 else Side.SHORT
