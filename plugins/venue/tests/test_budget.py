"""The rate budget: who may send now, and who waits for how long. Time skips."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping
from contextlib import closing
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from framework_venue.answers import Kind
from framework_venue.budget import Budget, BudgetError, Purpose, Window

from .rig import SkippingLoop, run_skipping

WEIGHT = Window("weight", 100, 60.0)
ORDERS = Window("orders", 10, 10.0)
LONG_S = 10_000.0
START_S = 1000.0


@define(eq=False)
class Desk:
    """A budget, and when each request went out (seconds from the start)."""

    budget: Budget
    sent: list[tuple[float, str]] = field(factory=list)
    tasks: list[asyncio.Task[None]] = field(factory=list)

    @property
    def now_s(self) -> float:
        return self.budget.time_s() - START_S

    def ask(
        self, purpose: Purpose, name: str = "", within_s: float = LONG_S, worth: float = math.inf, **costs: int
    ) -> None:
        async def wait() -> None:
            await self.budget.take(purpose, costs, within_s=within_s, worth=worth)
            self.sent.append((round(self.now_s, 1), name or purpose.name))

        self.tasks.append(asyncio.create_task(wait()))

    async def all(self) -> list[Any]:
        return await asyncio.gather(*self.tasks, return_exceptions=True)


def at_a_desk(scenario: Callable[[Desk], Coroutine[Any, Any, None]], *windows: Window) -> None:
    async def whole() -> None:
        await scenario(Desk(Budget(windows or (WEIGHT, ORDERS), asyncio.get_running_loop().time)))

    run_skipping(whole)


# ── order, and what is kept ─────────────────────────────────────────────────────────────────────────────────────────


def test_half_of_a_window_is_kept_for_stops_and_closes() -> None:
    async def scenario(desk: Desk) -> None:
        for number in range(7):
            desk.ask(Purpose.ENTER, f"entry {number}", orders=1)
        for _ in range(5):
            desk.ask(Purpose.PROTECT, "stop", orders=1)
        await desk.all()
        at_once = [name for when, name in desk.sent if when == 0]
        assert at_once == [f"entry {number}" for number in range(5)] + ["stop"] * 5
        assert [when for when, _ in desk.sent[10:]] == [10.0, 10.0]

    at_a_desk(scenario)


def test_what_is_taken_now_is_booked_and_what_has_no_room_waits_for_nobody() -> None:
    async def scenario(desk: Desk) -> None:
        taken = [desk.budget.take_now(Purpose.ENTER, {"orders": 1}) for _ in range(7)]
        assert taken == [True] * 5 + [False] * 2
        assert (desk.budget.used("orders"), desk.budget.take_now(Purpose.PROTECT, {"orders": 1})) == (5, True)

    at_a_desk(scenario)


def test_nothing_is_taken_now_in_a_silence_or_past_one_who_waits() -> None:
    async def scenario(desk: Desk) -> None:
        desk.budget.be_silent(1, "429")
        assert not desk.budget.take_now(Purpose.PROTECT, {"orders": 1})
        desk.ask(Purpose.PROTECT, "stop", orders=1)
        await asyncio.sleep(0)
        assert not desk.budget.take_now(Purpose.ENTER, {"orders": 1})
        await desk.all()

    at_a_desk(scenario)


def test_the_share_that_is_kept_is_the_windows_own() -> None:
    async def scenario(desk: Desk) -> None:
        for _ in range(10):
            desk.ask(Purpose.ENTER, orders=1)
        await desk.all()
        assert [when for when, _ in desk.sent].count(0.0) == 8

    at_a_desk(scenario, Window("orders", 10, 10.0, kept=0.2))


def test_the_less_urgent_has_the_smaller_share() -> None:
    rooms = [WEIGHT.room(purpose) for purpose in Purpose]
    assert rooms == [100, 50, 45, 30]
    assert Window("tiny", 1, 1.0).room(Purpose.PREPARE) == 1


def test_what_waits_goes_in_order_of_purpose_and_then_of_age() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.PROTECT, {"orders": 10}, within_s=1)
        for purpose in (Purpose.PREPARE, Purpose.ENTER, Purpose.READ, Purpose.ENTER, Purpose.PROTECT):
            desk.ask(purpose, f"{purpose.name} {len(desk.tasks)}", orders=1)
        await desk.all()
        assert [name for _, name in desk.sent] == ["PROTECT 4", "ENTER 1", "ENTER 3", "READ 2", "PREPARE 0"]

    at_a_desk(scenario)


def test_nobody_is_passed_by_a_smaller_request_of_its_window() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.READ, {"weight": 20}, within_s=1)
        await asyncio.sleep(10)
        await desk.budget.take(Purpose.READ, {"weight": 20}, within_s=1)
        desk.ask(Purpose.READ, "large", weight=40)
        await asyncio.sleep(1)
        desk.ask(Purpose.READ, "small", weight=5)
        await desk.all()
        assert desk.sent == [(70.0, "large"), (70.0, "small")]

    at_a_desk(scenario)


def test_who_needs_another_window_does_not_wait_for_a_full_one() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.ENTER, {"orders": 5}, within_s=1)
        desk.ask(Purpose.ENTER, "entry", orders=1)
        desk.ask(Purpose.READ, "read", weight=1)
        await desk.all()
        assert desk.sent == [(0.0, "read"), (10.0, "entry")]

    at_a_desk(scenario)


def test_a_cost_beyond_the_whole_share_is_let_through_alone() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.READ, {"weight": 1}, within_s=1)
        desk.ask(Purpose.READ, weight=90)
        await desk.all()
        assert desk.sent == [(60.0, "READ")]

    at_a_desk(scenario)


def test_windows_that_do_not_exist_cost_nothing() -> None:
    async def scenario(desk: Desk) -> None:
        for _ in range(50):
            desk.ask(Purpose.READ, nowhere=1000)
        await desk.all()
        assert {when for when, _ in desk.sent} == {0.0}

    at_a_desk(scenario)


def test_one_who_waits_is_not_looked_at_in_between() -> None:
    async def scenario(desk: Desk) -> None:
        looks: list[float] = []

        def counted() -> float:
            looks.append(time())
            return looks[-1]

        time, desk.budget.time_s = desk.budget.time_s, counted
        await desk.budget.take(Purpose.ENTER, {"orders": 5}, within_s=1)
        desk.ask(Purpose.ENTER, orders=1, weight=1)
        await desk.all()
        assert len([each for each in looks if START_S < each < START_S + 10]) == 0

    at_a_desk(scenario)


# ── too late ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_would_wait_too_long_is_not_sent_and_books_nothing() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.ENTER, {"orders": 5}, within_s=1)
        with pytest.raises(BudgetError) as caught:
            await desk.budget.take(Purpose.ENTER, {"orders": 1}, within_s=2)
        assert desk.now_s == pytest.approx(2)
        assert caught.value.answer().kind is Kind.NOT_NOW
        assert desk.budget.used("orders") == 5

    at_a_desk(scenario)


def test_one_that_is_cancelled_while_it_waits_is_forgotten() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.ENTER, {"orders": 5}, within_s=1)
        desk.ask(Purpose.ENTER, "first", orders=1)
        desk.ask(Purpose.ENTER, "second", orders=1)
        await asyncio.sleep(1)
        desk.tasks[0].cancel()
        await desk.all()
        assert desk.sent == [(10.0, "second")]
        assert desk.budget.used("orders") == 1

    at_a_desk(scenario)


async def two_wait() -> Desk:
    """Two wait for a window that has room again after ten seconds."""
    desk = Desk(Budget((WEIGHT, ORDERS), asyncio.get_running_loop().time))
    await desk.budget.take(Purpose.ENTER, {"orders": 5}, within_s=1)
    desk.ask(Purpose.ENTER, "first", orders=1)
    desk.ask(Purpose.ENTER, "second", orders=1)
    await asyncio.sleep(1)
    return desk


def throw_away(task: asyncio.Task[None]) -> None:
    """End what a task does where it stands, as when nobody holds it any more."""
    work = task.get_coro()
    assert isinstance(work, Coroutine)
    work.close()


def test_one_that_is_thrown_away_while_no_loop_runs_is_forgotten_and_the_next_gets_its_turn() -> None:
    with closing(SkippingLoop()) as loop:
        desk = loop.run_until_complete(two_wait())
        first, second = desk.tasks

        throw_away(first)

        loop.run_until_complete(second)
        assert desk.sent == [(10.0, "second")]
        first.cancel()  # it ends with an error: its work is over already
        loop.run_until_complete(asyncio.wait([first]))
        assert isinstance(first.exception(), RuntimeError)


def test_those_that_are_thrown_away_after_their_loop_was_closed_leave_without_an_error() -> None:
    with closing(SkippingLoop()) as loop:
        desk = loop.run_until_complete(two_wait())

    for task in desk.tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # nobody will wait for it
        throw_away(task)

    assert desk.sent == []


def test_closing_sends_nobody_who_waits() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.ENTER, {"orders": 5}, within_s=1)
        desk.ask(Purpose.ENTER, orders=1)
        await asyncio.sleep(1)
        desk.budget.close()
        assert [type(each) for each in await desk.all()] == [BudgetError]
        assert desk.sent == []

    at_a_desk(scenario)


# ── silence ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_sent_before_the_silence_is_over_not_even_a_stop() -> None:
    async def scenario(desk: Desk) -> None:
        desk.budget.be_silent(30, "told to")
        desk.budget.be_silent(5, "a shorter one")
        desk.ask(Purpose.READ, weight=1)
        desk.ask(Purpose.PROTECT, orders=1)
        await asyncio.sleep(1)
        assert desk.budget.silent_for_s == pytest.approx(29)
        await desk.all()
        assert [name for _, name in desk.sent] == ["PROTECT", "READ"]
        assert all(when >= 30 for when, _ in desk.sent)
        assert desk.budget.silent_for_s == 0

    at_a_desk(scenario)


def test_after_a_silence_who_has_room_goes_at_once_whatever_was_used_before() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.READ, {"weight": 10}, within_s=1)
        desk.budget.be_silent(30, "told to")
        desk.ask(Purpose.PROTECT, weight=1)
        await desk.all()
        assert desk.sent == [(30.0, "PROTECT")]

    at_a_desk(scenario)


def test_a_silence_that_is_longer_than_one_may_wait_is_told_at_once() -> None:
    async def scenario(desk: Desk) -> None:
        desk.budget.be_silent(30, "the venue asked for silence")
        with pytest.raises(BudgetError, match=r"the venue asked for silence: silent for another 30.0 s") as caught:
            await desk.budget.take(Purpose.PROTECT, {"orders": 1}, within_s=5)
        assert (desk.now_s, caught.value.answer().silent_s) == (0, 30)

    at_a_desk(scenario)


def test_who_finds_no_room_in_a_window_is_told_of_no_silence() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.PROTECT, {"orders": 10}, within_s=1)
        with pytest.raises(BudgetError, match="no room") as caught:
            await desk.budget.take(Purpose.PROTECT, {"orders": 1}, within_s=1)
        assert caught.value.answer().silent_s is None

    at_a_desk(scenario)


def test_a_silence_is_passed_on_unless_a_longer_one_lasts() -> None:
    async def scenario(desk: Desk) -> None:
        heard: list[tuple[float, str]] = []
        desk.budget.on_silence = lambda seconds, why: heard.append((seconds, why))
        desk.budget.be_silent(30, "banned")
        desk.budget.be_silent(10, "limited")
        desk.budget.be_silent(60, "banned again")
        assert heard == [(30, "banned"), (60, "banned again")]

    at_a_desk(scenario)


def test_a_silence_that_is_told_while_one_waits_counts_for_it_too() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.ENTER, {"orders": 5}, within_s=1)
        desk.ask(Purpose.ENTER, orders=1)
        await asyncio.sleep(1)
        desk.budget.be_silent(30, "told to")
        await desk.all()
        assert desk.sent == [(31.0, "ENTER")]

    at_a_desk(scenario)


# ── what the venue says ─────────────────────────────────────────────────────────────────────────────────────────────


def test_what_others_have_used_of_a_window_is_added_to_our_count() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.READ, {"weight": 10}, within_s=1)
        desk.budget.heard("weight", 45)
        assert desk.budget.used("weight") == 45
        desk.budget.heard("weight", 30)  # an older answer that comes later takes nothing back
        desk.budget.heard("nowhere", 30)
        assert (desk.budget.used("weight"), desk.budget.used("nowhere")) == (45, 0)
        desk.ask(Purpose.READ, weight=1)
        await desk.all()
        assert desk.sent == [(60.0, "READ")]

    at_a_desk(scenario)


def test_a_limit_that_the_venue_raises_lets_go_who_waits() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.ENTER, {"orders": 5}, within_s=1)
        desk.ask(Purpose.ENTER, orders=1)
        await asyncio.sleep(1)
        desk.budget.set(Window("orders", 100, 10.0))
        await desk.all()
        assert desk.sent == [(1.0, "ENTER")]
        assert (desk.budget.window("orders"), desk.budget.window("x")) == (Window("orders", 100, 10.0), None)
        desk.budget.set(Window("x", 3, 1.0))
        assert desk.budget.window("x") == Window("x", 3, 1.0)

    at_a_desk(scenario)


# ── laws ────────────────────────────────────────────────────────────────────────────────────────────────────────────

REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(list(Purpose)),
        st.fixed_dictionaries({"weight": st.integers(0, 12), "orders": st.integers(0, 1)}),
        st.integers(0, 20),  # seconds after the one before
    ),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(REQUESTS)
def test_no_window_is_ever_overdrawn_everybody_gets_a_turn_and_urgent_ones_first(
    requests: list[tuple[Purpose, Mapping[str, int], int]],
) -> None:
    sent: list[tuple[float, int]] = []
    asked: list[float] = []

    async def scenario(desk: Desk) -> None:
        async def one(number: int, purpose: Purpose, costs: Mapping[str, int]) -> None:
            await desk.budget.take(purpose, costs, within_s=LONG_S)
            sent.append((desk.now_s, number))

        for number, (purpose, costs, pause_s) in enumerate(requests):
            await asyncio.sleep(pause_s)
            asked.append(desk.now_s)
            desk.tasks.append(asyncio.create_task(one(number, purpose, costs)))
        assert all(each is None for each in await desk.all())

    at_a_desk(scenario)
    assert len(sent) == len(requests)
    for window in (WEIGHT, ORDERS):
        for end, _ in sent:
            inside = [n for when, n in sent if end - window.length_s < when <= end]
            assert sum(requests[n][1][window.name] for n in inside) <= window.limit
    for when, number in sent:
        purpose, costs, _ = requests[number]
        for later, other in sent:
            # Who was there first, is more urgent, and costs the same, is never behind.
            if requests[other][0] < purpose and requests[other][1] == costs and asked[other] <= asked[number]:
                assert later <= when


# ── what others spend ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_venue_that_counts_anew_gives_back_what_others_had_used() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.budget.take(Purpose.READ, {"weight": 5}, within_s=1)
        desk.budget.heard("weight", 95)
        assert desk.budget.used("weight") == 95
        desk.ask(Purpose.PROTECT, weight=20)
        await asyncio.sleep(7)
        desk.budget.heard("weight", 6)
        await desk.all()
        assert desk.sent == [(7.0, "PROTECT")]
        assert desk.budget.used("weight") == 5 + 1 + 20

    at_a_desk(scenario, Window("weight", 100, 60.0, counted_anew=True))


def test_an_answer_that_is_a_little_older_than_another_gives_nothing_back() -> None:
    async def scenario(desk: Desk) -> None:
        desk.budget.heard("weight", 95)
        desk.budget.heard("weight", 60)
        assert desk.budget.used("weight") == 95

    at_a_desk(scenario, Window("weight", 100, 60.0, counted_anew=True))


def test_a_venue_whose_window_slides_gives_nothing_back_before_it_is_over() -> None:
    async def scenario(desk: Desk) -> None:
        desk.budget.heard("weight", 95)
        desk.budget.heard("weight", 1)
        assert desk.budget.used("weight") == 95
        desk.ask(Purpose.PROTECT, weight=20)
        await desk.all()
        assert desk.sent == [(60.0, "PROTECT")]

    at_a_desk(scenario)


# ── by value ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_moves_that_wait_the_one_that_protects_most_goes_first_and_none_before_what_has_no_stop() -> None:
    async def scenario(desk: Desk) -> None:
        desk.budget.be_silent(5, "asked for")
        for worth in (3.0, 20.0, 0.0, 20.5, math.inf):
            desk.ask(Purpose.PROTECT, f"{worth:g}", worth=worth, orders=1)
            await asyncio.sleep(0)
        await desk.all()
        assert [name for _, name in desk.sent] == ["inf", "20.5", "20", "3", "0"]

    at_a_desk(scenario)


def test_a_move_that_is_worth_little_waits_behind_those_that_come_later_and_is_never_before_an_entry_is() -> None:
    async def scenario(desk: Desk) -> None:
        for number in range(10):
            desk.ask(Purpose.PROTECT, f"first {number}", orders=1)
        await asyncio.sleep(0)
        desk.ask(Purpose.ENTER, "entry", orders=1)
        desk.ask(Purpose.PROTECT, "small", worth=1, orders=1)
        desk.ask(Purpose.PROTECT, "large", worth=100, orders=1)
        await desk.all()
        assert [name for _, name in desk.sent[10:]] == ["large", "small", "entry"]

    at_a_desk(scenario)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(Purpose), st.floats(0, 1e6)), min_size=1, max_size=10))
def test_what_waits_goes_by_purpose_then_by_worth_then_by_who_came_first(asked: list[tuple[Purpose, float]]) -> None:
    async def scenario(desk: Desk) -> None:
        desk.budget.be_silent(5, "asked for")
        for number, (purpose, worth) in enumerate(asked):
            desk.ask(purpose, str(number), worth=worth, weight=1)
            await asyncio.sleep(0)
        await desk.all()
        order = sorted(range(len(asked)), key=lambda number: (asked[number][0], -asked[number][1], number))
        assert [int(name) for _, name in desk.sent] == order

    at_a_desk(scenario)
