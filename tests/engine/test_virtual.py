"""The loop on virtual time: it jumps where it would wait, keeps the order of timers, and still serves sockets."""

from __future__ import annotations

import asyncio
import signal
import socket
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.engine.virtual import VirtualLoop, run_virtual

S = 1_000_000_000
YEAR_S = 365 * 86_400


def test_sleeping_takes_exactly_as_long_as_was_asked_for_in_virtual_time() -> None:
    loop = VirtualLoop()
    run_virtual(asyncio.sleep(1.5), loop=loop)
    assert loop.elapsed_ns == 1_500_000_000


def test_what_does_not_wait_takes_no_time() -> None:
    loop = VirtualLoop()

    async def busy() -> None:
        for _ in range(1000):
            await asyncio.sleep(0)

    run_virtual(busy(), loop=loop)
    assert loop.elapsed_ns == 0


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 10_000), max_size=20))
def test_timers_run_in_the_order_of_their_time_and_the_same_way_every_time(delays_ms: list[int]) -> None:
    def ran() -> list[tuple[int, int]]:
        order: list[tuple[int, int]] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            for number, delay in enumerate(delays_ms):
                loop.call_later(delay / 1000, order.append, (delay, number))
            await asyncio.sleep(11)

        run_virtual(main(), loop=VirtualLoop())
        return order

    order = ran()
    assert [delay for delay, _ in order] == sorted(delays_ms)
    assert order == ran()


@pytest.mark.parametrize("begun_s", [1, 86_400, YEAR_S, 20 * YEAR_S])
def test_timers_run_on_time_however_old_the_session_is(begun_s: int) -> None:
    loop = VirtualLoop()

    async def main() -> None:
        await asyncio.sleep(begun_s)
        for _ in range(100):
            await asyncio.sleep(0.001)

    run_virtual(main(), loop=loop)
    assert abs(loop.elapsed_ns - begun_s * S - 100_000_000) < 1_000_000


def test_timeouts_are_virtual_too() -> None:
    loop = VirtualLoop()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.Event().wait()

    run_virtual(main(), loop=loop)
    assert loop.elapsed_ns == 3600 * S


@pytest.mark.parametrize("speed", [None, Decimal(1_000_000)])
def test_sockets_are_served_while_timers_wait(speed: Decimal | None) -> None:
    async def main() -> bytes:
        here, there = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=here)
        there.sendall(b"hello\n")
        line = await asyncio.wait_for(reader.readline(), timeout=60)
        writer.close()
        there.close()
        return line

    loop = VirtualLoop(speed)
    assert run_virtual(main(), loop=loop) == b"hello\n"
    assert loop.elapsed_ns < 60 * S


def test_signals_of_the_system_are_served_while_nothing_else_happens() -> None:
    async def main() -> None:
        loop, told = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, told.set)
        signal.raise_signal(signal.SIGTERM)
        await told.wait()
        loop.remove_signal_handler(signal.SIGTERM)

    run_virtual(main(), loop=VirtualLoop())


def test_with_a_speed_virtual_time_is_the_same_as_without() -> None:
    loop = VirtualLoop(Decimal(10_000_000))
    run_virtual(asyncio.sleep(3600), loop=loop)
    assert loop.elapsed_ns == 3600 * S


@pytest.mark.parametrize("speed", ["0", "-1"])
def test_a_speed_that_goes_nowhere_is_refused(speed: str) -> None:
    with pytest.raises(ValueError, match="speed must be greater than 0"):
        VirtualLoop(Decimal(speed))
