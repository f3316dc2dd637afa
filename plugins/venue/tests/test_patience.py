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

from .rig import HandClock, run_skipping

ROUTE = Route("request", {"weight": 1})
TIMEOUT_S = 5.0
LOST = 60.0
"""An answer that takes so long never comes."""


class SlowVenue:
    """Accepts every request, after what `takes_s` says of each; ccxt gives up after `TIMEOUT_S`."""

    def __init__(self, *takes_s: float) -> None:
        self.takes_s = [*takes_s]
        self.asked_s: list[float] = []

    def parse_json(self, text: str) -> dict[str, Any]:
        return {"text": text}

    async def request(self, params: Any) -> None:
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


def test_a_read_whose_answer_is_lost_is_made_again() -> None:
    async def scenario() -> None:
        asked = Asked((LOST, 0.1))
        assert await asked.client.read(ROUTE, {}, Purpose.PROTECT) == {"text": "fine"}
        assert asked.took_s() == pytest.approx(2 + 0.25 + 0.1)
        asked.client.budget.close()

    run_skipping(scenario)


def test_a_venue_that_is_slow_is_read_by_the_last_try() -> None:
    async def scenario() -> None:
        asked = Asked((4.9, 4.9, 4.9))
        assert await asked.client.read(ROUTE, {}, Purpose.PROTECT) == {"text": "fine"}
        assert asked.took_s() == pytest.approx(2 + 0.25 + 2 + 0.5 + 4.9)
        asked.client.budget.close()

    run_skipping(scenario)


def test_a_read_whose_answers_are_all_lost_is_an_error_after_three_tries() -> None:
    async def scenario() -> None:
        asked = Asked((LOST, LOST, LOST))
        with pytest.raises(ExchangeError, match="no answer"):
            await asked.client.read(ROUTE, {}, Purpose.PROTECT)
        assert len(asked.venue.asked_s) == 3
        asked.client.budget.close()

    run_skipping(scenario)
