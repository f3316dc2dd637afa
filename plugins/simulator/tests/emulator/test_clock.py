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


@define
class Source:
    """A clock that shows what a test sets."""

    now_ns: int = 0

    def __call__(self) -> int:
        return self.now_ns


def leaping() -> tuple[RealClock, Source, Loop]:
    source, loop = Source(), Loop()
    return RealClock(source, loop), source, loop


def test_a_leap_runs_what_the_calendar_says_for_the_way_each_at_its_instant() -> None:
    clock, source, _ = leaping()
    seen: list[int] = []
    clock.at(20, lambda: seen.append(clock.now_ns()))
    clock.at(10, lambda: clock.at(15, lambda: seen.append(clock.now_ns())))
    clock.at(31, lambda: seen.append(clock.now_ns()))

    clock.leap(30)
    source.now_ns = 30

    assert (seen, clock.now_ns()) == ([15, 20], 30)


def test_what_waits_for_clients_waits_on_through_a_leap_as_long_as_before() -> None:
    clock, source, loop = leaping()
    seen: list[int] = []
    clock.schedule(10, lambda: seen.append(clock.now_ns()))

    clock.leap(3_600_000_000_000)
    source.now_ns = 3_600_000_000_000

    assert seen == []
    ((delay, timer),) = loop.timers
    assert (delay, timer.cancelled) == (10 / 1e9, False)
    clock.advance(9)
    assert seen == []
    clock.advance(1)
    assert seen == [3_600_000_000_010]


def test_after_a_leap_the_loop_waits_less_long_for_what_stands_in_the_calendar() -> None:
    clock, source, loop = leaping()
    clock.at(5_000_000_000, lambda: None)

    clock.leap(2_000_000_000)
    source.now_ns = 2_000_000_000

    assert [(delay, timer.cancelled) for delay, timer in loop.timers] == [(5.0, True), (3.0, False)]


def test_a_clock_that_leapt_goes_on_with_its_source() -> None:
    clock, source, _ = leaping()
    clock.leap(100)
    assert clock.now_ns() == 100
    source.now_ns = 101
    assert clock.now_ns() == 101


def test_a_clock_knows_whether_something_is_only_about_to_take_effect() -> None:
    clock, _, _ = leaping()
    clock.schedule(1000, lambda: None)
    clock.at(10, lambda: None)
    assert not clock.awaits_within(999)
    cancel = clock.schedule(50, lambda: None)
    assert clock.awaits_within(50)
    cancel()
    assert not clock.awaits_within(999)


def test_an_instant_of_the_calendar_comes_while_a_standing_clock_is_advanced() -> None:
    clock, seen = ManualClock(now_ns=100), []
    clock.at(120, lambda: seen.append(clock.now_ns()))
    clock.advance(30)
    assert seen == [120]
