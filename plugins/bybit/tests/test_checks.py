"""``framework check`` on a Bybit account: one line for each thing, and the exercise of the stops."""

from __future__ import annotations

from typing import Any

import pytest

from framework import Checkable, Checkup, ExercisesStops
from framework_bybit import checks
from framework_simulator.emulator.build import DEFAULT_KEY, Plan
from framework_simulator.emulator.world import KeyInfo

from .rig import AMEND, CANCEL, CREATE, OPEN_ORDERS, SYMBOL, Rig, at, d, emulated, make, run, trading

SUBJECTS = [
    "clock", "key", "margin mode", "position mode", "leverage", "balance", "rules", "private stream", "price stream",
]  # fmt: skip
STEPS = ["place", "read", "move", "read after the move", "cancel", "nothing is left"]


async def lines(rig: Rig) -> dict[str, Checkup]:
    return {line.subject: line for line in await rig.exchange.checkup()}


def test_the_exchange_can_be_checked_and_exercised() -> None:
    assert isinstance(make("http://127.0.0.1:1"), Checkable)
    assert isinstance(make("http://127.0.0.1:1"), ExercisesStops)


def test_an_account_in_order_is_fine_in_every_line() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            found = await rig.exchange.checkup()
            assert [line.subject for line in found] == SUBJECTS
            assert [line.message for line in found if not line.ok] == []
            told = {line.subject: line.message for line in found}
            assert told["key"].startswith("may trade, may not withdraw, not bound to addresses")
            assert told["balance"] == "10000 USD, of which 10000 free"
            assert told["rules"] == "BTCUSDT: tick 0.1, step 0.001, at least 0.001 and 5 USD"
            assert told["leverage"] == "BTCUSDT 10"
            assert told["price stream"] == "open, and tells of BTCUSDT"

    run(scenario)


def test_a_check_only_reads() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            before = len([line for line in rig.emulator.control.tail.lines if line.get("method") == "POST"])
            await rig.exchange.checkup()
            after = len([line for line in rig.emulator.control.tail.lines if line.get("method") == "POST"])
            assert after == before

    run(scenario)


def test_a_check_leaves_the_subscriptions_as_they_were() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.price(3000, symbol="ETHUSDT")
            rig.exchange.watch(frozenset({"ETHUSDT"}))
            await rig.exchange.checkup()
            assert rig.exchange.session.watched == frozenset({"ETHUSDT"})

    run(scenario)


def test_without_symbols_the_check_tells_what_will_be_set() -> None:
    async def scenario() -> None:
        async with trading(symbols=()) as rig:
            told = await lines(rig)
            assert told["leverage"].message.startswith("10 is wanted")
            assert told["rules"].message == "10 markets"

    run(scenario)


@pytest.mark.parametrize(
    ("subject", "fault", "said"),
    [
        ("clock", {"name": "clock-skew", "path": "/v5/market/time", "skew_ms": 3000, "count": 1}, "set it by NTP"),
        ("position mode", {"name": "position-mode-changed", "path": "/v5/user/query-api"}, "hedge mode in BTCUSDT"),
        ("balance", {"name": "refuse", "path": "/v5/account/wallet-balance", "code": 10016}, "a server failed"),
        ("key", {"name": "refuse", "path": "/v5/user/query-api", "code": 10005}, "lacks the right"),
        ("margin mode", {"name": "empty-body", "path": "/v5/account/info"}, "HTTP 200"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_line_that_says_so(subject: str, fault: dict[str, Any], said: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault(**fault)
            line = (await lines(rig))[subject]
            assert not line.ok
            assert said in line.message

    run(scenario)


def test_a_margin_mode_that_could_not_be_set_is_told() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            async with at(venue) as rig:
                await rig.buy()
            async with at(venue, margin_mode="isolated") as rig:
                line = (await lines(rig))["margin mode"]
                assert not line.ok
                assert "REGULAR_MARGIN, wanted is ISOLATED_MARGIN" in line.message

    run(scenario)


def test_a_key_that_may_withdraw_is_told_where_it_is_allowed() -> None:
    async def scenario() -> None:
        rights = frozenset({"read", "trade", "withdraw"})
        plan = Plan(keys=(KeyInfo(DEFAULT_KEY.key, DEFAULT_KEY.secret, DEFAULT_KEY.account, rights),))
        async with emulated(plan) as venue, at(venue, allow_withdraw=True) as rig:
            line = (await lines(rig))["key"]
            assert line.ok
            assert "may withdraw, which is allowed here" in line.message

    run(scenario)


def test_an_account_without_money_is_told() -> None:
    async def scenario() -> None:
        async with emulated(Plan(balance_usd=d(0))) as venue, at(venue) as rig:
            line = (await lines(rig))["balance"]
            assert not line.ok
            assert "move funds" in line.message

    run(scenario)


def test_streams_that_say_nothing_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "FIRST_FRAME_S", 0.2)

    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("streams-closed", sockets="*", at_ms=0, for_ms=5000)
            session = rig.exchange.session
            session.private.renew("a test")
            session.public.renew("a test")
            await rig.event(object, lambda _: not session.private.is_up and not session.public.is_up)
            told = await lines(rig)
            assert not told["private stream"].ok
            assert told["private stream"].message.startswith("not open")
            assert not told["price stream"].ok

    run(scenario)


# ── the exercise ────────────────────────────────────────────────────────────────────────────────────────────


async def nothing_rests(rig: Rig) -> bool:
    rig.heal()
    return await rig.exchange.stops(SYMBOL) == ()


def test_the_exercise_places_reads_moves_and_cancels_a_smallest_stop_far_away() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            steps = await rig.exchange.exercise_stops()
            assert [step.subject for step in steps] == STEPS
            assert [step.message for step in steps if not step.ok] == []
            (placed,), (moved,), (cancelled, _) = rig.sent(CREATE), rig.sent(AMEND), rig.sent(CANCEL)
            assert (placed["triggerPrice"], placed["qty"], placed["reduceOnly"]) == ("40000.0", "0.001", True)
            assert moved["triggerPrice"] == "40500.0"
            assert placed["orderLinkId"] == moved["orderLinkId"] == cancelled["orderLinkId"]
            assert await nothing_rests(rig)
            assert await rig.exchange.positions() == ()

    run(scenario)


@pytest.mark.parametrize(
    ("path", "step"), [(CREATE, "place"), (OPEN_ORDERS, "place"), (AMEND, "move"), (CANCEL, "cancel")]
)
def test_a_step_that_fails_is_told_and_nothing_is_left_behind(path: str, step: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.session.orders.pauses_s = (0.0,)
            rig.fault("refuse", path=path, code=10001, message="no", count=1)
            steps = await rig.exchange.exercise_stops()
            assert next(each.subject for each in steps if not each.ok) == step
            assert await nothing_rests(rig)

    run(scenario)


def test_without_a_price_the_exercise_says_so() -> None:
    async def scenario() -> None:
        async with trading(symbols=("ETHUSDT",)) as rig:
            (step,) = await rig.exchange.exercise_stops()
            assert not step.ok
            assert "ETHUSDT has no price" in step.message

    run(scenario)


def test_a_leverage_that_differs_is_told_and_will_be_set() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault(name="leverage-changed", path="/v5/position/list", market=SYMBOL, leverage="3")
            line = (await lines(rig))["leverage"]
            assert (line.ok, line.message) == (True, "not yet as wanted (BTCUSDT 10); `run` sets it at its start")

    run(scenario)
