"""The market of one symbol as the engine knows it: best bid and ask, how much is there, last and mark price."""

from __future__ import annotations

from decimal import Decimal

from attrs import define

from framework import OrderSide, PriceSource, Quote

from .money import ZERO


@define
class Book:
    """Best prices with their depth in the base asset (None: unlimited). Orders that take liquidity use it up."""

    quote: Quote
    bid_quantity: Decimal | None = None
    ask_quantity: Decimal | None = None

    def best_for(self, side: OrderSide) -> Decimal:
        """The price that an order of `side` takes: a buy the ask, a sale the bid."""
        return self.quote.ask if side is OrderSide.BUY else self.quote.bid

    def trigger_price(self, source: PriceSource) -> Decimal:
        """The price that stops of this source look at."""
        return self.quote.last if source is PriceSource.LAST else self.quote.mark

    def depth_for(self, side: OrderSide) -> Decimal | None:
        """How much an order of `side` can take at the best price; None: any amount."""
        return self.ask_quantity if side is OrderSide.BUY else self.bid_quantity

    def use_up(self, side: OrderSide, quantity: Decimal) -> None:
        """Take `quantity` out of the book on behalf of an order of `side`."""
        depth = self.depth_for(side)
        if depth is None:
            return
        if side is OrderSide.BUY:
            self.ask_quantity = max(ZERO, depth - quantity)
        else:
            self.bid_quantity = max(ZERO, depth - quantity)

    def stands_at(self, price: Decimal) -> bool:
        """Whether bid, ask, last and mark are this price already."""
        return self.quote.bid == self.quote.ask == self.quote.last == self.quote.mark == price

    def jump(self, quote: Quote, bid_quantity: Decimal | None, ask_quantity: Decimal | None) -> None:
        """Replace the market. Raises ValueError for prices that no market can have."""
        require_sane(quote)
        self.quote = quote
        self.bid_quantity = bid_quantity
        self.ask_quantity = ask_quantity

    def step_to(self, price: Decimal, time_ns: int) -> None:
        """Move bid, ask, last and mark to one price; nothing is known of depth there, so it is unlimited."""
        self.jump(Quote(bid=price, ask=price, last=price, mark=price, time_ns=time_ns), None, None)


def require_sane(quote: Quote) -> None:
    """Raise ValueError unless all prices are finite and positive and the bid is not above the ask."""
    prices = (quote.bid, quote.ask, quote.last, quote.mark)
    if not all(price.is_finite() and price > ZERO for price in prices):
        raise ValueError(f"prices must be positive and finite, got {', '.join(map(str, prices))}")
    if quote.bid > quote.ask:
        raise ValueError(f"the bid {quote.bid} is above the ask {quote.ask}")
