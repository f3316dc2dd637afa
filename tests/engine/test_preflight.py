"""A check of one exchange: every step is reported, none may hang or raise, and the exchange is always let go of."""

from __future__ import annotations

import asyncio
from typing import Any

from attrs import define, field

from framework import Capabilities, Checkup, ExchangeError
from framework.config import ConfiguredExchange
from framework.engine.preflight import check_exchange
from tests.engine.fakes import HANG, Venue, in_virtual_time, venue, virtual_clock

Lines = list[tuple[str, bool, str]]
NO_ANSWER = "no answer within 5 s; see to the network, or raise [framework] start_timeout_s"
LISTED = ("one", True, "1 markets listed")


@define
class Real(Venue):
    """A venue with a checkup and an exercise of stops that do as they are told."""

    capabilities: Capabilities = field(default=Capabilities(), init=False)
    clings: bool = field(default=False, init=False)

    async def checkup(self) -> tuple[Checkup, ...]:
        return await self._request("checkup", None, lambda: (Checkup("clock", True, "3 ms off"),))

    async def exercise_stops(self) -> tuple[Checkup, ...]:
        steps = (Checkup("stop placed", True, "at 50"), Checkup("stop moved", False, "-4130"))
        return await self._request("exercise_stops", None, lambda: steps)

    async def stop(self) -> None:
        self.stopped = True
        if self.clings:
            await asyncio.Event().wait()


async def check(exchange: Venue, *, exercise_stops: bool = False) -> Lines:
    account = ConfiguredExchange("one", "venue", True, 1, exchange, "config.toml:10 [exchanges.one]")
    found = await check_exchange(account, virtual_clock(), 5, exercise_stops=exercise_stops)
    assert exchange.stopped
    return [(each.subject, each.ok, each.message) for each in found]


@in_virtual_time
async def test_each_step_is_reported_under_the_name_of_the_account() -> None:
    assert await check(Real(), exercise_stops=True) == [
        LISTED,
        ("one clock", True, "3 ms off"),
        ("one stop placed", True, "at 50"),
        ("one stop moved", False, "-4130"),
    ]


@in_virtual_time
async def test_stops_are_exercised_only_where_that_was_asked_for() -> None:
    market = Real()
    await check(market)
    assert market.of("exercise_stops") == []


@in_virtual_time
async def test_an_exchange_without_a_way_to_exercise_stops_says_so() -> None:
    simulated, real = venue(), venue()
    real.capabilities = Capabilities()
    assert await check(simulated, exercise_stops=True) == [
        LISTED, ("one stops", True, "not exercised: venue is a simulated exchange"),
    ]  # fmt: skip
    assert await check(real, exercise_stops=True) == [
        LISTED, ("one stops", True, "not exercised: venue has no way to do that"),
    ]  # fmt: skip


@in_virtual_time
async def test_an_exercise_that_reports_nothing_is_no_success() -> None:
    market = Real()
    market.twist("exercise_stops", ())
    assert (await check(market, exercise_stops=True))[-1] == (
        "one stops", False, "not exercised: venue reported no step",
    )  # fmt: skip


@in_virtual_time
async def test_a_venue_that_lists_no_market_is_a_problem() -> None:
    market = venue()
    market.symbols = ()
    assert await check(market) == [("one", False, "0 markets listed")]


async def failing(kind: str, answer: Any) -> tuple[str, bool, str]:
    market = Real()
    market.twist(kind, answer)
    *_, last = await check(market, exercise_stops=True)
    return last


@in_virtual_time
async def test_what_hangs_is_given_up_after_the_time_of_one_step() -> None:
    began_ns = virtual_clock().now_ns()
    assert await failing("start", HANG) == ("one", False, f"could not start: {NO_ANSWER}")
    assert (virtual_clock().now_ns() - began_ns) / 1e9 == 5
    assert await failing("markets", HANG) == ("one", False, f"could not start: {NO_ANSWER}")
    assert await failing("exercise_stops", HANG) == ("one", False, f"exercise of the stops failed: {NO_ANSWER}")


@in_virtual_time
async def test_what_raises_is_a_check_that_failed() -> None:
    assert await failing("start", ExchangeError("one", "refused the key")) == ("one", False, "refused the key")
    assert await failing("exercise_stops", ExchangeError("one", "banned")) == (
        "one", False, "exercise of the stops failed: banned",
    )  # fmt: skip
    assert await failing("exercise_stops", KeyError("a bug")) == (
        "one", False, "exercise of the stops failed: KeyError: 'a bug'",
    )  # fmt: skip


@in_virtual_time
async def test_a_checkup_that_fails_does_not_hide_the_steps_around_it() -> None:
    market = Real()
    market.twist("checkup", HANG)
    lines = await check(market, exercise_stops=True)
    assert lines[:2] == [LISTED, ("one", False, f"checkup failed: {NO_ANSWER}")]
    assert len(lines) == 4


@in_virtual_time
async def test_an_exchange_that_does_not_let_go_is_a_problem_and_keeps_nobody_waiting() -> None:
    market = Real()
    market.clings = True
    assert (await check(market))[-1] == (
        "one", False, "did not let go of its connections within 10 s; they end with this process",
    )  # fmt: skip
