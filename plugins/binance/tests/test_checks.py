"""The lines of ``framework check``, each of them made to fail, and the exercise of the stops."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from framework import Checkable, Checkup, ExercisesStops
from framework_binance import checks
from framework_simulator.emulator.build import Plan

from .rig import SYMBOL, Rig, at, emulated, make, run, trading

SUBJECTS = [
    "clock", "key", "position mode", "settings", "balance", "rules", "user stream", "stream of best prices",
    "stream of trades and mark prices",
]  # fmt: skip


async def line(rig: Rig, subject: str) -> Checkup:
    """The line of a subject."""
    return next(one for one in await rig.exchange.checkup() if one.subject == subject)


def test_it_can_be_checked_and_exercised() -> None:
    exchange = make("http://127.0.0.1:1")
    assert isinstance(exchange, Checkable)
    assert isinstance(exchange, ExercisesStops)


def test_a_sound_account_has_a_fine_line_for_each_subject() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            found = await rig.exchange.checkup()
            assert [one.subject for one in found] == SUBJECTS
            assert [one for one in found if not one.ok] == []
            by_subject = {one.subject: one.message for one in found}
            assert "may not withdraw" in by_subject["key"]
            assert "one-way" in by_subject["position mode"]
            assert by_subject["settings"] == f"cross margin, leverage 10, in {SYMBOL}"
            assert "10000 USD" in by_subject["balance"]
            assert by_subject["rules"] == f"{SYMBOL}: tick 0.1, step 0.001, at least 0.001 and 100 USD"

    run(scenario)


def test_a_check_sends_no_order_and_leaves_subscriptions_as_they_were() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.checkup()
            assert rig.requests("/fapi/v1/order", "POST") == rig.requests("/fapi/v1/algoOrder", "POST") == []
            assert rig.exchange._stream_set.watched == frozenset()

    run(scenario)


def test_a_clock_that_went_wrong_is_a_problem() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.world.skew("binance", 1_500_000_000)
            found = await line(rig, "clock")
            assert not found.ok
            assert "behind the venue's" in found.message
            assert 1_490 < int(found.numbers["skew_ms"]) < 1_510

    run(scenario)


def test_a_mode_that_was_changed_is_a_problem() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.world.venues["binance"].account("demo").hedge_mode = True
            found = await line(rig, "position mode")
            assert (found.ok, "hedge mode" in found.message) == (False, True)

    run(scenario)


def test_settings_that_differ_are_told_and_will_be_set() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            before = rig.world.venues["binance"]
            before.set_leverage("demo", SYMBOL, Decimal(3), rig.world.now_ns())
            found = await checks._settings(rig.exchange._connection)
            assert (found.ok, f"{SYMBOL} has cross, 3; `run` sets it" in found.message) == (True, True)

    run(scenario)


def test_without_symbols_it_says_how_far_the_settings_are() -> None:
    async def scenario() -> None:
        async with trading(symbols=(), leverage=20) as rig:
            found = await line(rig, "settings")
            assert "so in 10 of 10 markets" in found.message

    run(scenario)


def test_an_empty_account_is_a_problem() -> None:
    async def scenario() -> None:
        async with emulated(Plan(balance_usd=Decimal(0))) as venue, at(venue) as rig:
            found = await line(rig, "balance")
            assert (found.ok, "move funds" in found.message) == (False, True)

    run(scenario)


def test_a_market_that_is_not_traded_any_more_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "FIRST_FRAME_S", 0.1)  # the streams are asked of a market without a price

    async def scenario() -> None:
        async with trading() as rig:
            del rig.exchange.line.markets[SYMBOL]
            found = await line(rig, "rules")
            assert (found.ok, SYMBOL in found.message) == (False, True)

    run(scenario)


def test_a_key_that_may_not_be_looked_at_is_a_problem() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", path="/sapi/*", code=-2015)
            found = await line(rig, "key")
            assert (found.ok, "can't be read" in found.message) == (False, True)

    run(scenario)


@pytest.mark.parametrize(
    ("sockets", "subject"),
    [("/public*", "stream of best prices"), ("/market*", "stream of trades and mark prices")],
)
def test_a_stream_that_says_nothing_is_a_problem(sockets: str, subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "FIRST_FRAME_S", 0.3)

    async def scenario() -> None:
        async with trading() as rig:
            rig.world.faults.silence("binance", sockets, 60_000_000_000)
            found = await line(rig, subject)
            assert (found.ok, "nothing of BTCUSDT came" in found.message) == (False, True)

    run(scenario)


def test_a_user_stream_that_is_down_is_a_problem() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", path="/fapi/v1/listenKey", code=-1000)
            rig.exchange.line.streams[0].renew("a test")
            found = await line(rig, "user stream")
            assert (found.ok, "not open" in found.message) == (False, True)

    run(scenario)


# ── the exercise ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_exercise_places_reads_moves_and_cancels_and_leaves_nothing() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            steps = await rig.exchange.exercise_stops()
            assert [one.subject for one in steps] == [
                "place", "read", "move: place the new one", "move: the new one rests", "move: cancel the old one",
                "cancel", "nothing is left", "nothing is left",
            ]  # fmt: skip
            assert [one for one in steps if not one.ok] == []
            first, second = rig.requests("/fapi/v1/algoOrder", "POST")
            assert (first["params"]["triggerPrice"], second["params"]["triggerPrice"]) == ("40000", "40500")
            assert first["params"]["reduceOnly"] == "true"
            assert first["params"]["quantity"] == "0.003"  # the smallest that the market takes at that price
            assert await rig.exchange.stops(SYMBOL) == ()

    run(scenario)


def test_a_refused_stop_ends_the_exercise_with_the_venue_s_words() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", method="POST", path="/fapi/v1/algoOrder", code=-4120)
            (step,) = await rig.exchange.exercise_stops()
            assert (step.subject, step.ok, "-4120" in step.message) == ("place", False, True)

    run(scenario)


def test_a_second_stop_that_is_refused_is_told_and_the_first_is_removed() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", method="POST", path="/fapi/v1/algoOrder", code=-4045, after=1)
            steps = {one.subject: one.ok for one in await rig.exchange.exercise_stops()}
            assert (steps["place"], steps["move: place the new one"]) == (True, False)
            assert await rig.exchange.stops(SYMBOL) == ()

    run(scenario)


def test_a_stop_that_vanishes_is_told() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("stop-vanishes", after_ms=0)
            steps = {one.subject: one.ok for one in await rig.exchange.exercise_stops()}
            assert (steps["place"], steps["read"]) == (True, False)

    run(scenario)


def test_an_exercise_that_is_cut_short_leaves_nothing() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("slow-response", path="/fapi/v1/openAlgoOrders", delay_ms=1000)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await rig.exchange.exercise_stops()
            rig.heal()
            assert len(rig.requests("/fapi/v1/algoOrder", "POST")) == 1
            assert await rig.exchange.stops(SYMBOL) == ()

    run(scenario)


def test_without_a_price_nothing_is_placed() -> None:
    async def scenario() -> None:
        async with trading(symbols=("ETHUSDT",)) as rig:
            (step,) = await rig.exchange.exercise_stops()
            assert (step.ok, "no mark price" in step.message) == (False, True)
            assert rig.requests("/fapi/v1/algoOrder") == []

    run(scenario)
