"""The control surface: what a test or a developer does to the venues from outside. It knows no HTTP.

Each operation takes a JSON object and answers one, or raises `ControlError` with what is wrong.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from attrs import asdict, define, field

from framework import plain

from ..engine.ledger import Line, stop_status
from ..engine.venue import Venue
from .build import VENUES
from .clock import NS_PER_MS
from .world import World

KEPT_LINES = 200_000
"""Ledger lines kept for `GET /ledger`; the file of ``--ledger`` has them all."""


class ControlError(ValueError):
    """A request to the control surface that can't be carried out, and why."""


@define
class Tail:
    """A ledger sink that keeps the newest lines."""

    lines: deque[Line] = field(factory=lambda: deque(maxlen=KEPT_LINES))

    def __call__(self, line: Line) -> None:
        """Keep one line."""
        self.lines.append(line)

    def since(self, seq: int) -> list[Line]:
        """The lines after `seq`, oldest first."""
        newer: list[Line] = []
        for line in reversed(self.lines):
            if line["seq"] <= seq:
                break
            newer.append(line)
        return newer[::-1]


@define
class Control:
    """Does what the routes of the control port say."""

    world: World
    tail: Tail

    def price(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """``{venue, symbol, bid, ask, mark?, last?, bid_qty?, ask_qty?}``: the market jumps there."""
        venue, symbol = self._market(wish)
        bid, ask = _needed(wish, "bid"), _needed(wish, "ask")
        try:
            self.world.price(
                venue,
                symbol,
                bid,
                ask,
                mark=_optional(wish, "mark"),
                last=_optional(wish, "last"),
                bid_quantity=_optional(wish, "bid_qty"),
                ask_quantity=_optional(wish, "ask_qty"),
            )
        except ValueError as error:
            raise ControlError(str(error)) from None
        return {}

    def position(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """``{venue, symbol, qty, account?, price?}``: somebody else trades until the position is `qty` (signed)."""
        venue, symbol = self._market(wish)
        account = self._account(venue, wish)
        target, price = _needed(wish, "qty"), _optional(wish, "price")
        if self.world.book(venue, symbol) is None:
            raise ControlError(f"{symbol} has no market price yet: POST /price first")
        if price is not None and price <= 0:
            raise ControlError("price must be greater than 0")
        order = self.world.act(
            venue, lambda engine, now: engine.change_position(account, symbol, target, now, price=price)
        )
        return {"order": None if order is None else order.id}

    def clock(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """``{skew_ms, venue?}``: from now on the venue (else both) tells a time that is off by so much."""
        offset_ns = int(_needed(wish, "skew_ms") * NS_PER_MS)
        if wish.get("venue", VENUES[0]) not in VENUES:
            raise ControlError(f"venue must be one of {', '.join(VENUES)}")
        for venue in (wish["venue"],) if "venue" in wish else VENUES:
            self.world.skew(venue, offset_ns)
        return self._times()

    def advance(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """``{ms}``: time jumps ahead; what falls due on the way happens."""
        delta = _needed(wish, "ms")
        if delta < 0:
            raise ControlError("ms must not be negative: time never runs backwards")
        self.world.clock.advance(int(delta * NS_PER_MS))
        return self._times()

    def settings(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """``{rate_limits?, check_signatures?, reverse_events?, read_lag_ms?, stream_lag_ms?, …}``. Answers them all."""
        settings = self.world.settings
        changes: dict[str, Any] = {}
        for name, value in wish.items():
            key = f"{name[:-3]}_ns" if name.endswith("_ms") else name
            current = getattr(settings, key, None)
            if current is None:
                raise ControlError(f"unknown setting {name!r}; known: {', '.join(self._settings())}")
            if isinstance(current, bool):
                if not isinstance(value, bool):
                    raise ControlError(f"{name} must be true or false")
                changes[key] = value
            else:
                changes[key] = int(_needed(wish, name) * (NS_PER_MS if key.endswith("_ns") else 1))
        for key, value in changes.items():
            setattr(settings, key, value)
        self.world.apply_settings()
        return self._settings()

    def _settings(self) -> dict[str, Any]:
        told = asdict(self.world.settings)
        return {
            **{f"{name[:-3]}_ms": value // NS_PER_MS for name, value in told.items() if name.endswith("_ns")},
            **{name: value for name, value in told.items() if not name.endswith("_ns")},
        }

    def faults(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """``{fault: [{name, …}, …]}`` adds rules; ``{clear: true}`` first takes all away. Answers the rules."""
        rules = wish.get("fault", [wish] if "name" in wish else [])
        try:
            parsed = self.world.faults.parse(rules)
        except ValueError as error:
            raise ControlError(str(error)) from None
        if wish.get("clear"):
            self.world.faults.clear()
        self.world.faults.add(parsed)
        return {"fault": self.world.faults.describe()}

    def state(self) -> dict[str, Any]:
        """Everything that the venues hold, as it really is: no lag."""
        return {
            **self._times(),
            "defects": [{"venue": one.venue, "where": one.where, "trace": one.trace} for one in self.world.defects],
            "faults": self.world.faults.describe(),
            "sockets": [{"venue": one.venue, "path": one.path} for one in self.world.sockets.values()],
            "venues": {name: _venue_state(self.world.venues[name]) for name in VENUES},
        }

    def _times(self) -> dict[str, Any]:
        return {"t": self.world.now_ns(), "told_ms": {venue: self.world.told_ms(venue) for venue in VENUES}}

    def _market(self, wish: Mapping[str, Any]) -> tuple[str, str]:
        venue, symbol = wish.get("venue"), wish.get("symbol")
        if venue not in VENUES:
            raise ControlError(f"venue must be one of {', '.join(VENUES)}")
        if not isinstance(symbol, str) or symbol not in self.world.markets(venue):
            raise ControlError(f"{venue} does not list {symbol}")
        return venue, symbol

    def _account(self, venue: str, wish: Mapping[str, Any]) -> str:
        accounts = self.world.venues[venue].accounts
        account = wish.get("account", accounts[0])
        if account not in accounts:
            raise ControlError(f"account must be one of {', '.join(accounts)}")
        return str(account)


Operation = Callable[[Mapping[str, Any]], dict[str, Any]]


def operations(control: Control) -> dict[str, Operation]:
    """The routes that take a JSON object, by path."""
    return {
        "/price": control.price,
        "/position": control.position,
        "/clock": control.clock,
        "/advance": control.advance,
        "/faults": control.faults,
        "/settings": control.settings,
    }


def _venue_state(venue: Venue) -> dict[str, Any]:
    return {"accounts": {name: _account_state(venue, name) for name in venue.accounts}}


def _account_state(venue: Venue, name: str) -> dict[str, Any]:
    account = venue.account(name)
    return {
        "cash": plain(account.cash),
        "equity": plain(venue.equity(name)),
        "realized_pnl": plain(account.realized_pnl),
        "fees": plain(account.fees),
        "hedge_mode": account.hedge_mode,
        "positions": [
            {"symbol": one.symbol, "qty": plain(one.quantity), "entry_price": plain(one.entry_price)}
            for one in account.positions.values()
        ],
        "orders": [
            {
                "id": one.id,
                "client_id": one.client_id,
                "symbol": one.symbol,
                "side": one.side.value,
                "qty": plain(one.quantity),
                "filled": plain(one.filled),
                "price": None if one.price is None else plain(one.price),
                "reduce_only": one.reduce_only,
                "status": one.status.value,
            }
            for one in venue.open_orders(name)
        ],
        "stops": [
            {
                "id": one.id,
                "client_id": one.client_id,
                "symbol": one.symbol,
                "side": one.side.value,
                "qty": None if one.quantity is None else plain(one.quantity),
                "trigger_price": plain(one.trigger_price),
                "trigger_by": one.trigger_by.value,
                "attached": one.attached,
                "status": stop_status(one),
            }
            for one in venue.resting_stops(name)
        ],
    }


def _needed(wish: Mapping[str, Any], name: str) -> Decimal:
    value = _optional(wish, name)
    if value is None:
        raise ControlError(f"{name} is missing")
    return value


def _optional(wish: Mapping[str, Any], name: str) -> Decimal | None:
    raw = wish.get(name)
    if raw is None:
        return None
    try:
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            raise InvalidOperation
        value = Decimal(str(raw))
        if not value.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise ControlError(f"{name} must be a decimal, got {raw!r}") from None
    return value
