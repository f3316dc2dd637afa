"""From start to stop: what is opened is closed, whatever happens on the way, and nothing stays behind."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from framework import ExchangeError, FillSeen, Percent, StopReport
from framework.testing import ExchangeProbe

from .rig import (
    CLOSE,
    CREATE,
    POSITIONS,
    SYMBOL,
    RealClock,
    at,
    close,
    d,
    emulated,
    entry,
    make,
    recorded,
    run,
    stop,
    until,
)
from .test_translate import execution

KEY = "/v5/user/query-api"


def others() -> set[asyncio.Task[Any]]:
    """The tasks that run beside this one, without those of the emulator's server."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not _serves(task)}


def _serves(task: asyncio.Task[Any]) -> bool:
    return getattr(task.get_coro(), "__qualname__", "").startswith(("RequestHandler.", "BaseSelectorEventLoop._accept"))


def test_after_a_stop_no_task_and_no_socket_is_left() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            before = others()
            async with at(venue, warm_connections=3) as rig:
                rig.exchange.watch(frozenset({SYMBOL}))
                await rig.buy()
                await until(lambda: rig.probe.quotes)
                assert sorted(rig.sockets()) == ["/v5/private", "/v5/public/linear"]
            assert others() == before
            await until(lambda: rig.sockets() == [])
            assert rig.exchange._line is None

    run(scenario)


def test_as_many_connections_are_warmed_as_the_setting_says() -> None:
    async def scenario() -> None:
        async with emulated() as venue, at(venue, warm_connections=7) as rig:
            await until(lambda: len(rig.requests("/v5/market/time")) == 8)  # and one for the clock
        async with emulated() as venue, at(venue, warm_connections=0) as rig:
            await rig.exchange.positions()
            assert len(rig.requests("/v5/market/time")) == 1

    run(scenario)


def test_the_fee_setting_values_fees_in_other_coins() -> None:
    async def scenario() -> None:
        async with emulated() as venue, at(venue, taker_fee_percent=Percent(d("0.2"))) as rig:
            fill = rig.exchange.session.words.fill(execution(feeCurrency="BTC"))
            assert fill is not None
            assert fill.fee_usd == d("0.002") * fill.quantity * fill.price

    run(scenario)


def test_stopping_twice_or_before_a_start_does_no_harm() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            exchange = make(venue.rest)
            await exchange.stop()
            await exchange.start(ExchangeProbe(RealClock()).link())
            await exchange.stop()
            await exchange.stop()

    run(scenario)


def test_an_exchange_can_be_started_again() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            exchange = make(venue.rest)
            for _ in range(2):
                await exchange.start(ExchangeProbe(RealClock()).link())
                assert await exchange.positions() == ()
                await exchange.stop()

    run(scenario)


@pytest.mark.parametrize("path", ["/v5/market/instruments-info", KEY, "/v5/account/info", POSITIONS])
def test_a_start_that_fails_leaves_nothing(path: str) -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            before = others()
            venue.fault("refuse", path=path, code=10016)
            with pytest.raises(ExchangeError):
                await make(venue.rest).start(ExchangeProbe(RealClock()).link())
            assert others() == before
            assert venue.sockets() == []

    run(scenario)


@pytest.mark.parametrize("turns", [1, 3, 10, 30, 100, 300])
def test_a_start_that_is_cancelled_at_any_moment_leaves_nothing(turns: int) -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            before = others()
            exchange = make(venue.rest)
            starting = asyncio.create_task(exchange.start(ExchangeProbe(RealClock()).link()))
            for _ in range(turns):
                await asyncio.sleep(0)
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await exchange.stop()
            assert others() - before == set()
            await until(lambda: venue.sockets() == [])

    run(scenario)


def test_a_venue_that_cant_be_reached_is_an_error() -> None:
    async def scenario() -> None:
        with pytest.raises(ExchangeError, match="account: "):
            await make("http://127.0.0.1:9").start(ExchangeProbe(RealClock()).link("account"))

    run(scenario)


def test_a_server_that_is_no_bybit_is_an_error() -> None:
    async def scenario() -> None:
        async with recorded(200, "<html>hello</html>", "text/html") as address:
            with pytest.raises(ExchangeError, match="HTTP 200 with"):
                await make(address).start(ExchangeProbe(RealClock()).link())

    run(scenario)


def test_a_stop_while_requests_are_under_way_ends_them() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            before = others()
            async with at(venue) as rig:
                rig.fault("slow-response", path=CREATE, delay_ms=300)
                asking = asyncio.create_task(rig.exchange.place_entry(entry()))
                await until(lambda: rig.sent(CREATE))
            await asking
            assert others() - before == set()

    run(scenario)


def test_the_whole_life_of_a_position_over_real_sockets() -> None:
    async def scenario() -> None:
        async with emulated() as venue, at(venue) as rig:
            exchange = rig.exchange
            rig.exchange.watch(frozenset({SYMBOL}))
            await rig.buy()
            rig.price(51000)
            await until(lambda: any(quote.last == d(51000) for _, quote in rig.probe.quotes))
            moved = await exchange.move_stop(stop("50500"))
            assert isinstance(moved, StopReport)
            assert moved.live
            await exchange.close_position(close())
            await rig.event(FillSeen, lambda event: event.fill.client_id == CLOSE)
            assert await exchange.positions() == ()
            assert await exchange.stops(SYMBOL) == ()

    run(scenario)


def imported(code: str, *modules: str) -> list[str]:
    """Which of these modules some code imports, in a process of its own."""
    program = f"import sys\n{code}\nprint(' '.join(m for m in {modules!r} if m in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    return ran.stdout.split()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import framework_bybit", []),
        ("import framework_bybit; framework_bybit.exchanges()", ["aiohttp"]),
    ],
)
def test_naming_the_plugin_does_not_load_ccxt(code: str, found: list[str]) -> None:
    assert imported(code, "ccxt", "ccxt.pro", "aiohttp") == found
