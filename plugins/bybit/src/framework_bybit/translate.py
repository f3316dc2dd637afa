"""Bybit's rows in the kernel's terms. Pure: rows of queries and of streams have one form, and are read by one place.

Strange or missing fields raise `StrangeAnswerError`. Prices and quantities are written with the digits of the market's
tick and step. Times of events are told by our clock, those of candles are the venue's calendar.
Source: "Bybit v5", the response tables of the routes and topics, and "Enums Definitions".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import define, field

from framework import (
    INTERVALS_S,
    Balance,
    Candle,
    Fill,
    MarketRules,
    OrderReport,
    OrderSide,
    OrderStatus,
    Percent,
    Quote,
    RestingKind,
    RestingOrder,
    StopReport,
    VenuePosition,
    floor_to,
    is_multiple,
)
from framework_venue.clock import NS_PER_MS, VenueClock

from .strange import Row, StrangeAnswerError, number, number_or_none, optional, price_or_none, text, whole

ZERO = Decimal(0)
NS = 1_000_000_000
USD_COINS = frozenset({"", "USDT", "USDC", "USD"})
"""What a fee may be paid in to be taken for USD. For linear markets the venue may leave the coin out."""

ATTACHED = "StopLoss"
"""The stopOrderType of the stop of a whole position."""

OWN = "Stop"
"""The stopOrderType of a conditional order of its own."""

TRIGGERED = "triggered"

SIDES: Mapping[str, OrderSide] = {"Buy": OrderSide.BUY, "Sell": OrderSide.SELL}

STATUSES: Mapping[str, OrderStatus] = {
    "Created": OrderStatus.NEW,
    "New": OrderStatus.NEW,
    "Active": OrderStatus.NEW,
    "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
    "Filled": OrderStatus.FILLED,
    "Cancelled": OrderStatus.CANCELLED,
    "PartiallyFilledCanceled": OrderStatus.CANCELLED,
    "Deactivated": OrderStatus.CANCELLED,
    "Rejected": OrderStatus.REJECTED,
    "Untriggered": OrderStatus.UNTRIGGERED,
    "Triggered": OrderStatus.TRIGGERED,
}

# Executions that change a position. Funding is none; what is not listed here is none either.
CAUSES: Mapping[str, str] = {
    "Trade": "order",
    "BlockTrade": "order",
    "MovePosition": "order",
    "AdlTrade": "adl",
    "BustTrade": "liquidation",
    "Settle": "settlement",
    "Delivery": "settlement",
}

_ACTED = frozenset({OrderStatus.TRIGGERED, OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED})
# A stop that became a market order, which found nobody to trade with: it acted all the same.
_UNFILLED = frozenset({"EC_NoImmediateQtyToFill", "EC_NoEnoughQtyToFill", "EC_CancelForNoFullFill"})


@define
class Translator:
    """Reads rows. `fee_percent` values a fee that was not paid in USD. `markets` are the rules as known now."""

    fee_percent: Percent
    clock: VenueClock
    markets: Mapping[str, MarketRules] = field(factory=dict)

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def order_report(self, row: Row) -> OrderReport:
        """An order. Cancelled with executions is a partial fill: `filled` tells it, whatever the status."""
        symbol, filled = text(row, "symbol"), number_or_none(row, "cumExecQty") or ZERO
        status = _status(row)
        return OrderReport(
            client_id=optional(row, "orderLinkId"),
            symbol=symbol,
            status=status,
            filled=self._quantity(symbol, filled),
            average_price=self._average(row, symbol, filled),
            order_id=text(row, "orderId"),
            reason=_reason(row) if status.is_final and status is not OrderStatus.FILLED else "",
        )

    def stop_report(self, row: Row) -> StopReport:
        """A stop: one of its own, or the attached one, which has the client id of the entry that it came with, or none.

        It is "triggered" from the moment on in which it becomes an order, whatever that order fills.
        """
        symbol, status = text(row, "symbol"), _status(row)
        attached = is_attached(row)
        live = status is OrderStatus.UNTRIGGERED
        quantity = price_or_none(row, "qty") if live else None
        trigger = number(row, "triggerPrice") if live else None
        return StopReport(
            client_id=optional(row, "parentOrderLinkId") if attached else optional(row, "orderLinkId"),
            symbol=symbol,
            live=live,
            trigger_price=None if trigger is None else self._price(symbol, trigger),
            quantity=None if quantity is None else self._quantity(symbol, quantity),
            reason="" if live else (TRIGGERED if _has_acted(row, status) else _reason(row) or status.value),
            attached=attached,
        )

    def resting_order(self, row: Row) -> RestingOrder | None:
        """An order that rests, with what is left of it; None for one that acts, or has ended."""
        status = _status(row)
        if status.is_final or status is OrderStatus.TRIGGERED:
            return None
        symbol, attached = text(row, "symbol"), is_attached(row)
        trigger, limit = price_or_none(row, "triggerPrice"), price_or_none(row, "price")
        left = price_or_none(row, "leavesQty") or price_or_none(row, "qty")
        price = limit if trigger is None else trigger
        return RestingOrder(
            client_id=optional(row, "parentOrderLinkId") if attached else optional(row, "orderLinkId"),
            symbol=symbol,
            kind=_kind(row, trigger),
            side=_side(row),
            quantity=None if attached or left is None else self._quantity(symbol, left),
            price=None if price is None else self._price(symbol, price),
            reduce_only=row.get("reduceOnly") is True or attached,
            attached=attached,
            created_ns=self.our_ns(whole(row, "createdTime")),
        )

    # ── executions ──────────────────────────────────────────────────────────────────────────────────────────

    def fill(self, row: Row) -> Fill | None:
        """An execution; None for what is none, like funding. Those of the attached stop have no client id."""
        cause = CAUSES.get(text(row, "execType"))
        if cause is None:
            return None
        symbol, client_id = text(row, "symbol"), optional(row, "orderLinkId")
        kind = optional(row, "stopOrderType")
        if cause == "order" and (kind == ATTACHED or (kind == OWN and client_id)):
            cause = "stop"
        quantity, price = number(row, "execQty"), number(row, "execPrice")
        return Fill(
            id=text(row, "execId"),
            order_id=text(row, "orderId"),
            client_id="" if kind == ATTACHED else client_id,
            symbol=symbol,
            side=_side(row),
            quantity=self._quantity(symbol, quantity),
            price=self._price(symbol, price),
            fee_usd=self._fee(row, quantity * price),
            time_ns=self.our_ns(whole(row, "execTime")),
            cause=cause,
        )

    # ── positions and money ─────────────────────────────────────────────────────────────────────────────────

    def position(self, row: Row) -> VenuePosition:
        """The position of a market. Raises for one that is held by side: the account must be in one-way mode.

        The entry price is avgPrice in queries and entryPrice in the stream. Flat, the side is an empty text.
        """
        symbol, size = text(row, "symbol"), number(row, "size")
        if size and whole(row, "positionIdx"):
            raise StrangeAnswerError(f"{symbol} is held by side; switch the account back to one-way mode")
        signed = size
        if size and _side(row) is OrderSide.SELL:
            signed = -size
        entry = number_or_none(row, "entryPrice" if "entryPrice" in row else "avgPrice") or ZERO
        if size and entry <= ZERO:
            raise StrangeAnswerError(f"{symbol} is held without an entry price")
        stop = price_or_none(row, "stopLoss")
        return VenuePosition(
            symbol=symbol,
            quantity=self._quantity(symbol, signed),
            entry_price=self._price(symbol, entry),
            stop_price=None if stop is None else self._price(symbol, stop),
            liquidation_price=price_or_none(row, "liqPrice"),
        )

    def position_stop(self, position: VenuePosition, client_id: str = "") -> StopReport:
        """The stop of a position that has one, told by the position itself."""
        return StopReport(client_id, position.symbol, True, position.stop_price, abs(position.quantity), attached=True)

    def balance(self, row: Row, leverage: Decimal) -> Balance:
        """The account's money: equity and free margin of the whole unified account, in USD.

        In isolated margin the venue tells no free margin of the account: then it is what USDT is not bound.
        Source: "Bybit v5, Get Wallet Balance".
        """
        free = number_or_none(row, "totalAvailableBalance")
        return Balance(number(row, "totalEquity"), self._free_usdt(row) if free is None else free, leverage)

    # ── the market ──────────────────────────────────────────────────────────────────────────────────────────

    def quote(self, row: Row, time_ms: int) -> Quote | None:
        """The quote in a whole ticker, None while one of its prices is missing."""
        prices = [price_or_none(row, name) for name in ("bid1Price", "ask1Price", "lastPrice", "markPrice")]
        bid, ask, last, mark = prices
        if bid is None or ask is None or last is None or mark is None:
            return None
        quote = Quote(bid, ask, last, mark, self.our_ns(time_ms))
        return quote if quote.is_sane else None

    def candles(self, rows: list[list[str]], interval: str, count: int, now_ms: int) -> tuple[Candle, ...]:
        """The last `count` closed candles, oldest first. The venue sends the newest first, the open one among them."""
        length_ms = INTERVALS_S[interval] * 1000
        closed = [row for row in rows if _start_ms(row) + length_ms <= now_ms]
        return tuple(_candle(row, length_ms) for row in closed[:count])[::-1]

    # ── time and digits ─────────────────────────────────────────────────────────────────────────────────────

    def our_ns(self, venue_ms: int) -> int:
        """An instant of the venue's clock by ours."""
        return (venue_ms - self._skew_ms) * NS_PER_MS

    def venue_ms(self, our_ns: int) -> int:
        """An instant of our clock by the venue's."""
        return our_ns // NS_PER_MS + self._skew_ms

    @property
    def _skew_ms(self) -> int:
        """How far our clock is behind. A difference that the measurement may have made itself is none."""
        skew_ms = self.clock.skew_ms
        return skew_ms if abs(skew_ms) > self.clock.uncertain_ms else 0

    def _price(self, symbol: str, value: Decimal) -> Decimal:
        rules = self.markets.get(symbol)
        return value if rules is None else _shaped(value, rules.tick_size)

    def _quantity(self, symbol: str, value: Decimal) -> Decimal:
        rules = self.markets.get(symbol)
        return value if rules is None else _shaped(value, rules.step_size)

    def _average(self, row: Row, symbol: str, filled: Decimal) -> Decimal | None:
        if not filled:
            return None
        told = price_or_none(row, "avgPrice")
        average = number(row, "cumExecValue") / filled if told is None else told
        if average <= ZERO:
            raise StrangeAnswerError(f"{symbol}: filled without a price")
        return self._price(symbol, average)

    def _fee(self, row: Row, notional: Decimal) -> Decimal:
        if optional(row, "feeCurrency") in USD_COINS:
            return number_or_none(row, "execFee") or ZERO
        return self.fee_percent.of(notional)

    def _free_usdt(self, row: Row) -> Decimal:
        coins = row.get("coin")
        if not isinstance(coins, list):
            raise StrangeAnswerError("the wallet has no coins")
        for coin in coins:
            if isinstance(coin, dict) and coin.get("coin") == "USDT":
                bound = ("locked", "totalPositionIM", "totalOrderIM")
                used = sum((number_or_none(coin, name) or ZERO for name in bound), ZERO)
                return max(ZERO, number(coin, "walletBalance") - used)
        return ZERO


def is_attached(row: Row) -> bool:
    """Whether an order is the stop of a whole position."""
    return optional(row, "stopOrderType") == ATTACHED


def is_own_stop(row: Row) -> bool:
    """Whether an order is a stop of its own: conditional and reduce-only."""
    return optional(row, "stopOrderType") == OWN and row.get("reduceOnly") is True


def _kind(row: Row, trigger: Decimal | None) -> RestingKind:
    if trigger is not None and (is_attached(row) or is_own_stop(row)):
        return RestingKind.STOP
    plain = trigger is None and not optional(row, "stopOrderType")
    return RestingKind.ENTRY if plain and row.get("reduceOnly") is not True else RestingKind.OTHER


def _status(row: Row) -> OrderStatus:
    told = text(row, "orderStatus")
    status = STATUSES.get(told)
    if status is None:
        raise StrangeAnswerError(f"the order status {told!r} is not known")
    return status


def _side(row: Row) -> OrderSide:
    side = SIDES.get(text(row, "side"))
    if side is None:
        raise StrangeAnswerError(f"the side {row.get('side')!r} is not known")
    return side


def _reason(row: Row) -> str:
    """The venue's own word for why an order has ended."""
    rejected, cancelled = optional(row, "rejectReason"), optional(row, "cancelType")
    if cancelled not in ("", "UNKNOWN") and optional(row, "orderStatus") != "Rejected":
        return cancelled
    return "" if rejected == "EC_NoError" else rejected


def _has_acted(row: Row, status: OrderStatus) -> bool:
    if status in _ACTED or number_or_none(row, "cumExecQty"):
        return True
    return status is OrderStatus.CANCELLED and optional(row, "rejectReason") in _UNFILLED


def _shaped(value: Decimal, unit: Decimal) -> Decimal:
    """A value with the digits of its unit. An average that is no multiple of the tick stays as it is."""
    return floor_to(value, unit) if is_multiple(value, unit) else value


def _start_ms(row: list[str]) -> int:
    try:
        return int(row[0])
    except (ValueError, TypeError, IndexError):
        raise StrangeAnswerError(f"a candle without a start: {row!r}") from None


def _candle(row: list[str], length_ms: int) -> Candle:
    if len(row) < 7:
        raise StrangeAnswerError(f"a candle of {len(row)} fields, 7 are due")
    start = _start_ms(row)
    prices = [number({"candle": each}, "candle") for each in row[1:7]]
    return Candle(
        open_ns=start * NS_PER_MS,
        close_ns=(start + length_ms) * NS_PER_MS,
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        quote_volume=prices[5],
    )
