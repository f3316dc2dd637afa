"""What the user stream says, as the kernel's events. Pure but for what it remembers to name and count things.

Source: "Binance USD-M Futures, User Data Streams". At a fill TRADE_LITE, ACCOUNT_UPDATE and ORDER_TRADE_UPDATE follow
one another, in this order as a rule; the answer to the request may come before or after them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from attrs import define, field

from framework import (
    ExchangeEvent,
    Fill,
    FillSeen,
    MarketRules,
    OrderReport,
    OrderSeen,
    OrderStatus,
    Percent,
    PositionSeen,
    StopSeen,
    VenueNotice,
    VenuePosition,
)
from framework_venue.ids import OrderIds

from .strange import identifier, mapping, milliseconds, number, optional, rows, text
from .translate import (
    NS_PER_MS,
    STOP_TYPES,
    cause_of,
    fee_usd,
    order_status,
    priced,
    side,
    sized,
    stop_state,
)

MOST = 10_000

SILENT_KINDS = frozenset({"ACCOUNT_CONFIG_UPDATE", "listenKeyExpired", "STRATEGY_UPDATE", "GRID_UPDATE"})
"""Kinds that say nothing about orders and positions. Settings and the key's end are somebody else's business."""


@define(eq=False)
class Names:
    """A bounded set of names: the oldest are forgotten."""

    most: int = MOST
    _names: dict[str, None] = field(factory=dict, init=False)

    def add(self, name: str) -> None:
        """Remember a name."""
        self._names.pop(name, None)
        self._names[name] = None
        if len(self._names) > self.most:
            del self._names[next(iter(self._names))]

    def __contains__(self, name: object) -> bool:
        return name in self._names


@define(eq=False)
class News:
    """Turns frames into events.

    `stops` are the client ids of conditional orders of ours: what executes under such an id is a stop's doing. `seen`
    are the client ids of orders that the stream has spoken of.
    """

    markets: Callable[[], Mapping[str, MarketRules]]
    skew_ms: Callable[[], int]
    ids: OrderIds
    taker_fee: Percent
    stops: Names = field(factory=Names, init=False)
    seen: Names = field(factory=Names, init=False)
    _early: dict[str, dict[str, tuple[Decimal, Decimal]]] = field(factory=dict, init=False)
    _told: Names = field(factory=Names, init=False)

    def events(self, frame: Mapping[str, Any]) -> tuple[ExchangeEvent, ...]:
        """What a frame tells. Raises `StrangeAnswerError` for one that can't be understood."""
        kind = frame.get("e")
        match kind:
            case "ORDER_TRADE_UPDATE":
                return self._order(mapping(frame.get("o"), "the order update"))
            case "TRADE_LITE":
                return self._early_fill(frame)
            case "ALGO_UPDATE":
                return self._stop(mapping(frame.get("o"), "the algo update"))
            case "ACCOUNT_UPDATE":
                return self._positions(mapping(frame.get("a"), "the account update"))
            case "MARGIN_CALL":
                return (VenueNotice("error", "margin_call", f"the venue warns of liquidation: {_held(frame)}"),)
            case _:
                return self._other(kind)

    def _order(self, row: Mapping[str, Any]) -> tuple[ExchangeEvent, ...]:
        client_id, order_id, symbol = text(row, "c"), identifier(row, "i"), text(row, "s")
        self.ids.learn(order_id, client_id)
        self.seen.add(client_id)
        status, rules = order_status(text(row, "X")), self.markets().get(symbol)
        of_a_stop = client_id in self.stops or row.get("ot") in STOP_TYPES
        found: list[ExchangeEvent] = []
        if number(row, "l"):
            found.append(FillSeen(self._fill(row, cause_of(client_id, of_a_stop=of_a_stop), rules)))
        if status.is_final:
            self._early.pop(order_id, None)
        # That a market order has come in says nothing that its fill, or its end, does not say a moment later.
        if not of_a_stop and not (status is OrderStatus.NEW and row.get("o") == "MARKET"):
            found.append(OrderSeen(_report(row, client_id, order_id, symbol, status, rules)))
        return tuple(found)

    def _fill(self, row: Mapping[str, Any], cause: str, rules: MarketRules | None) -> Fill:
        quantity, price = number(row, "l"), number(row, "L")
        return Fill(
            id=identifier(row, "t"),
            order_id=identifier(row, "i"),
            client_id=text(row, "c"),
            symbol=text(row, "s"),
            side=side(text(row, "S")),
            quantity=sized(quantity, rules),
            price=priced(price, rules),
            fee_usd=fee_usd(row, "n", "N", price * quantity, self.taker_fee),
            time_ns=(milliseconds(row, "T") - self.skew_ms()) * NS_PER_MS,
            cause=cause,
        )

    def _early_fill(self, row: Mapping[str, Any]) -> tuple[ExchangeEvent, ...]:
        """TRADE_LITE: the first evidence of a fill, without its fee. It is told as the state of its order: the

        execution itself follows with its fee. What was filled is counted by trade, so that repetitions do no harm.
        """
        client_id, order_id, symbol = text(row, "c"), identifier(row, "i"), text(row, "s")
        self.ids.learn(order_id, client_id)
        self.seen.add(client_id)
        trades = self._early.setdefault(order_id, {})
        trades[identifier(row, "t")] = (number(row, "l"), number(row, "L"))
        if len(self._early) > MOST:
            del self._early[next(iter(self._early))]
        filled = sum((quantity for quantity, _ in trades.values()), Decimal(0))
        if client_id in self.stops or not filled:
            return ()
        rules = self.markets().get(symbol)
        average = sum((quantity * price for quantity, price in trades.values()), Decimal(0)) / filled
        status = OrderStatus.PARTIALLY_FILLED
        report = OrderReport(client_id, symbol, status, sized(filled, rules), priced(average, rules), order_id)
        return (OrderSeen(report),)

    def _stop(self, row: Mapping[str, Any]) -> tuple[ExchangeEvent, ...]:
        client_id, symbol = text(row, "caid"), text(row, "s")
        self.stops.add(client_id)
        if row.get("ai"):
            self.ids.learn(str(row["ai"]), client_id)
        if row.get("o") not in STOP_TYPES:
            return ()
        report = stop_state(
            client_id=client_id,
            symbol=symbol,
            status=text(row, "X"),
            trigger=optional(row, "tp"),
            quantity=optional(row, "q"),
            why=str(row.get("rm") or ""),
            rules=self.markets().get(symbol),
        )
        return (StopSeen(report),)

    def _positions(self, account: Mapping[str, Any]) -> tuple[ExchangeEvent, ...]:
        found: list[ExchangeEvent] = []
        for row in rows(account.get("P", []), "the positions"):
            if row.get("ps", "BOTH") == "BOTH":
                symbol = text(row, "s")
                rules = self.markets().get(symbol)
                quantity, entry = sized(number(row, "pa"), rules), priced(number(row, "ep"), rules)
                found.append(PositionSeen(VenuePosition(symbol, quantity, entry)))
        return tuple(found)

    def _other(self, kind: Any) -> tuple[ExchangeEvent, ...]:
        name = str(kind)
        if kind is None or kind in SILENT_KINDS or name in self._told:
            return ()
        self._told.add(name)
        return (VenueNotice("info", "unknown_event", f"the user stream says {name}, which nobody here understands"),)


def _report(
    row: Mapping[str, Any],
    client_id: str,
    order_id: str,
    symbol: str,
    status: OrderStatus,
    rules: MarketRules | None,
) -> OrderReport:
    filled = number(row, "z")
    average = optional(row, "ap") if filled else None
    ended = status.is_final and status is not OrderStatus.FILLED
    return OrderReport(
        client_id=client_id,
        symbol=symbol,
        status=status,
        filled=sized(filled, rules),
        average_price=None if average is None else priced(average, rules),
        order_id=order_id,
        reason=status.value if ended else "",
    )


def _held(frame: Mapping[str, Any]) -> str:
    held = frame.get("p")
    symbols = [str(row.get("s")) for row in held if isinstance(row, dict)] if isinstance(held, list) else []
    return ", ".join(symbols) or "no position named"
