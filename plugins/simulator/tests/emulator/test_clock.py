"""Emulator time: standing still, advancing; and following a real clock."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from framework_simulator.emulator.clock import ManualClock, RealClock


@define
class Timer:
    callback: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@define
class Loop:
    """A loop whose timers never run by themselves."""

    timers: list[tuple[float, Timer]] = field(factory=list)

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        timer = Timer(callback)
        self.timers.append((delay, timer))
        return timer


def test_timers_run_at_their_instant_in_order() -> None:
    clock, seen = ManualClock(now_ns=100), []
    clock.schedule(20, lambda: seen.append(("b", clock.now_ns())))
    clock.schedule(10, lambda: seen.append(("a", clock.now_ns())))
    clock.schedule(20, lambda: seen.append(("c", clock.now_ns())))
    clock.advance(19)
    assert seen == [("a", 110)]
    clock.advance(1)
    assert seen == [("a", 110), ("b", 120), ("c", 120)]


def test_a_timer_that_a_timer_makes_runs_in_the_same_advance_if_it_falls_due() -> None:
    clock, seen = ManualClock(now_ns=0), []
    clock.schedule(10, lambda: clock.schedule(10, lambda: seen.append(clock.now_ns())))
    clock.advance(30)
    assert (seen, clock.now_ns()) == ([20], 30)


def test_a_cancelled_timer_does_not_run() -> None:
    clock, seen = ManualClock(), []
    cancel = clock.schedule(10, lambda: seen.append(1))
    cancel()
    clock.advance(20)
    assert seen == []


def test_a_real_clock_follows_its_source_and_never_runs_backwards() -> None:
    times = iter([100, 90, 120])
    clock = RealClock(lambda: next(times), Loop())
    assert [clock.now_ns() for _ in range(3)] == [100, 100, 120]


def test_advancing_a_real_clock_runs_what_falls_due_and_arms_the_rest_anew() -> None:
    loop, seen = Loop(), []
    clock = RealClock(lambda: 0, loop)
    clock.schedule(1_000_000_000, lambda: seen.append(clock.now_ns()))
    clock.schedule(5_000_000_000, lambda: seen.append(clock.now_ns()))
    clock.advance(2_000_000_000)
    assert (seen, clock.now_ns()) == ([1_000_000_000], 2_000_000_000)
    delay, timer = loop.timers[-1]
    assert (delay, loop.timers[1][1].cancelled) == (3.0, True)
    timer.callback()
    assert len(seen) == 2
