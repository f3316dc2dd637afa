"""One account at work: its exchange, its market rules, its positions, and who waits for which price."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import define, field

from ..components import Exchange
from ..core.guards import next_ask
from ..core.market import Account, ClosedPosition, MarketRules, Quote
from ..core.numbers import ZERO
from ..core.orders import Balance
from ..core.position import Position, State
from ..core.steering import Policy
from ..core.triggers import Levels

DAY_NS = 86_400 * 1_000_000_000


@define
class Desk:
    """What the engine knows of one account."""

    account: str
    target: int
    exchange: Exchange
    policy: Policy
    markets: Mapping[str, MarketRules] = field(factory=dict)
    positions: dict[str, Position] = field(factory=dict)
    balance: Balance | None = None
    planned_margin_usd: Decimal = ZERO
    closed: list[ClosedPosition] = field(factory=list)
    levels: dict[str, Levels] = field(factory=dict)
    quotes: dict[str, Quote] = field(factory=dict)

    def keep(self, position: Position) -> None:
        """Take over a position's new record: its levels follow, and a finished one leaves for `closed`."""
        self.positions[position.id] = position
        self._set_levels(position)
        if position.state is State.CLOSED and position.closed_ns is not None:
            pnl = position.realized_pnl_usd
            self.closed.append(
                ClosedPosition(
                    self.account, position.symbol, position.side, position.closed_ns, ZERO if pnl is None else pnl
                )
            )

    def forget(self, position_id: str) -> None:
        """Let go of a position that is over and has nothing left to sweep."""
        self.positions.pop(position_id, None)

    def open_positions(self) -> list[Position]:
        """The positions that are open, or being opened or closed."""
        return [p for p in self.positions.values() if not p.state.is_final]

    def holder_of(self, symbol: str) -> Position | None:
        """The position that is open, or being opened, in a market. There is at most one."""
        return next((p for p in self.open_positions() if p.symbol == symbol), None)

    def new_balance(self, balance: Balance | None) -> None:
        """Take over the account's money as just read; what is planned from here on is set against it."""
        self.balance = balance
        self.planned_margin_usd = ZERO

    def reserve(self, notional_usd: Decimal) -> None:
        """Count the margin of a position that is about to be opened."""
        if self.balance is not None:
            self.planned_margin_usd += notional_usd / self.balance.leverage

    def as_account(self, now_ns: int) -> Account:
        """The account as filters, sizers and risk rules see it."""
        balance = self.balance
        midnight_ns = now_ns - now_ns % DAY_NS
        since_ns = min(midnight_ns, now_ns - DAY_NS)
        return Account(
            name=self.account,
            equity_usd=ZERO if balance is None else balance.equity_usd,
            available_usd=ZERO if balance is None else balance.available_usd - self.planned_margin_usd,
            open=tuple(p.as_open() for p in self.open_positions()),
            closed=tuple(c for c in self.closed if c.closed_ns >= since_ns),
            leverage=Decimal(1) if balance is None else balance.leverage,
        )

    def watched(self) -> frozenset[str]:
        """The markets whose prices are needed."""
        return frozenset(p.symbol for p in self.open_positions())

    def _set_levels(self, position: Position) -> None:
        if position.state.is_final:
            if position.symbol in self.levels:
                self.levels[position.symbol].set(position.id, None, None)
            return
        ask = next_ask(position)
        if position.symbol not in self.levels:
            if ask.below is None and ask.above is None:
                return
            self.levels[position.symbol] = Levels()
        self.levels[position.symbol].set(position.id, ask.below, ask.above)
