"""What an account may choose: leverage, margin type, position mode. And when it may not."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from framework import Refusal, plain

from .desk import Desk
from .events import SettingsChanged
from .margin import mark
from .orders import Stop, StopRequest
from .style import Reason
from .tiers import tier_for

if TYPE_CHECKING:
    from .matching import Matching

WHOLE_ACCOUNT = "*"
"""Stands for every market in `Account.isolated`."""


def set_leverage(venue: Matching, desk: Desk, symbol: str, leverage: Decimal) -> Refusal | None:
    """Choose the leverage of a market, within what the market and the position's tier allow."""
    market, style = venue.markets.get(symbol), venue.style
    if market is None:
        return style.refusal(Reason.UNKNOWN_SYMBOL, f"{symbol} is not listed")
    most = market.tiers[0].max_leverage
    if market.rules.max_leverage is not None:
        most = market.rules.max_leverage
    if not 1 <= leverage <= most:
        return style.refusal(Reason.LEVERAGE_INVALID, f"{symbol}: a leverage of {leverage} is not within 1 and {most}")
    current = desk.account.leverage_of(symbol)
    if leverage == current and style.leverage_no_op_refused:
        return style.refusal(Reason.LEVERAGE_UNCHANGED, "leverage not modified")
    position = desk.account.position(symbol)
    if position.quantity:
        allowed = tier_for(market.tiers, position.size * mark(venue, symbol)).max_leverage
        if leverage > allowed and leverage > current:
            message = f"{symbol}: a position of this size allows a leverage of {allowed}"
            return style.refusal(Reason.LEVERAGE_TOO_HIGH, message)
        isolated = symbol in desk.account.isolated
        if isolated and leverage < current and Reason.LEVERAGE_ISOLATED in style.codes:
            message = f"{symbol}: the leverage of an isolated position can't be lowered"
            return style.refusal(Reason.LEVERAGE_ISOLATED, message)
    desk.account.leverages[symbol] = leverage
    _told(venue, desk, "leverage", symbol, plain(leverage))
    return None


def set_isolated(venue: Matching, desk: Desk, symbol: str | None, *, isolated: bool) -> Refusal | None:
    """Choose the margin type of a market, or of the account."""
    style, place = venue.style, symbol or WHOLE_ACCOUNT
    if symbol is not None and symbol not in venue.markets:
        return style.refusal(Reason.UNKNOWN_SYMBOL, f"{symbol} is not listed")
    if isolated == (place in desk.account.isolated):
        return style.refusal(Reason.MARGIN_TYPE_UNCHANGED, "No need to change margin type.")
    orders = desk.all_resting() if symbol is None else desk.resting(symbol)
    if orders:
        return style.refusal(Reason.MARGIN_TYPE_WITH_ORDERS, "the margin type can't be changed: there are open orders")
    if desk.account.positions if symbol is None else desk.account.position(symbol).quantity:
        message = "the margin type can't be changed: there is an open position"
        return style.refusal(Reason.MARGIN_TYPE_WITH_POSITION, message)
    (desk.account.isolated.add if isolated else desk.account.isolated.discard)(place)
    _told(venue, desk, "margin_type", symbol, "isolated" if isolated else "cross")
    return None


def set_hedge_mode(venue: Matching, desk: Desk, *, hedge: bool, by_force: bool) -> Refusal | None:
    """Switch the position mode of the account."""
    style = venue.style
    if not by_force:
        if hedge == desk.account.hedge_mode:
            return style.refusal(Reason.MODE_UNCHANGED, "No need to change position side.")
        if desk.all_resting() or desk.all_stops():
            return style.refusal(Reason.MODE_WITH_ORDERS, "the position mode can't be changed: there are open orders")
        if desk.account.positions:
            return style.refusal(Reason.MODE_WITH_POSITIONS, "the position mode can't be changed: there are positions")
    desk.account.hedge_mode = hedge
    _told(venue, desk, "position_mode", None, "hedge" if hedge else "one-way")
    return None


def request_of(stop: Stop) -> StopRequest:
    """The request that a resting stop, as it is, stands for."""
    return StopRequest(
        client_id=stop.client_id,
        symbol=stop.symbol,
        side=stop.side,
        quantity=stop.quantity,
        trigger_price=stop.trigger_price,
        trigger_by=stop.trigger_by,
        kind=stop.kind,
        limit_price=stop.limit_price,
    )


def _told(venue: Matching, desk: Desk, name: str, symbol: str | None, value: str) -> None:
    venue.ledger.setting(venue.now_ns, desk.name, name, symbol, value)
    venue.events.append(SettingsChanged(desk.name, symbol))
