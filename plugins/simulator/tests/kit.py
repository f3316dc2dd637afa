"""A small venue to test with: BTCUSDT with a tick of 0.1 and a step of 0.001, one account of 1000 USD."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field

from framework import (
    CloseOrder,
    EntryOrder,
    ExchangeEvent,
    ExchangeLink,
    MarketRules,
    OrderSide,
    OrderType,
    Percent,
    PriceSource,
    Quote,
    QuoteUpdate,
    Side,
    StopOrder,
    TimeInForce,
)
from framework_simulator.engine.account import Account
from framework_simulator.engine.ledger import Ledger, Line
from framework_simulator.engine.orders import AttachedStop, OrderRequest, StopRequest
from framework_simulator.engine.rules import Market
from framework_simulator.engine.style import BINANCE, VenueStyle
from framework_simulator.engine.venue import Venue
from framework_simulator.paper import Paper

T = TypeVar("T")
MARKETS = Path(__file__).parents[3] / "examples" / "markets"
BINANCE_FILE = MARKETS / "binance_usdm_2025-03.json"
BYBIT_FILE = MARKETS / "bybit_linear_2025-03.json"
SYMBOL = "BTCUSDT"
ME = "main"


def d(text: str | int) -> Decimal:
    return Decimal(text)


RULES = MarketRules(
    symbol=SYMBOL,
    tick_size=d("0.1"),
    step_size=d("0.001"),
    min_quantity=d("0.001"),
    max_quantity=d("50"),
    min_notional=d("5"),
    min_price=d("0.1"),
    max_price=d("10000"),
    price_band=d("0.5"),
    max_leverage=d("20"),
)
MARKET = Market(RULES, max_limit_quantity=d("100"))


def quote(bid: str, ask: str | None = None, *, last: str | None = None, mark: str | None = None) -> Quote:
    """A quote at time 0. What is not given is the bid."""
    return Quote(bid=d(bid), ask=d(ask or bid), last=d(last or bid), mark=d(mark or last or bid), time_ns=0)


@define
class Bench:
    """A venue with one account, and the ledger lines that it has written."""

    venue: Venue
    lines: list[Line]

    def quote(self, bid: str, ask: str | None = None, **rest: Any) -> None:
        depth = {name: d(rest.pop(name)) for name in ("bid_quantity", "ask_quantity") if name in rest}
        self.venue.quote(SYMBOL, quote(bid, ask, **rest), 0, **depth)

    def walk(self, price: str) -> None:
        self.venue.walk(SYMBOL, d(price), 0)

    def order(self, side: str, quantity: str, price: str | None = None, **rest: Any) -> Any:
        """Place a market order, or a limit order when there is a price."""
        request = OrderRequest(
            client_id=rest.pop("client_id", None) or f"c{len(self.lines)}",
            symbol=rest.pop("symbol", SYMBOL),
            side=OrderSide(side),
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=d(quantity),
            price=None if price is None else d(price),
            time_in_force=TimeInForce(rest.pop("tif", "gtc")),
            **rest,
        )
        return self.venue.place_order(ME, request, 0)

    def stop(self, side: str, quantity: str, trigger: str, client_id: str = "s1", by: str = "last") -> Any:
        """Place a stop order of its own."""
        return self.venue.place_stop(ME, stop_request(side, quantity, trigger, client_id, by), 0)

    def attach(self, trigger: str, client_id: str = "s1", by: str = "last") -> Any:
        """Set the attached stop."""
        return self.venue.set_attached_stop(ME, SYMBOL, attached(trigger, client_id, by), 0)

    @property
    def held(self) -> Decimal:
        return self.venue.position(ME, SYMBOL).quantity

    @property
    def fill_prices(self) -> list[str]:
        return [str(fill.price) for fill in self.venue.fills(ME, SYMBOL, 0)]

    def of_kind(self, kind: str) -> list[Line]:
        return [line for line in self.lines if line["kind"] == kind]


def stop_request(side: str, quantity: str, trigger: str, client_id: str = "s1", by: str = "last") -> StopRequest:
    return StopRequest(client_id, SYMBOL, OrderSide(side), d(quantity), d(trigger), PriceSource(by))


def attached(trigger: str, client_id: str = "s1", by: str = "last") -> AttachedStop:
    return AttachedStop(client_id, d(trigger), PriceSource(by))


def bench(
    style: VenueStyle = BINANCE,
    *,
    cash: str = "1000",
    slippage: str = "0",
    leverage: str = "10",
    at: str | None = "100",
) -> Bench:
    """A venue whose market stands at `at`; taker fee 0.05 %, maker fee 0.02 %."""
    lines: list[Line] = []
    venue = Venue.open(style, {SYMBOL: MARKET}, ledger=Ledger(style.name, [lines.append]), slippage=Percent(slippage))
    venue.open_account(new_account(ME, cash=cash, leverage=leverage))
    made = Bench(venue, lines)
    if at is not None:
        made.quote(at)
    return made


def new_account(name: str, *, cash: str = "1000", leverage: str = "10") -> Account:
    return Account(name, d(cash), d(leverage), taker_fee=Percent("0.05"), maker_fee=Percent("0.02"))


# ── the component, on a loop with a virtual clock ───────────────────────────────────────────────────────────


class _InstantSelector(selectors.SelectSelector):
    """Waiting moves the clock of its loop instead of taking time."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("nothing is left to happen: the test would wait for ever")
        self.now_s += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on which sleeping costs nothing."""

    def __init__(self) -> None:
        self.instant = _InstantSelector()
        super().__init__(self.instant)

    def time(self) -> float:
        return self.instant.now_s


@define
class LoopClock:
    """A clock that starts at `start_ns` and follows a virtual loop, in whole units of `grain_ns`."""

    loop: VirtualLoop
    start_ns: int = 0
    grain_ns: int = 1

    def now_ns(self) -> int:
        passed_ns = round(self.loop.time() * 1_000_000_000)
        return self.start_ns + passed_ns // self.grain_ns * self.grain_ns


@define
class Told:
    """What an exchange told through its link, in order: events, and quotes as (symbol, quote)."""

    clock: LoopClock
    all: list[Any] = field(factory=list)

    def link(self, account: str = ME) -> ExchangeLink:
        return ExchangeLink(
            account=account,
            clock=self.clock,
            random=random.Random(1),  # noqa: S311
            emit=self._emit,
            quote=self._quote,
        )

    def _emit(self, event: ExchangeEvent) -> None:
        self.all.append(event)

    def _quote(self, symbol: str, quote: Quote) -> None:
        self.all.append((symbol, quote))

    def take(self) -> list[Any]:
        taken, self.all = self.all, []
        return taken


def on_virtual_time(body: Callable[[Told], Coroutine[Any, Any, T]], start_ns: int = 0) -> T:
    """Run a coroutine to its end on a virtual loop."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(body(Told(LoopClock(loop, start_ns))))
    finally:
        loop.close()


# ── orders as the kernel asks for them ──────────────────────────────────────────────────────────────────────


def paper(rules: str = "bybit", **settings: Any) -> Paper:
    """The component with 1000 USD at 10x and a taker fee of 0.05 %."""
    file = {"binance": BINANCE_FILE, "bybit": BYBIT_FILE}[rules]
    given = {"balance_usd": d(1000), "taker_fee_percent": Percent("0.05")} | settings
    return Paper(rules=rules, markets=file, **given)  # type: ignore[arg-type]


def kernel_stop(
    trigger: str,
    *,
    symbol: str,
    quantity: str,
    side: Side = Side.LONG,
    attached: bool = True,
    client_id: str = "s0",
) -> StopOrder:
    """The stop of a position of `side`."""
    return StopOrder(client_id, symbol, side.exit, d(quantity), d(trigger), PriceSource.LAST, attached)


def kernel_entry(
    symbol: str,
    quantity: str,
    *,
    side: Side = Side.LONG,
    price: str | None = None,
    stop: StopOrder | None = None,
    client_id: str = "e0",
    send_before_ns: int = 10**18,
) -> EntryOrder:
    """A market entry, or a limit entry when there is a price."""
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    limit = None if price is None else d(price)
    return EntryOrder(client_id, symbol, side.entry, kind, d(quantity), limit, TimeInForce.GTC, send_before_ns, stop)


def kernel_close(symbol: str, quantity: str, *, side: Side = Side.LONG, client_id: str = "x0") -> CloseOrder:
    """The close of a position of `side`."""
    return CloseOrder(client_id, symbol, side.exit, d(quantity))


def played(symbol: str, bid: str, ask: str | None = None, *, account: str = ME, **depth: str) -> QuoteUpdate:
    """A recorded quote."""
    return QuoteUpdate(account, symbol, quote(bid, ask), **{name: d(value) for name, value in depth.items()})
