"""Requests through ccxt: whatever it raises or answers strangely, exactly one `Answer` comes out. Over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import define, field

from framework import ExchangeError
from framework_venue.answers import Answer, Hint, Kind, Reply, Row, of_row, strange_body, table, unlisted
from framework_venue.budget import Budget, Purpose, Window
from framework_venue.client import Client, Route
from framework_venue.clock import VenueClock

from .rig import HandClock, Venue, connected, emulated, run

ORDER = Route("fapiPrivatePostOrder", {"weight": 1, "orders": 1})
ACCOUNT = Route("fapiPrivateV3GetAccount", {"weight": 5})
ENTRY = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01", "newClientOrderId": "fw-1"}

ROWS = table(
    [
        Row("-1021", Kind.NOT_NOW, "our time is off", "test", Hint.CLOCK),
        Row("-1003", Kind.NOT_NOW, "too many requests", "test", Hint.LIMIT),
        Row("-1111", Kind.REJECTED, "too many digits", "test", Hint.RULES),
        Row("-1102", Kind.OUR_BUG, "a parameter is missing", "test"),
    ]
)


@define
class FakeDialect:
    """A small part of Binance's."""

    venue: str = "Binance"
    time_route: Route = Route("fapiPublicGetTime", {"weight": 1})
    breaks_over: str = ""

    def classify(self, reply: Reply) -> Answer:
        if self.breaks_over == "body":
            raise KeyError("orderId")
        if not isinstance(reply.body, dict):
            return strange_body(reply)
        code = str(reply.body.get("code", ""))
        if code in ROWS:
            wait = reply.headers.get("retry-after")
            return of_row(ROWS[code], reply, reply.body["msg"], retry_after_s=float(wait) if wait else None)
        return unlisted(code, reply, reply.body["msg"], "Binance") if code else Answer(Kind.ACCEPTED, body=reply.body)

    def heard(self, budget: Budget, route: Route, reply: Reply) -> None:
        if self.breaks_over == "headers":
            raise KeyError("x-mbx-used-weight")
        budget.heard("weight", int(reply.headers.get("x-mbx-used-weight-1m", 0)))

    def time_ms(self, body: Any) -> int:
        return int(body["serverTime"])


@define(eq=False)
class Caller:
    """A client, and what it told."""

    client: Client
    dialect: FakeDialect
    notices: list[tuple[str, str, str]] = field(factory=list)
    stale: list[Answer] = field(factory=list)

    async def enter(self) -> Answer:
        return await self.client.call(ORDER, ENTRY, Purpose.ENTER)


@asynccontextmanager
async def calling(rest: str, clock: Any, timeout_s: float = 5.0) -> AsyncIterator[Caller]:
    venue_clock = VenueClock(clock)
    budget = Budget([Window("weight", 2400, 60), Window("orders", 300, 10)], asyncio.get_running_loop().time)
    async with connected("binance", rest, venue_clock, timeout=round(timeout_s * 1000)) as api:
        dialect = FakeDialect()
        caller = Caller(Client("main", api, dialect, budget, venue_clock, timeout_s), dialect)
        caller.client.on_notice = lambda *notice: caller.notices.append(notice)
        caller.client.on_stale_rules = caller.stale.append
        try:
            yield caller
        finally:
            budget.close()


@define
class _EmulatorsClock:
    venue: Venue

    def now_ns(self) -> int:
        return self.venue.world.now_ns()


@asynccontextmanager
async def at_the_emulator(timeout_s: float = 5.0) -> AsyncIterator[tuple[Venue, Caller]]:
    async with emulated("binance") as venue, calling(venue.rest, _EmulatorsClock(venue), timeout_s) as caller:
        yield venue, caller


def orders_at(venue: Venue) -> int:
    return len([line for line in venue.lines("request") if line["method"] == "POST" and "order" in line["path"]])


# ── one answer for everything ───────────────────────────────────────────────────────────────────────────────────────


def test_an_accepted_request_brings_the_venues_own_body_and_books_its_cost() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (_, caller):
            answer = await caller.enter()
            assert answer.accepted
            assert answer.body["clientOrderId"] == "fw-1"
            assert caller.client.budget.used("orders") == 1

    run(scenario)


def test_a_venue_that_refuses_the_connection_has_got_nothing() -> None:
    async def scenario() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: whoever knocks is refused
            async with calling(f"http://127.0.0.1:{taken.getsockname()[1]}", HandClock()) as caller:
                answer = await caller.enter()
                assert (answer.kind, answer.code) == (Kind.NOT_NOW, "not_sent")

    run(scenario)


@pytest.mark.parametrize("fault", ["ack-lost", "request-lost", "truncated-body"])
def test_a_connection_that_breaks_after_sending_leaves_the_outcome_unknown(fault: str) -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            venue.fault(fault, path="/fapi/v1/order")
            answer = await caller.enter()
            assert (answer.kind, answer.code) == (Kind.UNKNOWN, "no_answer")
            assert orders_at(venue) == 1, "an entry is sent once"

    run(scenario)


def test_no_answer_in_time_leaves_the_outcome_unknown() -> None:
    async def scenario() -> None:
        async with at_the_emulator(timeout_s=0.2) as (venue, caller):
            venue.fault("slow-response", path="/fapi/v1/order", delay_ms=700)
            answer = await caller.enter()
            assert (answer.kind, answer.code) == (Kind.UNKNOWN, "no_answer")
            assert orders_at(venue) == 1

    run(scenario)


@pytest.mark.parametrize("fault", ["empty-body", "html-body", "null-body", "list-body"])
def test_a_200_with_a_strange_body_leaves_the_outcome_unknown(fault: str) -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            venue.fault(fault, path="/fapi/v1/order")
            answer = await caller.enter()
            assert (answer.kind, answer.code, answer.status) == (Kind.UNKNOWN, "strange_answer", 200)

    run(scenario)


def test_a_dialect_that_breaks_over_a_body_leaves_the_outcome_unknown() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            caller.dialect.breaks_over = "body"
            answer = await caller.enter()
            assert (answer.kind, answer.code, answer.message) == (Kind.UNKNOWN, "strange_answer", "KeyError: 'orderId'")
            assert orders_at(venue) == 1

    run(scenario)


def test_headers_that_are_not_understood_do_not_hide_the_answer() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (_, caller):
            caller.dialect.breaks_over = "headers"
            assert (await caller.enter()).accepted
            assert [(level, code) for level, code, _ in caller.notices] == [("warning", "headers_not_understood")]

    run(scenario)


@pytest.mark.parametrize("route", ["fapiPrivatePostOrder", "noSuchMethod"])
def test_what_ccxt_raises_before_it_sends_is_not_sent(route: str) -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            api = caller.client.api
            api.sign = lambda *_, **__: (_ for _ in ()).throw(ValueError("amount"))
            answer = await caller.client.call(Route(route, {}), {}, Purpose.ENTER)
            assert (answer.kind, answer.code) == (Kind.NOT_NOW, "not_sent")
            assert orders_at(venue) == 0

    run(scenario)


def test_a_code_in_no_table_is_unknown() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            venue.fault("refuse", path="/fapi/v1/order", code=-2019)
            answer = await caller.enter()
            assert (answer.kind, answer.code) == (Kind.UNKNOWN, "-2019")

    run(scenario)


def test_answers_of_requests_at_the_same_time_are_not_mixed_up() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (_, caller):
            ids = [f"fw-{number}" for number in range(20)]
            call = caller.client.call
            answers = await asyncio.gather(
                *(call(ORDER, {**ENTRY, "newClientOrderId": each}, Purpose.PROTECT) for each in ids)
            )
            assert [answer.body["clientOrderId"] for answer in answers] == ids

    run(scenario)


# ── reads ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_failed_read_is_an_error_and_never_empty() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            assert (await caller.client.read(ACCOUNT, {}))["assets"]
            venue.fault("list-body", path="/fapi/v3/account")
            with pytest.raises(ExchangeError, match="main: fapiPrivateV3GetAccount: HTTP 200 with") as caught:
                await caller.client.read(ACCOUNT, {})
            assert caught.value.code == "strange_answer"

    run(scenario)


def test_a_read_that_prepares_is_tried_again_when_its_answer_is_lost() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            venue.fault("ack-lost", path="/fapi/v3/account", count=2)
            body = await caller.client.read(ACCOUNT, {}, Purpose.PREPARE)
            assert "totalWalletBalance" in body

    run(scenario)


# ── the clock ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_a_refusal_for_our_clock_the_clock_is_set_and_the_request_sent_again() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            venue.fault("clock-skew", at_ms=0, skew_ms=-30_000)
            async with asyncio.timeout(5):
                while not caller.client.clock.skew_ms:
                    assert (await caller.client.call(ACCOUNT, {}, Purpose.READ)).accepted
            assert caller.client.clock.skew_ms == pytest.approx(-30_000, abs=1000)
            assert (await caller.enter()).accepted

    run(scenario)


def test_an_entry_is_not_sent_again_after_a_refusal_for_our_clock() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            venue.fault("refuse", path="/fapi/v1/order", code=-1021)
            answer = await caller.enter()
            assert (answer.kind, answer.hint, orders_at(venue)) == (Kind.NOT_NOW, Hint.CLOCK, 1)
            again = await caller.client.call(ORDER, ENTRY, Purpose.PROTECT)
            assert (again.hint, orders_at(venue)) == (Hint.CLOCK, 3)

    run(scenario)


@pytest.mark.parametrize("fault", ["empty-body", "ack-lost"])
def test_a_clock_that_cannot_be_read_stays_as_it_is(fault: str) -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            caller.client.clock.skew_ms = 17
            venue.fault(fault, path="/fapi/v1/time")
            await caller.client.sync_clock()
            assert caller.client.clock.skew_ms == 17

    run(scenario)


def test_many_who_set_the_clock_at_once_ask_once() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            await asyncio.gather(*(caller.client.sync_clock() for _ in range(10)))
            assert len([line for line in venue.lines("request") if line["path"] == "/fapi/v1/time"]) == 1

    run(scenario)


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_retry_after_silences_every_request() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            venue.fault("rate-limited", path="/fapi/v3/account", retry_after_s=30)
            answer = await caller.client.call(ACCOUNT, {}, Purpose.READ)
            assert (answer.hint, answer.retry_after_s) == (Hint.LIMIT, 30)
            asked = len(venue.lines("request"))
            late = await caller.client.call(ORDER, ENTRY, Purpose.PROTECT)
            assert (late.kind, late.code, len(venue.lines("request"))) == (Kind.NOT_NOW, "rate_budget", asked)
            assert "Binance asked for silence (-1003)" in late.message

    run(scenario)


def test_the_venues_own_count_corrects_ours() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (_, caller):
            await caller.client.call(Route("fapiPrivateV3GetAccount", {}), {}, Purpose.READ)
            assert caller.client.budget.used("weight") == 5

    run(scenario)


def test_a_request_may_say_how_long_it_waits_for_its_turn() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (_, caller):
            caller.client.budget.be_silent(0.3, "told to")
            late = await caller.client.call(ACCOUNT, {}, Purpose.READ, within_s=0.1)
            assert late.code == "rate_budget"
            assert (await caller.client.call(ACCOUNT, {}, Purpose.READ)).accepted

    run(scenario)


def test_what_has_time_waits_longer_for_its_turn() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (_, caller):
            caller.client.timeout_s = 0.05
            caller.client.budget.be_silent(0.3, "told to")
            assert (await caller.client.call(ACCOUNT, {}, Purpose.READ)).code == "rate_budget"
            assert (await caller.client.call(ACCOUNT, {}, Purpose.PREPARE)).accepted

    run(scenario)


# ── told to people, and kept warm ───────────────────────────────────────────────────────────────────────────────────


def test_our_own_mistakes_are_told_aloud_and_stale_rules_are_passed_on() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            venue.fault("refuse", path="/fapi/v1/order", code=-1102, count=1)
            await caller.enter()
            (notice,) = caller.notices
            assert notice[:2] == ("error", "venue_our_bug")
            assert notice[2].startswith("fapiPrivatePostOrder: -1102: ")
            venue.fault("refuse", path="/fapi/v1/order", code=-1111)
            await caller.enter()
            assert [answer.code for answer in caller.stale] == ["-1111"]

    run(scenario)


def test_warming_opens_so_many_connections_and_they_stay() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (_, caller):
            await caller.client.warm(7)
            pool = caller.client.api.session.connector._conns
            assert sum(len(idle) for idle in pool.values()) == 7

    run(scenario)


def test_closing_while_requests_are_under_way_leaves_no_task() -> None:
    async def scenario() -> None:
        async with at_the_emulator() as (venue, caller):
            venue.fault("slow-response", path="/fapi/v1/*", delay_ms=300)
            tasks = [asyncio.create_task(caller.enter()), asyncio.create_task(caller.client.sync_clock())]
            async with asyncio.timeout(5):
                while len(venue.lines("request")) < 2:  # noqa: ASYNC110 - the emulator tells nobody
                    await asyncio.sleep(0.001)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            names = {repr(task.get_coro()) for task in asyncio.all_tasks()}
            assert not [name for name in names if "Client" in name or "Shared" in name]

    run(scenario)


def test_what_a_start_needs_may_use_what_is_kept_for_stops() -> None:
    """A process that died a few times within a minute finds the limits nearly used up, and positions to look after."""

    async def scenario() -> None:
        async with at_the_emulator() as (_, caller):
            caller.client.timeout_s = 0.05
            caller.client.budget.heard("weight", 2300)
            assert (await caller.client.call(ACCOUNT, {}, Purpose.READ)).code == "rate_budget"
            caller.client.is_starting = True
            assert (await caller.client.call(ACCOUNT, {}, Purpose.READ)).accepted

    run(scenario)
