"""The venue's front for accounts: positions, money, settings."""

from __future__ import annotations

from decimal import Decimal

from attrs import define

from framework import Fill, Refusal

from . import choices, margin
from .account import Account, Position
from .front import Front
from .margin import Wallet


@define
class AccountFront(Front):
    """Questions about an account, and what it may choose."""

    def position(self, account: str, symbol: str) -> Position:
        """The position in one market, flat or not."""
        return self._desk(account).account.position(symbol)

    def positions(self, account: str) -> tuple[Position, ...]:
        """Every position that is not flat."""
        return tuple(self._desk(account).account.positions.values())

    def fills(self, account: str, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        """Executions in one market since an instant, oldest first."""
        return self._desk(account).fills(symbol, since_ns)

    def equity(self, account: str) -> Decimal:
        """Cash plus unrealised PnL at the mark prices."""
        return margin.equity(self._matching, self._desk(account))

    def available(self, account: str) -> Decimal:
        """Equity that no position and no resting order binds as initial margin."""
        return self.equity(account) - margin.margin_used(self._matching, self._desk(account))

    def account(self, account: str) -> Account:
        """The account itself: cash, fees, settings. Change it only through the methods here."""
        return self._desk(account).account

    def wallet(self, account: str) -> Wallet:
        """What is bound, what must stay and what is free."""
        return margin.wallet(self._matching, self._desk(account))

    def leverage(self, account: str, symbol: str) -> Decimal:
        """The leverage in force in a market."""
        return margin.leverage_in(self._matching, self._desk(account), symbol)

    def order_margin(self, account: str, symbol: str) -> Decimal:
        """The initial margin that resting orders of one market bind."""
        return margin.order_margin(self._matching, self._desk(account), symbol)

    def maintenance(self, account: str, symbol: str) -> Decimal:
        """The margin that has to stay for the position in one market."""
        return margin.maintenance(self._matching, self.position(account, symbol))

    def liquidation_price(self, account: str, symbol: str) -> Decimal | None:
        """The mark price that liquidates the account if nothing else moves; None while flat, or at no price."""
        position = self.position(account, symbol)
        if not position.quantity:
            return None
        return margin.liquidation_price(self._matching, self._desk(account), position)

    def set_leverage(self, account: str, symbol: str, leverage: Decimal, now_ns: int) -> Refusal | None:
        """Choose the leverage of a market."""
        return choices.set_leverage(self._at(now_ns), self._desk(account), symbol, leverage)

    def set_isolated(self, account: str, symbol: str | None, isolated: bool, now_ns: int) -> Refusal | None:
        """Choose isolated or cross margin for a market, or for the account (`symbol` None). Money stays cross."""
        return choices.set_isolated(self._at(now_ns), self._desk(account), symbol, isolated=isolated)

    def set_hedge_mode(self, account: str, hedge: bool, now_ns: int, *, by_force: bool = False) -> Refusal | None:
        """Switch between one-way and hedge mode. `by_force`: whatever is open; no refusal then."""
        return choices.set_hedge_mode(self._at(now_ns), self._desk(account), hedge=hedge, by_force=by_force)
