"""How long an answer is waited for, and what is asked again when it does not come. In skipping time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from attrs import define, field
from ccxt.base.errors import RequestTimeout

from framework import ExchangeError
from framework_venue.answers import Answer, Kind, Reply
from framework_venue.budget import Budget, Purpose, Window
from framework_venue.client import Client, Route, tapped
from framework_venue.clock import VenueClock

from .rig import HandClock, pass_time, run_skipping

ROUTE = Route("request", {"weight": 1})
TIMEOUT_S = 5.0
LOST = 60.0
"""An answer that takes so long never comes."""


class LoopClock:
    """Goes with the loop's time."""

    def now_ns(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e9)


class SlowVenue:
    """Accepts every request, after what `takes_s` says of each; ccxt gives up after `TIMEOUT_S`.

    `busy_s` of work go before each: nothing else runs meanwhile.
    """

    def __init__(self, *takes_s: float) -> None:
        self.takes_s = [*takes_s]
        self.asked_s: list[float] = []
        self.busy_s = 0.0

    def parse_json(self, text: str) -> dict[str, Any]:
        return {"text": text}

    async def request(self, params: Any) -> None:
        pass_time(self.busy_s)
        self.asked_s.append(asyncio.get_running_loop().time())
        try:
            await asyncio.wait_for(asyncio.sleep(self.takes_s.pop(0)), TIMEOUT_S)
        except TimeoutError as error:
            raise RequestTimeout("request") from error
        self.on_rest_response(200, "OK", "", "GET", {}, "fine")  # type: ignore[attr-defined]
        self.parse_json("fine")


@define
class AcceptsAll:
    """A dialect in which every reply is a success."""

    venue: str = "Venue"
    time_route: Route = ROUTE

    def classify(self, reply: Reply) -> Answer:
        return Answer(Kind.ACCEPTED, body=reply.body)

    def heard(self, budget: Budget, route: Route, reply: Reply) -> None:
        """There are no headers."""

    def time_ms(self, body: Any) -> int:
        return 0


@define(eq=False)
class Asked:
    """A client of a slow venue; to be made inside a running loop."""

    takes_s: tuple[float, ...]
    venue: Any = field(init=False)
    client: Client = field(init=False)
    began_s: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        clock = VenueClock(HandClock())
        loop = asyncio.get_running_loop()
        self.venue = tapped(SlowVenue, clock, lambda client, message: None)(*self.takes_s)
        budget = Budget([Window("weight", 2400, 60)], loop.time)
        self.client = Client("main", self.venue, AcceptsAll(), budget, clock, TIMEOUT_S)
        self.began_s = loop.time()

    def took_s(self) -> float:
        return asyncio.get_running_loop().time() - self.began_s


@pytest.mark.parametrize(
    ("takes_s", "told"), [((0.1, 0.1), 0), ((LOST, 0.1), 1), ((LOST, LOST, 0.1, 0.1), 1), ((LOST, 0.1, LOST, 0.1), 2)]
)
def test_the_first_answer_after_a_request_that_got_none_is_told(takes_s: tuple[float, ...], told: int) -> None:
    async def scenario() -> None:
        asked, reached = Asked(takes_s), list[float]()
        asked.client.on_reached = lambda: reached.append(asked.took_s())
        for _ in takes_s:
            await asked.client.call(ROUTE, {}, Purpose.READ)
        assert len(reached) == told
        asked.client.budget.close()

    run_skipping(scenario)


@pytest.mark.parametrize(
    ("purpose", "takes_s"), [(Purpose.PROTECT, 2), (Purpose.READ, 2), (Purpose.ENTER, 5), (Purpose.PREPARE, 5)]
)
def test_what_looks_after_open_positions_waits_two_seconds_for_an_answer_and_all_else_as_long_as_is_set(
    purpose: Purpose, takes_s: float
) -> None:
    async def scenario() -> None:
        asked = Asked((LOST,))
        answer = await asked.client.call(ROUTE, {}, purpose)
        assert (answer.kind, answer.code) == (Kind.UNKNOWN, "no_answer")
        assert asked.took_s() == pytest.approx(takes_s)
        assert len(asked.venue.asked_s) == 1, "what may change something is sent once"
        asked.client.budget.close()

    run_skipping(scenario)


def test_a_question_whose_answer_is_late_is_asked_again_beside_the_first() -> None:
    async def scenario() -> None:
        asked = Asked((LOST, 0.1))
        assert await asked.client.read(ROUTE, {}, Purpose.PROTECT) == {"text": "fine"}
        assert asked.took_s() == pytest.approx(0.25 + 0.1)
        asked.client.budget.close()

    run_skipping(scenario)


@pytest.mark.parametrize(
    ("purpose", "patience_s"), [(Purpose.PROTECT, 0.25), (Purpose.PREPARE, 0.5), (Purpose.READ, 1)]
)
def test_what_has_time_is_asked_again_later_than_what_looks_after_open_positions(
    purpose: Purpose, patience_s: float
) -> None:
    async def scenario() -> None:
        asked = Asked((LOST, 0.1))
        await asked.client.ask(ROUTE, {}, purpose)
        assert asked.took_s() == pytest.approx(patience_s + 0.1)
        asked.client.budget.close()

    run_skipping(scenario)


@pytest.mark.parametrize("purpose", [Purpose.PREPARE, Purpose.READ])
def test_while_it_starts_every_question_is_insisted_on_like_one_that_protects(purpose: Purpose) -> None:
    """What is open waits for all that a start asks."""

    async def scenario() -> None:
        asked = Asked((*(LOST,) * 6, 0.1))
        asked.client.is_starting = True
        assert await asked.client.read(ROUTE, {}, purpose) == {"text": "fine"}
        assert len(asked.venue.asked_s) == 7
        assert asked.venue.asked_s[1] - asked.began_s == pytest.approx(0.25)
        asked.client.budget.close()

    run_skipping(scenario)


def test_a_venue_that_is_slow_is_read_by_the_first_copy() -> None:
    async def scenario() -> None:
        asked = Asked((4.9,) * 7)
        assert await asked.client.read(ROUTE, {}, Purpose.PROTECT) == {"text": "fine"}
        assert asked.took_s() == pytest.approx(4.9)
        asked.client.budget.close()

    run_skipping(scenario)


def test_once_answers_are_known_to_be_slow_nothing_is_asked_twice() -> None:
    async def scenario() -> None:
        asked = Asked((1.0,) * 12)
        for _ in range(2):
            await asked.client.read(ROUTE, {}, Purpose.PROTECT)
        before = len(asked.venue.asked_s)
        for _ in range(3):
            await asked.client.read(ROUTE, {}, Purpose.PROTECT)
        assert len(asked.venue.asked_s) - before == 3
        asked.client.budget.close()

    run_skipping(scenario)


@pytest.mark.parametrize(
    ("purpose", "tries"), [(Purpose.PROTECT, 7), (Purpose.PREPARE, 5), (Purpose.READ, 3), (Purpose.ENTER, 3)]
)
def test_a_question_that_is_never_answered_is_an_error_after_a_bounded_number_of_copies(
    purpose: Purpose, tries: int
) -> None:
    async def scenario() -> None:
        asked = Asked((LOST,) * 9)
        with pytest.raises(ExchangeError, match=r"no answer|did not come"):
            await asked.client.read(ROUTE, {}, purpose)
        assert len(asked.venue.asked_s) == tries
        assert asked.took_s() == pytest.approx(TIMEOUT_S)
        asked.client.budget.close()

    run_skipping(scenario)


def test_another_copy_takes_nothing_of_what_is_kept_for_stops_and_closes() -> None:
    async def scenario() -> None:
        asked = Asked((LOST, LOST))
        asked.client.budget.set(Window("weight", 2, 60, kept=0.5))
        heard = await asked.client.insist(ROUTE, {}, Purpose.PROTECT)
        assert (heard.result.kind, len(asked.venue.asked_s)) == (Kind.UNKNOWN, 2), "one of two is free for a copy"
        heard = await asked.client.insist(ROUTE, {}, Purpose.PROTECT)
        assert (heard.result.code, len(asked.venue.asked_s)) == ("rate_budget", 2)
        asked.client.budget.close()

    run_skipping(scenario)


def test_while_the_venue_wants_silence_no_further_copy_is_sent() -> None:
    async def scenario() -> None:
        asked = Asked((LOST, LOST))
        asking = asyncio.ensure_future(asked.client.insist(ROUTE, {}, Purpose.PROTECT))
        await asyncio.sleep(0.1)
        asked.client.budget.be_silent(10, "429")
        assert (await asking).result.kind is Kind.UNKNOWN
        assert len(asked.venue.asked_s) == 1
        asked.client.budget.close()

    run_skipping(scenario)


def test_the_least_time_before_another_copy_is_what_is_set() -> None:
    async def scenario() -> None:
        asked = Asked((LOST, 0.1))
        asked.client.repeat_after_s = 0.6
        await asked.client.ask(ROUTE, {}, Purpose.PROTECT)
        assert asked.took_s() == pytest.approx(0.6 + 0.1)
        asked.client.budget.close()

    run_skipping(scenario)


def test_the_clock_is_measured_by_the_copy_that_was_answered_and_timed_by_that_one() -> None:
    async def scenario() -> None:
        asked = Asked((LOST, 0.1))
        asked.client.clock.ours = LoopClock()
        await asked.client.sync_clock()
        assert (len(asked.venue.asked_s), asked.client.clock.is_known) == (2, True)
        assert asked.took_s() == pytest.approx(0.25 + 0.1)
        assert asked.client.clock.uncertain_ms == pytest.approx(0.1 / 2 * 1000, abs=2)
        asked.client.budget.close()

    run_skipping(scenario)


def test_a_wave_of_fifty_on_a_busy_machine_sends_nothing_twice() -> None:
    """100 ms a request, and 4 ms of work for each before it leaves: the first answer is heard after 200 ms and more."""

    async def scenario() -> None:
        asked = Asked((0.1,) * 60)
        for _ in range(10):  # what the start has read
            await asked.client.ask(ROUTE, {}, Purpose.PROTECT)
        asked.venue.busy_s = 0.004
        before = len(asked.venue.asked_s)
        await asyncio.gather(*(asked.client.insist(ROUTE, {}, Purpose.PROTECT) for _ in range(50)))
        assert len(asked.venue.asked_s) - before == 50
        assert asked.took_s() > 10 * 0.1 + 50 * 0.004 + 0.1 - 0.001
        asked.client.budget.close()

    run_skipping(scenario)
