"""The ledger: every change that the venue decided, one plain dict each, in order. And what can be rebuilt from it.

A line has ``seq`` (from 1, no gaps), ``t`` (ns), ``venue``, ``account``, ``kind``, and by kind:

- ``order``: id, client_id, symbol, side, type, qty, filled, price, avg_price, reduce_only, close_position, status,
  created_by
- ``stop``: id, client_id, symbol, side, qty (null: the whole position), trigger_price, trigger_by, reduce_only,
  attached, status (untriggered, triggering, triggered, finished, cancelled, expired, rejected)
- ``fill``: order, symbol, side, qty, price, fee, realized_pnl (before the fee)
- ``position``: symbol, qty (signed), entry_price
- ``cash``: reason (funding, transfer), symbol, amount (negative: paid), cash (after it)
- ``setting``: name (leverage, margin_type, position_mode), symbol, value
- ``price``: symbol, bid, ask, mark, last (``account`` is null)

Decimals are strings without an exponent.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from attrs import define, field

from framework import Fill, OrderSide, OrderStatus, Percent, Quote, plain

from .account import Account, Position
from .money import ZERO
from .orders import Order, Stop

Line = dict[str, Any]
Sink = Callable[[Line], None]


@define
class Ledger:
    """Numbers the lines and hands each to its sinks. Without a sink nothing is built, and nothing is kept."""

    venue: str
    sinks: list[Sink] = field(factory=list)
    _numbers: Iterator[int] = field(factory=lambda: itertools.count(1))

    def of(self, venue: str) -> Ledger:
        """The same ledger, for the lines of another venue: the sequence and the sinks are shared."""
        return Ledger(venue, self.sinks, self._numbers)

    def order(self, time_ns: int, account: str, order: Order) -> None:
        """A line for an order as it is now."""
        if self.sinks:
            self.write(time_ns, account, "order", _order_fields(order))

    def stop(self, time_ns: int, account: str, stop: Stop) -> None:
        """A line for a stop as it is now."""
        if self.sinks:
            self.write(time_ns, account, "stop", _stop_fields(stop))

    def fill(self, time_ns: int, account: str, fill: Fill, realized_pnl: Decimal) -> None:
        """A line for an execution."""
        if self.sinks:
            self.write(time_ns, account, "fill", _fill_fields(fill, realized_pnl))

    def position(self, time_ns: int, account: str, position: Position) -> None:
        """A line for a position after an execution."""
        if self.sinks:
            self.write(time_ns, account, "position", _position_fields(position))

    def cash(self, time_ns: int, account: str, reason: str, symbol: str | None, amount: Decimal, cash: Decimal) -> None:
        """A line for money that no trade made: ``funding`` or ``transfer``."""
        if self.sinks:
            fields = {"reason": reason, "symbol": symbol, "amount": plain(amount), "cash": plain(cash)}
            self.write(time_ns, account, "cash", fields)

    def setting(self, time_ns: int, account: str, name: str, symbol: str | None, value: str) -> None:
        """A line for a setting of an account: ``leverage``, ``margin_type`` or ``position_mode``."""
        if self.sinks:
            self.write(time_ns, account, "setting", {"name": name, "symbol": symbol, "value": value})

    def price(self, time_ns: int, symbol: str, quote: Quote) -> None:
        """A line for a new market."""
        if self.sinks:
            prices = {"bid": quote.bid, "ask": quote.ask, "mark": quote.mark, "last": quote.last}
            self.write(time_ns, None, "price", {"symbol": symbol, **{k: plain(v) for k, v in prices.items()}})

    def write(self, time_ns: int, account: str | None, kind: str, fields: Line, *, venue: str | None = None) -> None:
        """A line of any kind. Its `venue` is the ledger's unless another is given."""
        if not self.sinks:
            return
        venue = self.venue if venue is None else venue
        line: Line = {
            "seq": next(self._numbers), "t": time_ns, "venue": venue, "account": account, "kind": kind, **fields
        }  # fmt: skip
        for sink in self.sinks:
            sink(line)


@define
class JsonLines:
    """A sink that writes each line to a file at once. The file is written anew: a new venue, a new ledger."""

    _file: TextIO

    @classmethod
    def open(cls, path: Path) -> JsonLines:
        """Raises OSError if the file can't be written."""
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls(path.open("w", encoding="utf-8", buffering=1))

    def __call__(self, line: Line) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Let go of the file. A second call does nothing."""
        self._file.close()


def replay(lines: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Account]:
    """The accounts, by venue and name, that the fills and payments of a ledger lead to, starting from a cash of 0.

    Raises ValueError where a ``position`` line or a realised PnL contradicts the fills before it.
    """
    accounts: dict[tuple[str, str], Account] = {}
    for line in lines:
        if line["kind"] not in ("fill", "position", "cash"):
            continue
        key = (line["venue"], line["account"])
        account = accounts.setdefault(key, _empty_account(line["account"]))
        if line["kind"] == "fill":
            _replay_fill(account, line)
        elif line["kind"] == "cash":
            account.receive(Decimal(line["amount"]))
        else:
            _compare_position(account, line)
    return accounts


def _empty_account(name: str) -> Account:
    return Account(name, cash=ZERO, leverage=Decimal(1), taker_fee=Percent(ZERO), maker_fee=Percent(ZERO))


def _replay_fill(account: Account, line: Mapping[str, Any]) -> None:
    quantity, price, fee = (Decimal(line[name]) for name in ("qty", "price", "fee"))
    realized = account.apply(line["symbol"], OrderSide(line["side"]), quantity, price, fee)
    if realized != Decimal(line["realized_pnl"]):
        raise ValueError(f"ledger line {line['seq']}: realized_pnl is {line['realized_pnl']}, the fills say {realized}")


def _compare_position(account: Account, line: Mapping[str, Any]) -> None:
    held = account.position(line["symbol"])
    told = (Decimal(line["qty"]), Decimal(line["entry_price"]))
    if told != (held.quantity, held.entry_price):
        raise ValueError(f"ledger line {line['seq']}: position is {told}, the fills say {held}")


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _order_fields(order: Order) -> Line:
    return {
        "id": order.id,
        "client_id": order.client_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.type.value,
        "qty": plain(order.quantity),
        "filled": plain(order.filled),
        "price": _text(order.price),
        "avg_price": _text(order.average_price),
        "reduce_only": order.reduce_only,
        "close_position": order.close_position,
        "status": order.status.value,
        "created_by": order.created_by.value,
    }


def _stop_fields(stop: Stop) -> Line:
    return {
        "id": stop.id,
        "client_id": stop.client_id,
        "symbol": stop.symbol,
        "side": stop.side.value,
        "qty": _text(stop.quantity),
        "trigger_price": plain(stop.trigger_price),
        "trigger_by": stop.trigger_by.value,
        "reduce_only": stop.reduce_only,
        "attached": stop.attached,
        "status": stop_status(stop),
    }


def stop_status(stop: Stop) -> str:
    """Where a stop stands: its status, with the stages of a trigger told apart."""
    if stop.status is OrderStatus.TRIGGERED and (stop.finished or stop.order_id is None):
        return "finished" if stop.finished else "triggering"
    return stop.status.value


def _fill_fields(fill: Fill, realized_pnl: Decimal) -> Line:
    return {
        "order": fill.order_id,
        "symbol": fill.symbol,
        "side": fill.side.value,
        "qty": plain(fill.quantity),
        "price": plain(fill.price),
        "fee": plain(fill.fee_usd),
        "realized_pnl": plain(realized_pnl),
    }


def _position_fields(position: Position) -> Line:
    return {
        "symbol": position.symbol,
        "qty": plain(position.quantity),
        "entry_price": plain(position.entry_price),
    }
