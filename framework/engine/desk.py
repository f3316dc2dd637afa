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

KEPT_SETTLED = 500
"""Positions that are over and settled, kept so that what a stream repeats of them is recognised."""


@define
class Desk:
    """What the engine knows of one account. `closed` holds what was closed within the last two days, by position.

    `foreign` are the markets with a position that is not ours and is left alone. `absent`: why the account can't be
    asked for anything, nor told; empty: it is connected.
    """

    account: str
    target: int
    exchange: Exchange
    policy: Policy
    markets: Mapping[str, MarketRules] = field(factory=dict)
    positions: dict[str, Position] = field(factory=dict)
    balance: Balance | None = None
    planned_margin_usd: Decimal = ZERO
    closed: dict[str, ClosedPosition] = field(factory=dict)
    levels: dict[str, Levels] = field(factory=dict)
    quotes: dict[str, Quote] = field(factory=dict)
    foreign: frozenset[str] = frozenset()
    absent: str = ""
    _open: dict[str, Position] = field(factory=dict, init=False)
    _settled: dict[str, None] = field(factory=dict, init=False)

    def keep(self, position: Position) -> None:
        """Take over a position's new record: its levels follow, and a closed one is counted once."""
        self.positions[position.id] = position
        if position.state.is_final:
            self._open.pop(position.id, None)
        else:
            self._open[position.id] = position
        self._set_levels(position)
        if position.state is State.CLOSED and position.closed_ns is not None:
            self._count(position, position.closed_ns)
        else:
            self.closed.pop(position.id, None)
        if not position.is_settled:
            self._settled.pop(position.id, None)
            return
        self._settled[position.id] = None
        if len(self._settled) > KEPT_SETTLED:
            oldest = next(iter(self._settled))
            del self._settled[oldest], self.positions[oldest]

    def open_positions(self) -> list[Position]:
        """The positions that are open, or being opened or closed."""
        return list(self._open.values())

    def unsettled(self) -> list[Position]:
        """The positions of which something may still turn up: the open ones, and what is not tidied up yet."""
        return [p for p in self.positions.values() if p.id not in self._settled]

    def holder_of(self, symbol: str) -> Position | None:
        """The position that is open, or being opened, in a market. There is at most one."""
        return next((p for p in self._open.values() if p.symbol == symbol), None)

    def opened(self, wave_id: str) -> frozenset[str]:
        """The signals of a wave that a position of ours stands for: opened, or still on its way."""
        mine = (p for p in self.positions.values() if p.wave_id == wave_id)
        return frozenset(p.signal_id for p in mine if p.protected_ns is not None or not p.state.is_final)

    def is_taken(self, symbol: str) -> bool:
        """Whether a market has a position, or one that may turn up: two in one market are never let happen."""
        return symbol in self.foreign or any(p.symbol == symbol for p in self.unsettled())

    def found(self, held: frozenset[str]) -> None:
        """Positions that the venue shows in markets in which we have none are not ours: nothing is entered there."""
        self.foreign |= held - {position.symbol for position in self.unsettled()}

    def new_balance(self, balance: Balance | None) -> None:
        """Take over the account's money as just read. What is entering has used none of it yet, so it is set aside."""
        self.balance = balance
        self.planned_margin_usd = ZERO
        for position in self.open_positions():
            if position.entered <= ZERO:
                self.reserve(position.as_open.notional_usd)

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
            open=tuple(p.as_open for p in self._open.values()),
            closed=tuple(c for c in self.closed.values() if c.closed_ns >= since_ns),
            leverage=Decimal(1) if balance is None else balance.leverage,
        )

    def watched(self) -> frozenset[str]:
        """The markets whose prices are needed."""
        return frozenset(p.symbol for p in self._open.values())

    def _count(self, position: Position, closed_ns: int) -> None:
        pnl = position.realized_pnl_usd
        self.closed[position.id] = ClosedPosition(
            self.account, position.symbol, position.side, closed_ns, ZERO if pnl is None else pnl
        )
        for old in [i for i, c in self.closed.items() if c.closed_ns < closed_ns - 2 * DAY_NS]:
            del self.closed[old]

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
