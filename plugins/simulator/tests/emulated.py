"""The engine as the emulator runs it: stages are told, accounts are liquidated, time passes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import define, evolve, field

from framework import OrderSide, OrderType, Percent, PriceSource, TimeInForce
from framework_simulator.engine.events import Event, StopChanged
from framework_simulator.engine.ledger import Ledger, Line, stop_status
from framework_simulator.engine.orders import AttachedStop, OrderRequest, StopKind, StopRequest, Trail
from framework_simulator.engine.realism import Realism
from framework_simulator.engine.style import BINANCE, VenueStyle
from framework_simulator.engine.venue import Venue

from .kit import MARKET, ME, SYMBOL, d, new_account, quote

MS = 1_000_000


@define
class Emulated:
    """A venue with one account, its ledger lines and its events."""

    venue: Venue
    lines: list[Line]
    now_ns: int = 10**18
    number: int = field(default=0, init=False)
    events: list[Event] = field(factory=list, init=False)

    def quote(self, bid: str, ask: str | None = None, *, depth: str | None = None, **rest: Any) -> None:
        quantity = None if depth is None else d(depth)
        self.venue.quote(SYMBOL, quote(bid, ask, **rest), self.now_ns, bid_quantity=quantity, ask_quantity=quantity)
        self._take()

    def wait(self, delta_ns: int) -> None:
        self.now_ns += delta_ns
        self.venue.advance(self.now_ns)
        self._take()

    def order(self, side: str, quantity: str, price: str | None = None, *, tif: str = "gtc", **rest: Any) -> Any:
        self.number += 1
        request = OrderRequest(
            client_id=rest.pop("client_id", f"c{self.number}"),
            symbol=SYMBOL,
            side=OrderSide(side),
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=d(quantity),
            price=None if price is None else d(price),
            time_in_force=TimeInForce(tif),
            **rest,
        )
        answer = self.venue.place_order(ME, request, self.now_ns)
        self._take()
        return answer

    def stop(
        self, side: str, quantity: str | None, trigger: str, *, kind: str = "stop", by: str = "last", **rest: Any
    ) -> Any:
        self.number += 1
        request = StopRequest(
            client_id=rest.pop("client_id", f"s{self.number}"),
            symbol=SYMBOL,
            side=OrderSide(side),
            quantity=None if quantity is None else d(quantity),
            trigger_price=d(trigger),
            trigger_by=PriceSource(by),
            kind=StopKind(kind),
            **rest,
        )
        answer = self.venue.place_stop(ME, request, self.now_ns)
        self._take()
        return answer

    def attach(self, *wishes: AttachedStop, removed: tuple[StopKind, ...] = ()) -> Any:
        answer = self.venue.set_attached_stops(ME, SYMBOL, wishes, removed, self.now_ns)
        self._take()
        return answer

    @property
    def held(self) -> Decimal:
        return self.venue.position(ME, SYMBOL).quantity

    @property
    def resting(self) -> list[str]:
        return [f"{stop.kind.value} {stop.trigger_price}" for stop in self.venue.stops(ME, SYMBOL)]

    def stages(self, stop_id: str) -> list[str]:
        """Where a stop stood, event by event."""
        told = (event.stop for event in self.events if isinstance(event, StopChanged))
        return [stop_status(stop) for stop in told if stop.id == stop_id]

    def _take(self) -> None:
        self.events.extend(self.venue.take_events())


def wish(trigger: str, kind: str = "stop", *, quantity: str | None = None, trail: Trail | None = None) -> AttachedStop:
    part = None if quantity is None else d(quantity)
    return AttachedStop("", d(trigger), PriceSource.LAST, StopKind(kind), quantity=part, trail=trail)


def emulated(style: VenueStyle = BINANCE, *, cash: str = "1000", at: str = "100", **market: Any) -> Emulated:
    """A venue at 100 with the realism that the emulator gives it; no band, 2 s of position lag on Binance."""
    lines: list[Line] = []
    binance = style is BINANCE
    venue = Venue.open(
        style,
        {SYMBOL: evolve(MARKET, **market)},
        ledger=Ledger(style.name, [lines.append]),
        slippage=Percent(d(0)),
        realism=Realism(
            position_lag_ns=2000 * MS if binance else 0,
            trigger_delay_ns=12 * MS if binance else 0,
            tells_stages=True,
            liquidates=True,
            stop_becomes_order=not binance,
            counts_reduce_only=binance,
        ),
        order_ids=lambda number: f"o{number}",
        stop_ids=(lambda number: f"a{number}") if binance else (lambda number: f"o{number}"),
    )
    venue.open_account(new_account(ME, cash=cash))
    made = Emulated(venue, lines)
    made.quote(at)
    return made
