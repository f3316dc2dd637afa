"""How a rehearsal passes its time: in real time, but for the hours in which nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar

from attrs import define, field

from framework import Clock, Endpoint, MarketUpdate
from framework.engine.leaping import CALM_S, LONGEST_SLEEP_S, Leaping, LeapingClock, sleep_until
from framework.engine.virtual import VirtualLoop, run_virtual
from framework.testing import NOW_NS

HOUR_NS = 3_600_000_000_000
MS = 1_000_000
NS = 1_000_000_000
CALM_NS = round(CALM_S * 1_000_000_000)


@define
class Scene:
    """A stage and an engine in one, on virtual time in the place of real time."""

    name: ClassVar[str] = "scene"
    venues: ClassVar[frozenset[str]] = frozenset()

    loop: VirtualLoop = field(factory=VirtualLoop)
    clock: LeapingClock = field(init=False)
    halts: list[int] = field(factory=list)
    asks: list[int] = field(factory=list)
    busy_until_s: float = 0
    undecided_until_s: float = 0
    seen: list[tuple[str, int]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.clock = LeapingClock(NOW_NS, lambda: self.loop.elapsed_ns)

    @property
    def is_undecided(self) -> bool:
        return self.loop.time() < self.undecided_until_s

    def next_ask_ns(self) -> int | None:
        return next((each for each in self.asks if each > self.clock.now_ns()), None)

    def ask_due(self) -> None:
        if self.clock.now_ns() in self.asks:
            self.note("ask")

    async def start(self, clock: Clock, accounts: Mapping[str, str], recorded: bool) -> Mapping[str, Endpoint]:
        return {}

    async def stop(self) -> None:
        """Nothing to let go of."""

    def play(self, update: MarketUpdate) -> None:
        """Nothing is played."""

    def next_ns(self) -> int | None:
        return next((each for each in self.halts if each > self.clock.now_ns()), None)

    def is_busy(self) -> bool:
        return self.loop.time() < self.busy_until_s

    async def advance(self, to_ns: int) -> None:
        self.seen.append(("advance", to_ns - NOW_NS))

    def notes(self) -> tuple[str, ...]:
        return ()

    def note(self, what: str) -> None:
        self.seen.append((what, self.clock.now_ns() - NOW_NS))

    def until(self, *instants: int, meanwhile: Callable[[], None] = lambda: None) -> int:
        """Wait for instants after the start, one after another; how long that took, in ns of the loop's time."""

        async def go() -> None:
            asyncio.get_running_loop().call_later(0.02, meanwhile)
            for instant in instants:
                await Leaping(self.clock, self, self).until(NOW_NS + instant)
                self.note("there")

        run_virtual(go(), loop=self.loop)
        return self.loop.elapsed_ns


def test_the_clock_begins_at_its_start_and_passes_in_real_time() -> None:
    times = [100, 100, 350]
    clock = LeapingClock(NOW_NS, lambda: times.pop(0))

    assert [clock.now_ns(), clock.now_ns()] == [NOW_NS, NOW_NS + 250]


def test_the_clock_goes_on_from_where_it_leapt_to_and_never_leaps_back() -> None:
    elapsed = 0
    clock = LeapingClock(NOW_NS, lambda: elapsed)

    clock.leap(NOW_NS + HOUR_NS)
    assert clock.now_ns() == NOW_NS + HOUR_NS
    clock.leap(NOW_NS)
    assert clock.now_ns() == NOW_NS + HOUR_NS
    elapsed = 7
    assert clock.now_ns() == NOW_NS + HOUR_NS + 7


def test_hours_in_which_nothing_happens_are_skipped_after_a_moment_of_calm() -> None:
    scene = Scene()

    took_ns = scene.until(HOUR_NS, 2 * HOUR_NS)

    assert took_ns == 2 * CALM_NS
    assert scene.seen == [("advance", HOUR_NS), ("there", HOUR_NS), ("advance", 2 * HOUR_NS), ("there", 2 * HOUR_NS)]


def test_an_instant_that_is_over_is_not_waited_for() -> None:
    assert Scene().until(0, -5) == 0


def test_what_is_nearer_than_a_moment_of_calm_comes_by_itself() -> None:
    scene = Scene()

    assert scene.until(10 * MS) == 10 * MS
    assert scene.seen == [("there", 10 * MS)]


def test_time_does_not_jump_while_the_stage_is_busy() -> None:
    scene = Scene(busy_until_s=0.5)

    assert scene.until(HOUR_NS) == 500 * MS + CALM_NS


def test_time_does_not_jump_while_something_is_undecided() -> None:
    scene = Scene(undecided_until_s=0.5)

    assert scene.until(HOUR_NS) == 500 * MS + CALM_NS


def test_calm_begins_anew_when_something_happens_in_between() -> None:
    scene = Scene()

    def happen() -> None:
        scene.busy_until_s = scene.loop.time() + 0.1

    took_ns = scene.until(HOUR_NS, meanwhile=happen)

    assert took_ns >= 120 * MS + CALM_NS - 5 * MS


def test_a_stage_that_stays_busy_lets_time_pass_as_in_the_real_world() -> None:
    scene = Scene(busy_until_s=10)

    assert scene.until(700 * MS) == 700 * MS
    assert scene.seen == [("there", 700 * MS)]


def test_time_halts_wherever_the_stage_does_something_by_itself() -> None:
    scene = Scene(halts=[NOW_NS + 6 * HOUR_NS, NOW_NS + 12 * HOUR_NS, NOW_NS + 30 * HOUR_NS])

    took_ns = scene.until(24 * HOUR_NS)

    assert [what for what in scene.seen if what[0] == "advance"] == [
        ("advance", 6 * HOUR_NS), ("advance", 12 * HOUR_NS), ("advance", 24 * HOUR_NS),
    ]  # fmt: skip
    assert took_ns == 3 * CALM_NS


@define
class Other:
    """A simulated exchange that does something by itself at one instant."""

    scene: Scene
    at_ns: int

    def next_ns(self) -> int | None:
        return self.at_ns if self.at_ns > self.scene.clock.now_ns() else None

    async def advance(self, to_ns: int) -> None:
        self.scene.seen.append(("other", to_ns - NOW_NS))


def test_time_halts_where_a_simulated_exchange_does_something_and_takes_it_along() -> None:
    scene = Scene()
    others = [Other(scene, NOW_NS + 3 * HOUR_NS)]

    async def go() -> None:
        await Leaping(scene.clock, scene, scene, others).until(NOW_NS + 9 * HOUR_NS)

    run_virtual(go(), loop=scene.loop)

    assert scene.seen == [
        ("advance", 3 * HOUR_NS), ("other", 3 * HOUR_NS), ("advance", 9 * HOUR_NS), ("other", 9 * HOUR_NS),
    ]  # fmt: skip


def test_time_halts_where_a_protection_wants_to_be_asked_and_it_is_asked_there() -> None:
    scene = Scene(asks=[NOW_NS + 5 * HOUR_NS])

    scene.until(24 * HOUR_NS)

    assert scene.seen == [
        ("advance", 5 * HOUR_NS), ("ask", 5 * HOUR_NS), ("advance", 24 * HOUR_NS), ("there", 24 * HOUR_NS),
    ]  # fmt: skip


def test_sleeping_ends_at_the_instant_and_not_a_nanosecond_early() -> None:
    scene = Scene()

    async def go() -> None:
        await sleep_until(scene.clock, NOW_NS + HOUR_NS + 1)

    run_virtual(go(), loop=scene.loop)

    assert 0 <= scene.clock.now_ns() - (NOW_NS + HOUR_NS + 1) < 2000


def test_a_clock_that_is_set_right_while_one_sleeps_is_noticed_within_a_minute() -> None:
    """It was an hour slow as the waiting began."""
    scene = Scene()

    async def go() -> None:
        asyncio.get_running_loop().call_later(10, scene.clock.leap, NOW_NS + HOUR_NS)
        await sleep_until(scene.clock, NOW_NS + HOUR_NS)

    run_virtual(go(), loop=scene.loop)

    assert 10 <= scene.loop.elapsed_ns / NS <= LONGEST_SLEEP_S
