"""Sending again what may arrive more than once. In skipping time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from attrs import define, field

from framework_venue.insisting import CROWD_S, MANY, Insisting, Manner, RoundTrips, sought

from .rig import run_skipping

LOST = "lost"
Copy = tuple[float, str]
"""After how long one copy is answered, and with what."""


@define(eq=False)
class Wire:
    """What becomes of each copy, in order; and when each was sent, since the first."""

    copies: list[Copy]
    sent_s: list[float] = field(factory=list)
    cancelled: int = 0
    turns: int = 0

    async def send(self, left_s: float) -> str:
        self.sent_s.append(asyncio.get_running_loop().time())
        after_s, answer = self.copies[len(self.sent_s) - 1]
        try:
            async with asyncio.timeout(left_s):
                await asyncio.sleep(after_s)
                for _ in range(self.turns):
                    await asyncio.sleep(0)
                return answer
        except TimeoutError:
            return LOST
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def insisting(
        self, tries: int = 5, within_s: float = 2.0, room: Callable[[], bool] = lambda: True
    ) -> Insisting[str]:
        return Insisting(self.send, lambda answer: answer == LOST, Manner(tries, within_s), lambda: 0.25, room)

    def at_ms(self) -> list[int]:
        return [round((at - self.sent_s[0]) * 1000) for at in self.sent_s]


def insisted(wire: Wire, tries: int = 5, within_s: float = 2.0) -> tuple[str, bool]:
    """What was heard, and whether it is alone."""
    heard: list[tuple[str, bool]] = []

    async def scenario() -> None:
        answer = await wire.insisting(tries, within_s).heard()
        heard.append((answer.result, answer.alone))
        await asyncio.sleep(0)

    run_skipping(scenario)
    return heard[0]


def test_an_answer_in_time_is_that_of_the_only_copy() -> None:
    wire = Wire([(0.2, "yes")])

    assert insisted(wire) == ("yes", True)
    assert wire.at_ms() == [0]


def test_a_copy_that_outlasts_the_time_for_its_answer_is_waited_for_without_looking_at_it_all_the_time() -> None:
    looks: list[None] = []

    async def send(left_s: float) -> str:
        await asyncio.sleep(left_s + 1)  # as where the clock is set meanwhile
        return "yes"

    def patience_s() -> float:
        looks.append(None)
        assert len(looks) < 20
        return 0.25

    async def scenario() -> None:
        insisting = Insisting(send, lambda answer: answer == LOST, Manner(5, 2.0), patience_s, lambda: False)
        assert (await insisting.heard()).result == "yes"

    run_skipping(scenario)


def test_another_copy_is_sent_whenever_an_answer_is_late_and_the_first_answer_counts() -> None:
    wire = Wire([(9, "never"), (9, "never"), (0.1, "third"), (9, "never")])

    assert insisted(wire) == ("third", False)
    assert wire.at_ms() == [0, 250, 500]


def test_the_first_copy_still_counts_when_its_answer_is_only_late_and_the_others_are_let_go() -> None:
    wire = Wire([(0.4, "first"), (9, "never")])

    assert insisted(wire) == ("first", False)
    assert (wire.at_ms(), wire.cancelled) == ([0, 250], 1)


def test_what_is_known_to_be_lost_is_sent_again_at_once_then_after_ever_longer_pauses_up_to_a_quarter_second() -> None:
    wire = Wire([(0, LOST)] * 6)

    assert insisted(wire, tries=6) == (LOST, False)
    assert wire.at_ms() == [0, 50, 150, 350, 600, 850]


def test_no_more_copies_are_sent_than_told() -> None:
    wire = Wire([(9, "never")] * 9)

    assert insisted(wire, tries=3) == (LOST, False)
    assert wire.at_ms() == [0, 250, 500]


def test_from_the_fifth_copy_on_twice_as_much_time_goes_by_before_each() -> None:
    wire = Wire([(9, "never")] * 9)

    assert insisted(wire, tries=7, within_s=5) == (LOST, False)
    assert wire.at_ms() == [0, 250, 500, 750, 1000, 1500, 2500]


def test_everything_ends_in_time_also_where_copies_are_left() -> None:
    wire = Wire([(9, "never")] * 9)

    assert insisted(wire, tries=9, within_s=0.6) == (LOST, False)
    assert wire.at_ms() == [0, 250, 500]


def test_a_refusal_beside_a_copy_that_nobody_answered_is_not_one_of_all() -> None:
    assert insisted(Wire([(9, "never"), (0.1, "no")])) == ("no", False)
    assert insisted(Wire([(0, LOST), (0.1, "no")])) == ("no", False)
    assert insisted(Wire([(0.1, "no")])) == ("no", True)


def test_without_room_nothing_is_sent_again_and_the_first_is_waited_for() -> None:
    wire = Wire([(0.9, "late"), (0, "never sent")])

    async def scenario() -> None:
        assert (await wire.insisting(room=lambda: False).heard()).result == "late"

    run_skipping(scenario)
    assert wire.at_ms() == [0]


def test_what_has_come_in_time_is_heard_before_patience_ends_even_if_it_takes_some_turns_of_the_loop() -> None:
    wire = Wire([(0.24, "just in time"), (9, "never")], turns=20)

    assert insisted(wire)[0] == "just in time"
    assert wire.at_ms() == [0]


def test_one_who_is_cancelled_lets_all_copies_go() -> None:
    wire = Wire([(9, "never")] * 5)

    async def scenario() -> None:
        insisting = asyncio.ensure_future(wire.insisting().heard())
        await asyncio.sleep(0.3)
        insisting.cancel()
        await asyncio.gather(insisting, return_exceptions=True)
        await asyncio.sleep(0)

    run_skipping(scenario)
    assert wire.cancelled == 2


# ── patience ────────────────────────────────────────────────────────────────────────────────────────────────


def test_before_anything_was_answered_patience_is_the_least() -> None:
    assert RoundTrips().patience_s(0.25) == 0.25


def test_patience_is_the_usual_round_trip_and_four_times_what_it_differs_by() -> None:
    trips = RoundTrips()
    for _ in range(100):
        trips.took(0.3)
        trips.took(0.5)

    assert trips.patience_s(0.25) == pytest.approx(0.4 + 4 * 0.1, abs=0.05)


def test_answers_that_come_fast_leave_patience_at_its_least() -> None:
    trips = RoundTrips()
    for _ in range(100):
        trips.took(0.01)

    assert trips.patience_s(0.25) == 0.25


def test_an_answer_that_was_late_once_is_not_waited_for_again_and_again() -> None:
    """As the first one, which paid for the connection, or one that was held up."""
    trips = RoundTrips()
    trips.took(0.464)
    assert trips.patience_s(0.25) == pytest.approx(2 * 0.464)
    trips.took(0.03)
    assert trips.patience_s(0.25) == 0.25


def test_a_fast_answer_among_many_that_are_under_way_says_nothing_of_the_others() -> None:
    trips = RoundTrips(under_way=MANY)
    trips.took(0.464)
    trips.took(0.03)
    assert trips.patience_s(0.0) > 0.464


def test_each_other_request_under_way_lengthens_patience() -> None:
    assert RoundTrips(under_way=11).patience_s(0.25) == pytest.approx(0.25 + 10 * CROWD_S)


# ── what is sent once ───────────────────────────────────────────────────────────────────────────────────────


@define
class Looks:
    """What each look finds, and when it was made."""

    found: list[str | None]
    at_s: list[float] = field(factory=list)

    async def look(self) -> str | None:
        self.at_s.append(asyncio.get_running_loop().time())
        return self.found[min(len(self.at_s), len(self.found)) - 1]


def sending(after_s: float) -> Awaitable[str]:
    return asyncio.sleep(after_s, "answered")


def looked(after_s: float, *found: str | None) -> tuple[str, list[int]]:
    """What came of it, and after how many ms it was looked for."""
    looks, came = Looks([*found]), []

    async def send() -> str:
        return await sending(after_s)

    async def scenario() -> None:
        began_s = asyncio.get_running_loop().time()
        came.append(await sought(send(), looks.look, lambda: 0.25))
        looks.at_s = [at - began_s for at in looks.at_s]
        await asyncio.sleep(0)

    run_skipping(scenario)
    return came[0], [round(at * 1000) for at in looks.at_s]


def test_an_answer_in_time_needs_no_look() -> None:
    assert looked(0.2, "found") == ("answered", [])


def test_what_is_found_counts_as_the_answer() -> None:
    assert looked(5, "found") == ("found", [250])


def test_what_is_not_found_is_looked_for_again_ever_later_while_the_answer_is_awaited() -> None:
    assert looked(3, None) == ("answered", [250, 750, 1750])
