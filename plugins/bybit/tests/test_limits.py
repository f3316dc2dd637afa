"""The venue's limits: what each request costs, what is kept, and what the answers' headers say."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Any

import pytest
from attrs import define, evolve

from framework import Percent
from framework_bybit import limits
from framework_bybit.exchange import Bybit
from framework_bybit.limits import ADDRESS, ROUTES, Limits
from framework_venue import loading
from framework_venue.answers import Reply
from framework_venue.budget import Budget, BudgetError, Purpose, Window

from .rig import CREATE, ENTRY, at, d, emulated, entry, run, trading


@define
class Watch:
    """A clock that is moved by hand."""

    now: float = 1000.0

    def time(self) -> float:
        return self.now


def opened(percent: str = "100", orders_per_s: int = 10) -> tuple[Limits, Budget, Watch]:
    watch, known = Watch(), Limits(Percent(Decimal(percent)), orders_per_s)
    return known, Budget(known.windows(), watch.time), watch


def reply(limit: Any = "10", left: Any = "9", code: int = 0, reset_ms: int = 5000, told_ms: int = 5000) -> Reply:
    headers = {
        "x-bapi-limit": str(limit),
        "x-bapi-limit-status": str(left),
        "x-bapi-limit-reset-timestamp": str(reset_ms),
    }
    return Reply(200, headers, "", {"retCode": code, "time": told_ms})


async def fits(budget: Budget, purpose: Purpose, costs: dict[str, int]) -> bool:
    try:
        await budget.take(purpose, costs, within_s=0.001)
    except BudgetError:
        return False
    return True


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.method)
def test_every_request_is_a_method_of_ccxt_and_costs_in_known_windows(route: Any) -> None:
    _, budget, _ = opened()

    assert hasattr(loading.load("bybit"), route.method)
    assert route.costs[ADDRESS] == 1
    assert all(budget.window(name) is not None for name in route.costs)


def test_an_address_may_send_600_requests_in_five_seconds() -> None:
    _, budget, _ = opened()
    window = budget.window(ADDRESS)

    assert window is not None
    assert (window.limit, window.length_s) == (600, 5.1)


def test_the_setting_scales_every_window() -> None:
    _, budget, _ = opened("50")

    assert [budget.window(name).limit for name in (ADDRESS, "order/create", "position/list")] == [300, 5, 25]  # type: ignore[union-attr]


def test_a_fifth_of_order_create_is_kept_for_closes() -> None:
    async def scenario() -> None:
        _, budget, _ = opened()
        costs = {"order/create": 1}
        entries = [await fits(budget, Purpose.ENTER, costs) for _ in range(9)]
        closes = [await fits(budget, Purpose.PROTECT, costs) for _ in range(3)]
        assert entries == [True] * 8 + [False]
        assert closes == [True, True, False]

    run(scenario)


def test_what_the_account_may_place_in_a_second_is_a_setting() -> None:
    _, budget, _ = opened(orders_per_s=200)
    window = budget.window("order/create")

    assert window is not None
    assert window.limit == 200


def test_the_setting_acts_on_the_first_wave() -> None:
    async def scenario() -> None:
        async with trading(orders_per_s=4) as rig:
            rig.fault("slow-response", path=CREATE, delay_ms=300)
            orders = [entry("0.001", client_id=f"{ENTRY}{n}", left_s=0.1) for n in range(5)]
            answers = await asyncio.gather(*(rig.exchange.place_entry(order) for order in orders))
            assert len(rig.sent(CREATE)) == 3
            assert len([answer for answer in answers if getattr(answer, "code", "") == "rate_budget"]) == 2

    run(scenario)


def test_the_first_answer_corrects_the_limit_of_its_route() -> None:
    known, budget, _ = opened()
    known.heard(budget, limits.CREATE, reply(limit=200, left=199))
    window = budget.window("order/create")

    assert window is not None
    assert (window.limit, window.kept) == (200, 0.2)


def test_what_others_used_of_a_route_is_counted() -> None:
    known, budget, _ = opened()
    known.heard(budget, limits.CREATE, reply(left=4))

    assert budget.used("order/create") == 6


def test_what_we_know_better_is_not_counted_twice() -> None:
    async def scenario() -> None:
        known, budget, _ = opened()
        for _ in range(5):
            await budget.take(Purpose.ENTER, {"order/create": 1}, within_s=1)
        known.heard(budget, limits.CREATE, reply(left=9))
        assert budget.used("order/create") == 5

    run(scenario)


def test_10006_shuts_its_route_until_the_reset_by_the_venues_clock_and_no_other() -> None:
    async def scenario() -> None:
        known, budget, watch = opened()
        known.heard(budget, limits.CREATE, reply(left=0, code=10006, reset_ms=8000, told_ms=5000))
        costs = {"order/create": 1}
        watch.now += 2.99
        assert not await fits(budget, Purpose.PROTECT, costs)
        assert await fits(budget, Purpose.PROTECT, {"position/trading-stop": 1})
        watch.now += 0.02
        assert await fits(budget, Purpose.PROTECT, costs)
        known.heard(budget, limits.CREATE, reply())
        window = budget.window("order/create")
        assert window is not None
        assert window.length_s == limits.SECOND_S

    run(scenario)


def test_10006_whose_reset_is_now_shuts_its_route_for_a_second() -> None:
    async def scenario() -> None:
        known, budget, watch = opened()
        for _ in range(8):
            await budget.take(Purpose.ENTER, {"order/create": 1}, within_s=1)
        watch.now += 0.9
        known.heard(budget, limits.CREATE, reply(left=0, code=10006))
        watch.now += 1.0
        assert not await fits(budget, Purpose.PROTECT, {"order/create": 1})
        watch.now += 0.11
        assert await fits(budget, Purpose.PROTECT, {"order/create": 1})

    run(scenario)


@pytest.mark.parametrize(
    "strange",
    [Reply(200, {}, "", {}), reply(limit="x"), reply(left="-1"), reply(limit="0"), Reply(200, {}, "", None)],
)
def test_strange_headers_change_nothing(strange: Reply) -> None:
    known, budget, _ = opened()
    known.heard(budget, limits.CREATE, strange)

    assert budget.used("order/create") == 0
    assert budget.window("order/create") == Budget(known.windows(), Watch().time).window("order/create")


def test_public_requests_have_no_headers_to_hear() -> None:
    known, budget, _ = opened()
    known.heard(budget, limits.TICKERS, reply())

    assert budget.used(ADDRESS) == 0


def test_headers_are_heard_over_the_wire() -> None:
    async def scenario() -> None:
        async with trading(orders_per_s=3) as rig:
            await rig.exchange.place_entry(entry("0.001"))
            window = rig.exchange.line.budget.window("order/create")
            assert window is not None
            assert window.limit == 10

    run(scenario)


def test_the_budget_setting_acts() -> None:
    async def scenario() -> None:
        async with trading(rate_budget_percent=Percent(d(10))) as rig:
            window = rig.exchange.line.budget.window("position/list")
            assert window is not None
            assert window.limit == 5

    run(scenario)


@pytest.mark.parametrize(("ago_s", "used"), [(1, 8), (3600, 0), (None, 0)], ids=["just now", "an hour ago", "never"])
def test_orders_that_an_earlier_run_may_just_have_placed_count_at_a_start(
    monkeypatch: pytest.MonkeyPatch, ago_s: int | None, used: int
) -> None:
    def slow(exchange: Bybit) -> list[Window]:  # so that no second passes while it starts
        return [evolve(window, length_s=600.0) for window in exchange._limits().windows()]

    async def scenario() -> None:
        monkeypatch.setattr(Bybit, "windows", slow)
        active_ns = 0 if ago_s is None else time.time_ns() - ago_s * 10**9
        async with emulated() as venue, at(venue, active_ns=active_ns) as rig:
            budget = rig.exchange.line.budget
            assert budget.used("order/create") == used
            assert budget.used("position/trading-stop") == 0, "what only protects waits for nothing"
            assert await fits(budget, Purpose.PROTECT, {"order/create": 1})
            assert await fits(budget, Purpose.ENTER, {"order/create": 1}) is (used == 0)

    run(scenario)
