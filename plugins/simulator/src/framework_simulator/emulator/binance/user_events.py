"""What happens on an account, as its user stream tells it.

Source: "Binance USD-M Futures, User Data Streams". At a fill TRADE_LITE, ACCOUNT_UPDATE and ORDER_TRADE_UPDATE follow
one another with equal T; `reverse_events` turns the last two around.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from attrs import define, field

from framework import OrderStatus

from ...engine.account import Position
from ...engine.conditional import POSITION_CLOSED
from ...engine.events import (
    CashChanged,
    Event,
    Filled,
    FundingPaid,
    OrderChanged,
    PositionChanged,
    SettingsChanged,
    StopChanged,
)
from ...engine.margin import Wallet
from ...engine.matching import NO_DEPTH, NOT_ALL, WOULD_TAKE
from ...engine.money import ZERO
from ...engine.orders import Cause, Order, Stop
from ..world import World
from .call import VENUE
from .words import (
    ASSET,
    STP,
    algo_status_name,
    ms,
    order_number,
    original_type_name,
    side_name,
    source_name,
    status_name,
    stop_time_name,
    stop_type_name,
    text,
    time_name,
    trade_number,
    type_name,
)

# account, kind, detail, symbol, event
Tell = Callable[[str, str, str, str, dict[str, Any]], None]

# `er`: why an order expired.
EXPIRY_REASONS = {POSITION_CLOSED: "4", "liquidation": "5", NO_DEPTH: "9", NOT_ALL: "10", WOULD_TAKE: "11"}
FORCED = (Cause.LIQUIDATION, Cause.ADL)
FILLED_STATUSES = (OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED)
NOTHING_TO_REDUCE_TOLD = "Reduce Only reject"
# Unverified: the share of the equity at which the venue warns.
MARGIN_CALL_AT = Decimal("0.8")


@define
class UserEvents:
    """Turns what the engine tells into the venue's messages. Remembers what it takes to tell changes apart."""

    world: World
    tell: Tell
    _cash: dict[str, Decimal] = field(factory=dict, init=False)
    _leverage: dict[tuple[str, str], Decimal] = field(factory=dict, init=False)
    _announced: dict[str, tuple[str, str]] = field(factory=dict, init=False)
    _called: set[str] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        engine = self.world.venues[VENUE]
        for name in engine.accounts:
            self._cash[name] = engine.account(name).cash

    def on_event(self, account: str, event: Event) -> None:
        """Tell one thing that happened."""
        match event:
            case OrderChanged():
                self._order(account, event.order)
            case Filled():
                self._fill(account, event)
            case StopChanged():
                self._stop(account, event.stop)
            case FundingPaid():
                self._funding(account, event)
            case CashChanged():
                self._cash_changed(account, event)
            case SettingsChanged():
                self._setting(account, event.symbol)
            case PositionChanged():
                pass  # every fill told its position already

    # ── orders and fills ────────────────────────────────────────────────────────────────────────────────────

    def _order(self, account: str, order: Order) -> None:
        if order.status in FILLED_STATUSES and not self._is_amended(order):
            self._remember(order)
            return
        if order.cause in FORCED and order.status is OrderStatus.NEW:
            return
        execution = "AMENDMENT" if self._is_amended(order) else status_name(order.status)
        self._remember(order)
        self._order_update(account, order, execution, order_fields(order, execution))

    def _is_amended(self, order: Order) -> bool:
        """Whether price or quantity of an order that was told before is another one now."""
        before = self._announced.get(order.id)
        return not order.status.is_final and before is not None and before != _terms(order)

    def _remember(self, order: Order) -> None:
        if order.status.is_final:
            self._announced.pop(order.id, None)
        else:
            self._announced[order.id] = _terms(order)

    def _fill(self, account: str, event: Filled) -> None:
        order, fill = event.order, event.fill
        self._cash[account] = self._cash_of(account) + event.realized_pnl - fill.fee_usd
        at = ms(fill.time_ns)
        if order.cause not in FORCED:
            self.tell(account, "TRADE_LITE", "TRADE", fill.symbol, self._stamped("TRADE_LITE", at, lite_fields(event)))
        execution = "CALCULATED" if order.cause in FORCED else "TRADE"
        fields = order_fields(order, execution)
        fields.update(
            l=text(fill.quantity),
            L=text(fill.price),
            N=ASSET,
            n=text(fill.fee_usd),
            T=at,
            t=trade_number(fill.id),
            m=event.maker,
            rp=text(event.realized_pnl),
        )
        tellings: list[Callable[[], None]] = [
            lambda: self._account_update(account, "ORDER", at, event.position, event.realized_pnl),
            lambda: self._order_update(account, order, execution, fields),
        ]
        for telling in reversed(tellings) if self.world.settings.reverse_events else tellings:
            telling()

    def _order_update(self, account: str, order: Order, execution: str, fields: dict[str, Any]) -> None:
        event = self._stamped("ORDER_TRADE_UPDATE", fields["T"], {"o": fields})
        detail = execution if execution in ("AMENDMENT", "CALCULATED") else status_name(order.status)
        self.tell(account, "ORDER_TRADE_UPDATE", detail, order.symbol, event)

    def _stop(self, account: str, stop: Stop) -> None:
        status = algo_status_name(stop)
        event = self._stamped("ALGO_UPDATE", ms(stop.updated_ns), {"o": algo_fields(stop)})
        self.tell(account, "ALGO_UPDATE", status, stop.symbol, event)

    # ── money and settings ──────────────────────────────────────────────────────────────────────────────────

    def _funding(self, account: str, event: FundingPaid) -> None:
        self._cash[account] = event.cash
        isolated = event.position.symbol in self.world.venues[VENUE].account(account).isolated
        held = event.position if isolated else None
        self._account_update(account, "FUNDING_FEE", ms(self.world.now_ns()), held, ZERO, change=event.amount)

    def _cash_changed(self, account: str, event: CashChanged) -> None:
        self._cash[account] = event.cash
        reason = "DEPOSIT" if event.amount > ZERO else "WITHDRAW"
        self._account_update(account, reason, ms(self.world.now_ns()), None, ZERO, change=event.amount)

    def _setting(self, account: str, symbol: str | None) -> None:
        at, engine = ms(self.world.now_ns()), self.world.venues[VENUE]
        if symbol is None:
            return  # no event is documented for a change of the position mode
        leverage = engine.leverage(account, symbol)
        if self._leverage.get((account, symbol)) != leverage:
            self._leverage[account, symbol] = leverage
            fields = {"ac": {"s": symbol, "l": int(leverage)}}
            event = self._stamped("ACCOUNT_CONFIG_UPDATE", at, fields)
            self.tell(account, "ACCOUNT_CONFIG_UPDATE", "LEVERAGE", symbol, event)
        else:
            self._account_update(account, "MARGIN_TYPE_CHANGE", at, engine.position(account, symbol), ZERO)

    def on_quote(self, symbol: str) -> None:
        """A margin call, once, when the maintenance margin comes near to the equity."""
        engine = self.world.venues[VENUE]
        for account in engine.accounts:
            if not engine.position(account, symbol).quantity:
                continue
            wallet = engine.wallet(account)
            if wallet.maintenance < MARGIN_CALL_AT * wallet.equity:
                self._called.discard(account)
            elif account not in self._called:
                self._called.add(account)
                self._margin_call(account, wallet)

    def _margin_call(self, account: str, wallet: Wallet) -> None:
        engine = self.world.venues[VENUE]
        rows = [
            {
                "s": held.symbol,
                "ps": "BOTH",
                "pa": text(held.quantity),
                "mt": "CROSSED",
                "iw": "0",
                "mp": text(self._mark(held.symbol)),
                "up": text(held.unrealized_pnl(self._mark(held.symbol))),
                "mm": text(engine.maintenance(account, held.symbol)),
            }
            for held in engine.positions(account)
        ]
        event = {"e": "MARGIN_CALL", "E": self.world.told_ms("binance"), "cw": text(wallet.cash), "p": rows}
        self.tell(account, "MARGIN_CALL", "MARGIN_CALL", "", event)

    def _account_update(
        self,
        account: str,
        reason: str,
        at: int,
        held: Position | None,
        realized: Decimal,
        *,
        change: Decimal = ZERO,
    ) -> None:
        cash = self._cash_of(account)
        balance = {"a": ASSET, "wb": text(cash), "cw": text(cash), "bc": text(change)}
        rows = [] if held is None else [self._position_fields(account, held)]
        told = {"m": reason, "B": [balance], "P": rows}
        event = self._stamped("ACCOUNT_UPDATE", at, {"a": told})
        self.tell(account, "ACCOUNT_UPDATE", reason, "" if held is None else held.symbol, event)

    def _position_fields(self, account: str, held: Position) -> dict[str, Any]:
        mark, engine = self._mark(held.symbol), self.world.venues[VENUE]
        isolated = held.symbol in engine.account(account).isolated
        bound = held.cost / engine.leverage(account, held.symbol) if isolated else ZERO
        return {
            "s": held.symbol,
            "pa": text(held.quantity),
            "ep": text(held.entry_price),
            "bep": text(held.entry_price),
            "cr": text(engine.account(account).realized_pnl),
            "up": text(held.unrealized_pnl(mark) if held.quantity else ZERO),
            "mt": "isolated" if isolated else "cross",
            "iw": text(bound),
            "ps": "BOTH",
        }

    def _mark(self, symbol: str) -> Decimal:
        book = self.world.book(VENUE, symbol)
        return ZERO if book is None else book.quote.mark

    def _cash_of(self, account: str) -> Decimal:
        return self._cash.setdefault(account, self.world.venues[VENUE].account(account).cash)

    def _stamped(self, kind: str, at: int, fields: dict[str, Any]) -> dict[str, Any]:
        # T is the engine's time, E the time of sending; both by the clock that clients are told.
        skew = self.world.told_ms("binance") - ms(self.world.now_ns())
        return {"e": kind, "T": at + skew, "E": self.world.told_ms("binance"), **fields}


def order_fields(order: Order, execution: str) -> dict[str, Any]:
    """The `o` of ORDER_TRADE_UPDATE, without the execution's own numbers. No fee: no `N` and no `n`."""
    parent, trail = order.parent, None if order.parent is None else order.parent.trail
    trailing = {} if trail is None else {"AP": text(trail.activation_price), "cr": text(trail.percent)}
    return {
        "s": order.symbol,
        "c": order.client_id,
        "S": side_name(order.side),
        "o": type_name(order),
        "f": time_name(order),
        "q": text(order.quantity),
        "p": text(order.price),
        "ap": text(order.average_price),
        "sp": text(None if parent is None else parent.trigger_price),
        "x": execution,
        "X": status_name(order.status),
        "i": order_number(order.id),
        "l": "0",
        "z": text(order.filled),
        "L": "0",
        "T": ms(order.updated_ns),
        "t": 0,
        "b": "0",
        "a": "0",
        "m": False,
        "R": order.reduce_only,
        "wt": "CONTRACT_PRICE" if parent is None else source_name(parent.trigger_by),
        "ot": original_type_name(order),
        "ps": "BOTH",
        "cp": order.close_position,
        "pP": parent is not None and parent.price_protect,
        "si": 0,
        "ss": 0,
        "rp": "0",
        "V": STP,
        "pm": "NONE",
        "gtd": 0,
        "er": EXPIRY_REASONS.get(order.reason, "0") if execution in ("EXPIRED", "CANCELED") else "0",
        **trailing,
    }


def lite_fields(event: Filled) -> dict[str, Any]:
    """TRADE_LITE: the earliest hint of a fill, without a fee."""
    order, fill = event.order, event.fill
    return {
        "s": fill.symbol,
        "q": text(order.quantity),
        "p": text(order.price),
        "m": event.maker,
        "c": order.client_id,
        "S": side_name(order.side),
        "L": text(fill.price),
        "l": text(fill.quantity),
        "t": trade_number(fill.id),
        "i": order_number(order.id),
    }


def algo_fields(stop: Stop) -> dict[str, Any]:
    """The `o` of ALGO_UPDATE. What the order made of it is told once there is one."""
    made: dict[str, Any] = {}
    if stop.order_id is not None:
        kind = "MARKET" if stop.limit_price is None else "LIMIT"
        made = {"ap": text(stop.order_price), "aq": text(stop.order_filled), "act": kind}
    refused = stop.status in (OrderStatus.EXPIRED, OrderStatus.REJECTED) and stop.triggered_ns
    return {
        "caid": stop.client_id,
        "aid": order_number(stop.id),
        "at": "CONDITIONAL",
        "o": stop_type_name(stop),
        "s": stop.symbol,
        "S": side_name(stop.side),
        "ps": "BOTH",
        "f": stop_time_name(stop),
        "q": text(stop.quantity),
        "X": algo_status_name(stop),
        "ai": stop.order_id or "",
        **made,
        "tp": text(stop.trigger_price),
        "p": text(stop.limit_price),
        "V": STP,
        "wt": source_name(stop.trigger_by),
        "pm": "NONE",
        "cp": stop.close_position,
        "pP": stop.price_protect,
        "R": stop.reduce_only and not stop.close_position,
        "tt": ms(stop.triggered_ns),
        "gtd": 0,
        "rm": NOTHING_TO_REDUCE_TOLD if refused else "",
    }


def _terms(order: Order) -> tuple[str, str]:
    return text(order.price), text(order.quantity)
