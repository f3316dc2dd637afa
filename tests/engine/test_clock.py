"""The one clock: the machine's own, or that of a loop on virtual time."""

from __future__ import annotations

import asyncio

import pytest

from framework.engine.clock import SystemClock, VirtualClock
from framework.engine.virtual import VirtualLoop, run_virtual
from framework.testing import NOW_NS

S = 1_000_000_000


def test_the_virtual_clock_starts_where_it_is_told_and_goes_with_its_loop() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(NOW_NS, loop)
    assert clock.now_ns() == NOW_NS
    run_virtual(asyncio.sleep(2), loop=loop)
    assert clock.now_ns() == NOW_NS + 2 * S


def test_the_systems_clock_is_the_machines_own_in_nanoseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: NOW_NS)
    assert SystemClock().now_ns() == NOW_NS
