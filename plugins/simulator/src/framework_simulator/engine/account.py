"""One account's money: cash, positions, realised PnL, fees, and the margin that its leverage asks for.

Everything is exact. A position keeps its cost, not its average price, so that at every instant, to the last digit::

    cash = deposit + received - fees - sum(signed quantity x price of every fill) + signed cost of the open positions
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from attrs import define, field, frozen

from framework import OrderSide, Percent

from .money import ZERO, average, share_of, signed


@frozen
class Position:
    """A position in one-way mode. `quantity` is signed: negative is short. `cost` is its notional at entry, >= 0."""

    symbol: str
    quantity: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def size(self) -> Decimal:
        """The quantity without its sign."""
        return abs(self.quantity)

    @property
    def entry_price(self) -> Decimal:
        """The average entry price, rounded to 12 decimals; 0 while flat."""
        return average(self.cost, self.size) if self.quantity else ZERO

    @property
    def exit_side(self) -> OrderSide:
        """The side of an order that reduces the position."""
        return OrderSide.SELL if self.quantity > ZERO else OrderSide.BUY

    def unrealized_pnl(self, mark: Decimal) -> Decimal:
        """What closing at `mark` would realise, before the fee."""
        return self.quantity * mark - self.cost.copy_sign(self.quantity)

    def reducible(self, side: OrderSide, quantity: Decimal) -> Decimal:
        """How much of an order of `side` would reduce the position: 0 when it would open or enlarge it."""
        if not self.quantity or side is not self.exit_side:
            return ZERO
        return min(quantity, self.size)


@define
class Account:
    """Cash and positions of one account. `leverage` is what it chose; a market may allow less.

    `leverages` and `isolated` hold what was chosen for single markets. `hedge_mode`: positions by side, which is not
    modelled: orders are refused then.
    """

    name: str
    cash: Decimal
    leverage: Decimal
    taker_fee: Percent
    maker_fee: Percent
    realized_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    received: Decimal = ZERO
    positions: dict[str, Position] = field(factory=dict)
    leverages: dict[str, Decimal] = field(factory=dict)
    isolated: set[str] = field(factory=set)
    hedge_mode: bool = False

    def leverage_of(self, symbol: str) -> Decimal:
        """The leverage chosen for a market."""
        return self.leverages.get(symbol, self.leverage)

    def position(self, symbol: str) -> Position:
        """The position in one market, flat or not."""
        return self.positions.get(symbol) or Position(symbol)

    def apply(self, symbol: str, side: OrderSide, quantity: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        """Book one fill; answers the PnL that it realised, before the fee.

        Raises ValueError for a fill that would carry the position through zero: the caller splits it there.
        """
        held = self.position(symbol)
        change = signed(side, quantity)
        if held.quantity * change >= ZERO:
            realized = ZERO
            after = Position(symbol, held.quantity + change, held.cost + quantity * price)
        elif quantity > held.size:
            raise ValueError(f"{symbol}: a fill of {change} would carry the position of {held.quantity} through zero")
        else:
            share = share_of(held.cost, quantity, held.size)
            realized = (quantity * price - share) * (1 if held.quantity > ZERO else -1)
            after = Position(symbol, held.quantity + change, held.cost - share)
        self._keep(after)
        self.realized_pnl += realized
        self.fees += fee
        self.cash += realized - fee
        return realized

    def equity(self, mark_of: Callable[[str], Decimal]) -> Decimal:
        """Cash plus the unrealised PnL of every position at its mark price."""
        return sum((p.unrealized_pnl(mark_of(p.symbol)) for p in self.positions.values()), self.cash)

    def receive(self, amount: Decimal) -> None:
        """Funding or a transfer: money that no trade made. Negative: it goes out."""
        self.cash += amount
        self.received += amount

    def _keep(self, position: Position) -> None:
        if position.quantity:
            self.positions[position.symbol] = position
        else:
            self.positions.pop(position.symbol, None)
