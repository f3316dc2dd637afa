"""From start to stop: what the kernel sees of the plugin, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from attrs import evolve

import framework_binance
from framework import Exchange, ExchangeError, OrderReport, StopReport, StreamLost, StreamRestored
from framework.testing import ExchangeProbe, check_readme
from framework_binance import limits
from framework_binance.exchange import Binance
from framework_simulator.emulator.binance import limits as emulated_limits
from framework_venue import starting
from framework_venue.budget import Purpose

from .rig import MS, SYMBOL, RealClock, at, close, d, emulated, entry, make, refused_start, run, stop, trading, until


def other_tasks() -> set[str]:
    """The tasks that are not the emulator's own."""
    tasks = (task for task in asyncio.all_tasks() if task is not asyncio.current_task())
    names = {f"{task.get_name()}: {task.get_coro()}" for task in tasks}
    return {name for name in names if "RequestHandler" not in name and "framework_simulator" not in name}


def test_the_plugin_offers_the_exchange() -> None:
    assert framework_binance.exchanges() == [Binance]
    assert Binance.name == "binance"


def test_naming_the_plugin_loads_neither_ccxt_nor_aiohttp() -> None:
    code = "import sys, framework_binance; print([one for one in ('ccxt', 'aiohttp', 'attrs') if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() in ("[]", "['attrs']")


def test_making_the_exchange_loads_no_ccxt() -> None:
    code = (
        "import sys; from framework import Secret; from framework_binance.exchange import Binance;"
        "Binance(api_key=Secret('k'), api_secret=Secret('s')); print('ccxt' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "False"


def test_it_is_an_exchange() -> None:
    exchange: Exchange = make("http://127.0.0.1:1")
    assert {name for name in vars(Exchange) if not name.startswith("_")} <= set(dir(exchange))


def test_the_readme_describes_every_setting() -> None:
    text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    # The kernel's own key of an exchange's table is no setting of the component.
    check_readme(text, [Binance])


def test_before_the_start_and_after_the_stop_nothing_can_be_asked() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            exchange = make(venue.rest)
            with pytest.raises(RuntimeError, match="not started"):
                await exchange.positions()
            async with at(venue) as rig:
                used = rig.exchange
            with pytest.raises(RuntimeError, match="not started"):
                await used.positions()

    run(scenario)


def test_a_whole_life_of_a_position() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            exchange = rig.exchange
            opened = await exchange.place_entry(entry())
            assert isinstance(opened, OrderReport)
            assert opened.filled == d("0.010")
            placed = await exchange.place_stop(stop())
            assert isinstance(placed, StopReport)
            assert placed.live
            closed = await exchange.close_position(close())
            assert isinstance(closed, OrderReport)
            assert closed.filled == d("0.010")
            assert await exchange.positions() == ()
            removed = await exchange.cancel_stop(SYMBOL, placed.client_id)
            assert isinstance(removed, StopReport)
            assert not removed.live
            assert len(await exchange.fills(SYMBOL, time.time_ns() - 60_000_000_000)) == 2

    run(scenario)


def test_the_stop_leaves_no_task_and_no_socket() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            before = other_tasks()
            async with at(venue, warm_connections=5) as rig:
                rig.exchange.watch(frozenset({SYMBOL}))
                await rig.buy()
                await until(lambda: len(rig.sockets()) == 3)
            await until(lambda: venue.sockets() == [])
            await until(lambda: other_tasks() == before)
            gc.collect()  # a socket that was only forgotten would warn, and warnings are errors here

    run(scenario)


ASKED_AT_ONCE = [
    ("/fapi/v1/exchangeInfo", "GET"),
    ("/fapi/v1/leverageBracket", "GET"),
    ("/fapi/v1/accountConfig", "GET"),
    ("/fapi/v1/symbolConfig", "GET"),
    ("/fapi/v1/listenKey", "POST"),
]


def test_a_start_asks_at_once_what_does_not_depend_on_an_answer() -> None:
    """So that lost answers cost what is open one wait, and not one each."""

    async def scenario() -> None:
        async with emulated() as venue:
            for path, _ in ASKED_AT_ONCE:
                venue.fault("slow-response", path=path, delay_ms=500)
            exchange = make(venue.rest, repeat_after_ms=5_000)  # none is asked twice
            starting = asyncio.create_task(exchange.start(ExchangeProbe(RealClock()).link("account")))
            await until(lambda: starting.done() or all(venue.requests(*asked) for asked in ASKED_AT_ONCE))
            assert exchange.line.client.trips.under_way >= len(ASKED_AT_ONCE)
            await starting
            await exchange.stop()

    run(scenario)


@pytest.mark.parametrize("path", [path for path, method in ASKED_AT_ONCE if method == "GET"])
def test_a_start_that_fails_leaves_no_task_and_no_socket(path: str) -> None:
    """Whichever question fails, the others are given up."""

    async def scenario() -> None:
        async with emulated() as venue:
            before = other_tasks()
            venue.fault("refuse", path=path, code=-1000)
            await refused_start(venue)
            await until(lambda: venue.sockets() == [])
            await until(lambda: other_tasks() == before)
            gc.collect()

    run(scenario)


def test_a_stop_in_the_middle_of_requests_and_reconnects_leaves_nothing() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            before = other_tasks()
            async with at(venue) as rig:
                venue.fault("slow-response", path="/fapi/v1/order", delay_ms=200)
                asked = asyncio.ensure_future(rig.exchange.place_entry(entry()))
                await until(lambda: rig.requests("/fapi/v1/order", "POST"))
                rig.exchange.line.streams[0].renew("a test")
            await asyncio.wait({asked})
            assert asked.exception() is None  # its outcome is unknown, and that is an answer
            await until(lambda: venue.sockets() == [])
            await until(lambda: other_tasks() == before)
            gc.collect()

    run(scenario)


def test_an_account_that_another_instance_trades_is_refused_but_may_be_looked_at() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            async with at(venue) as first:
                error = await refused_start(venue)
                assert (error.code, error.for_good) == ("account_in_use", True)
                assert f"is traded by process {os.getpid()} on this machine" in str(error)

                looking = make(venue.rest)
                await looking.start(evolve(first.probe.link("account"), reads_only=True))
                assert await looking.positions() == ()
                await looking.stop()
                assert (await refused_start(venue)).code == "account_in_use"
            async with at(venue) as second:
                assert await second.exchange.positions() == ()

    run(scenario)


def test_it_can_be_started_again() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            async with at(venue) as rig:
                exchange, probe = rig.exchange, rig.probe
            await exchange.start(probe.link("account"))
            try:
                assert await exchange.positions() == ()
            finally:
                await exchange.stop()

    run(scenario)


def test_the_network_is_lost_for_a_while_and_all_comes_back() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("streams-closed", at_ms=0, sockets="*", for_ms=500)
            rig.fault("ack-lost", path="/fapi/*")
            await until(lambda: rig.seen(StreamLost))
            rig.heal()
            await until(lambda: rig.seen(StreamRestored))
            (held,) = await rig.exchange.positions()
            assert held.quantity == d("0.010")

    run(scenario)


def test_a_start_and_its_first_reading_go_ahead_although_all_but_the_stops_share_of_the_limits_is_used() -> None:
    """After a process died again and again: only what is up can look after what is open."""

    async def scenario() -> None:
        async with emulated() as venue:
            async with at(venue) as first:
                while first.exchange.line.budget.used(limits.WEIGHT) < 2000:
                    await first.exchange.line.client.read(limits.ALL_OPEN_STOPS, {}, Purpose.PROTECT)
            async with asyncio.timeout(10), at(venue, request_timeout_s=d("0.5")) as second:
                assert second.exchange.line.budget.used(limits.WEIGHT) > 2000
                assert await second.exchange.resting() == ()
                with pytest.raises(ExchangeError, match="no room in the venue's limits"):
                    await second.exchange.resting()

    run(scenario)


def test_a_start_with_little_left_of_the_limits_says_so_once_and_waits_for_the_next_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(starting, "LONGEST_S", 0.3)
    monkeypatch.setattr(emulated_limits, "MINUTE_NS", 1440 * emulated_limits.MINUTE_NS)

    async def scenario() -> None:
        async with emulated() as venue:
            async with at(venue) as first:
                while first.exchange.line.budget.used(limits.WEIGHT) < 2150:
                    await first.exchange.line.client.read(limits.ALL_OPEN_STOPS, {}, Purpose.PROTECT)
            async with at(venue) as second:
                (told,) = second.notices("start_waits")
                assert "of 2400 weight are used in this minute" in told.message
                assert "the start waits 0.3 s, what is open keeps its stops" in told.message
                rules_ns = venue.requests("/fapi/v1/exchangeInfo")[-1]["t"]
                before_ns, after_ns = [line["t"] for line in venue.requests("/fapi/v1/time") if line["t"] < rules_ns][
                    -2:
                ]
                assert after_ns - before_ns >= 300 * MS

    run(scenario)
