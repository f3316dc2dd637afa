"""What the tests share: an emulated Bybit on real loopback sockets, and the exchange started against it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, TypeVar

from aiohttp import web
from attrs import define, evolve

from framework import (
    CloseOrder,
    EntryOrder,
    ExchangeError,
    FillSeen,
    OrderSide,
    OrderType,
    PriceSource,
    Secret,
    StopOrder,
    StopSeen,
    TimeInForce,
    VenueNotice,
)
from framework.testing import ExchangeProbe
from framework_bybit.exchange import Bybit
from framework_simulator.emulator.build import DEFAULT_KEY, Plan
from framework_simulator.emulator.emulator import Emulator
from framework_simulator.emulator.world import World

SYMBOL = "BTCUSDT"
ENTRY = "fw-aaaaaaaaaaaaaaaa-e0"
STOP = "fw-aaaaaaaaaaaaaaaa-s0"
CLOSE = "fw-aaaaaaaaaaaaaaaa-x0"
PATIENCE_S = 10
MS = 1_000_000

CREATE = "/v5/order/create"
CANCEL = "/v5/order/cancel"
AMEND = "/v5/order/amend"
TRADING_STOP = "/v5/position/trading-stop"
POSITIONS = "/v5/position/list"
OPEN_ORDERS = "/v5/order/realtime"
PAST_ORDERS = "/v5/order/history"
EXECUTIONS = "/v5/execution/list"
TICKERS = "/v5/market/tickers"

E = TypeVar("E")


class RealClock:
    """The machine's clock: signatures depend on it."""

    def now_ns(self) -> int:
        """Nanoseconds UTC."""
        return time.time_ns()


def d(text: str | int) -> Decimal:
    """A decimal."""
    return Decimal(text)


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario to its end, or fail."""

    async def patient() -> None:
        await asyncio.wait_for(scenario(), 3 * PATIENCE_S)

    asyncio.run(patient())


async def until(condition: Callable[[], Any]) -> Any:
    """Wait for a condition to hold; answers what it said."""
    async with asyncio.timeout(PATIENCE_S):
        while not (answer := condition()):  # noqa: ASYNC110 - what is waited for comes over a socket
            await asyncio.sleep(0.002)
    return answer


def make(rest: str, **settings: Any) -> Bybit:
    """The exchange with the emulator's key, pointed at an address."""
    keys = {"api_key": Secret(DEFAULT_KEY.key), "api_secret": Secret(DEFAULT_KEY.secret)}
    return Bybit(**{**keys, "base_url": rest, "symbols": (SYMBOL,), "warm_connections": 0, **settings})


@define
class Venue:
    """A running emulator and where it serves Bybit."""

    emulator: Emulator
    rest: str

    @property
    def world(self) -> World:
        return self.emulator.world

    def price(self, bid: str | int, ask: str | int | None = None, *, symbol: str = SYMBOL, **rest: Any) -> None:
        """The market jumps; without an ask it is 0.1 wide."""
        above = d(bid) + d("0.1") if ask is None else d(ask)
        self.world.price("bybit", symbol, d(bid), above, **{name: d(value) for name, value in rest.items()})

    def fault(self, name: str, **rule: Any) -> None:
        """From now on something goes wrong."""
        self.world.faults.add(self.world.faults.parse([{"name": name, "venue": "bybit", **rule}]))

    def heal(self) -> None:
        """No fault holds any more."""
        self.world.faults.clear()

    def requests(self, path: str) -> list[dict[str, Any]]:
        """What the venue was asked, oldest first, as its ledger has it."""
        lines = [line for line in self.emulator.control.tail.lines if line["kind"] == "request"]
        return [line for line in lines if line["path"] == path]

    def sent(self, path: str) -> list[dict[str, Any]]:
        """The parameters of those requests."""
        return [line["params"] for line in self.requests(path)]

    def sockets(self) -> list[str]:
        """The paths of the WebSockets that are open."""
        return [one.path for one in self.world.sockets.values()]


@define
class Rig(Venue):
    """An exchange at the venue. `probe` keeps what the exchange tells the kernel."""

    exchange: Bybit
    probe: ExchangeProbe

    def seen(self, kind: type[E]) -> list[E]:
        """The events of a kind, oldest first."""
        return [event for event in self.probe.events if isinstance(event, kind)]

    def notices(self, code: str) -> list[VenueNotice]:
        """What people were told under a code."""
        return [notice for notice in self.seen(VenueNotice) if notice.code == code]

    async def event(self, kind: type[E], fits: Callable[[E], bool] = lambda event: True) -> E:
        """Wait for an event that fits."""
        return await until(lambda: next((one for one in self.seen(kind) if fits(one)), None))  # type: ignore[no-any-return]

    async def buy(self, quantity: str = "0.010", trigger: str = "49000", client_id: str = ENTRY) -> None:
        """Open a long position with its stop, and wait until all is told."""
        await self.exchange.place_entry(entry(quantity, trigger=trigger, client_id=client_id))
        await self.event(FillSeen, lambda event: event.fill.client_id == client_id)
        await self.event(StopSeen, lambda event: event.report.live)


@asynccontextmanager
async def emulated(plan: Plan | None = None, **settings: Any) -> AsyncIterator[Venue]:
    """An emulator with a BTCUSDT market at 50000. It must end without a defect."""
    emulator = Emulator(plan or Plan())
    ready: Any = await emulator.start()
    for name, value in {"subscribe_delay_ns": 2 * MS, **settings}.items():
        setattr(emulator.world.settings, name, value)
    venue = Venue(emulator, ready["bybit"]["rest"])
    venue.price(50000)
    try:
        yield venue
        assert [one.trace for one in emulator.world.defects] == []
    finally:
        for _ in range(20):  # its end of a connection that was given up while it was dialled is closed first
            await asyncio.sleep(0)
        await emulator.stop()


@asynccontextmanager
async def at(venue: Venue, *, active_ns: int = 0, **settings: Any) -> AsyncIterator[Rig]:
    """An exchange that was started at a venue, and is stopped in the end. `active_ns`: when an earlier run was."""
    probe = ExchangeProbe(RealClock())
    rig = Rig(venue.emulator, venue.rest, make(venue.rest, **settings), probe)
    await rig.exchange.start(evolve(probe.link("account"), active_ns=active_ns))
    try:
        yield rig
    finally:
        await rig.exchange.stop()


@asynccontextmanager
async def trading(emulator_settings: dict[str, Any] | None = None, **settings: Any) -> AsyncIterator[Rig]:
    """Both in one."""
    async with emulated(**(emulator_settings or {})) as venue, at(venue, **settings) as rig:
        yield rig


async def refused_start(venue: Venue, **settings: Any) -> ExchangeError:
    """The error with which a start ends."""
    try:
        async with at(venue, **settings):
            pass
    except ExchangeError as error:
        return error
    raise AssertionError("the start was not refused")


@asynccontextmanager
async def recorded(status: int, body: str, content_type: str = "application/json") -> AsyncIterator[str]:
    """A server that answers everything with the same; answers its address."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=content_type)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def entry(
    quantity: str = "0.010",
    *,
    client_id: str = ENTRY,
    price: str | None = None,
    trigger: str | None = "49000",
    side: OrderSide = OrderSide.BUY,
    left_s: float = 30,
    time_in_force: TimeInForce = TimeInForce.GTC,
) -> EntryOrder:
    """An entry with its stop; with a price it is a limit order."""
    return EntryOrder(
        client_id=client_id,
        symbol=SYMBOL,
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=d(quantity),
        price=None if price is None else d(price),
        time_in_force=time_in_force,
        send_before_ns=time.time_ns() + int(left_s * 1e9),
        stop=None if trigger is None else stop(trigger, quantity),
    )


def stop(
    trigger: str = "49000",
    quantity: str = "0.010",
    *,
    client_id: str = STOP,
    trigger_by: PriceSource = PriceSource.LAST,
    attached: bool = True,
) -> StopOrder:
    """The stop of a long position."""
    return StopOrder(client_id, SYMBOL, OrderSide.SELL, d(quantity), d(trigger), trigger_by, attached)


def close(quantity: str = "0.010", *, client_id: str = CLOSE) -> CloseOrder:
    """The close of a long position."""
    return CloseOrder(client_id, SYMBOL, OrderSide.SELL, d(quantity))


async def answered(asked: Awaitable[E], within_s: float = PATIENCE_S) -> E:
    """An answer that must come in time."""
    async with asyncio.timeout(within_s):
        return await asked
