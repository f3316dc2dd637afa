"""The start: what is refused, what is brought in order, and that "it is so already" is read back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from framework import ExchangeError, MarketsSeen, Need, OrderReport, Refusal, Secret, StopReport
from framework_simulator.emulator.build import DEFAULT_KEY, Plan
from framework_simulator.emulator.world import KeyInfo

from .rig import SYMBOL, Rig, Venue, at, close, emulated, entry, refused_start, run, stop, trading, until

SECOND = "fw-aaaaaaaaaaaaaaaa-e1"


def with_rights(*rights: str) -> Plan:
    return Plan(keys=(KeyInfo(DEFAULT_KEY.key, DEFAULT_KEY.secret, "demo", frozenset(rights)),))


def settings_of(venue: Venue, symbol: str = SYMBOL) -> tuple[int, bool]:
    engine = venue.world.venues["binance"]
    return int(engine.leverage("demo", symbol)), symbol in engine.account("demo").isolated


# ── refused ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_that_may_withdraw_is_refused_unless_it_is_allowed() -> None:
    async def scenario() -> None:
        async with emulated(with_rights("read", "trade", "withdraw")) as venue:
            error = await refused_start(venue)
            assert (error.code, error.exit_status, error.for_good) == ("key_may_withdraw", 3, True)
            assert "allow_withdraw = true" in str(error)
            async with at(venue, allow_withdraw=True) as rig:
                assert rig.requests("/sapi/v1/account/apiRestrictions") == rig.requests(
                    "/sapi/v1/account/apiRestrictions"
                )

    run(scenario)


def test_without_knowing_whether_a_key_may_withdraw_nothing_starts() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("refuse", path="/sapi/*", code=-1000)
            error = await refused_start(venue)
            assert "can't be read" in str(error)
            assert not error.for_good
            assert "allow_withdraw" in str(error)
            async with at(venue, allow_withdraw=True) as rig:
                assert await rig.exchange.positions() == ()

    run(scenario)


def test_a_key_that_may_not_trade_is_refused() -> None:
    async def scenario() -> None:
        async with emulated(with_rights("read")) as venue:
            error = await refused_start(venue)
            assert (error.code, error.for_good) == ("key_may_not_trade", True)

    run(scenario)


def test_a_wrong_secret_is_refused() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            error = await refused_start(venue, api_secret=Secret("wrong"))
            assert (error.code, error.for_good) == ("-1022", True)

    run(scenario)


@pytest.mark.parametrize("skew_ms", [-1500, 1500])
def test_with_a_clock_that_is_too_far_off_what_is_open_is_protected_and_nothing_is_entered(skew_ms: int) -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.world.skew("binance", skew_ms * 1_000_000)
            async with at(venue, max_clock_skew_ms=2000) as rig:
                await rig.buy()
            async with at(venue) as rig:
                (notice,) = rig.notices("clock")
                assert "set it by NTP; no entry is sent, what is open is looked after" in notice.message
                refused = await rig.exchange.place_entry(entry(client_id=SECOND))
                assert isinstance(refused, Refusal)
                assert (refused.code, refused.for_good) == ("clock", False)
                assert isinstance(await rig.exchange.place_stop(stop()), StopReport)
                assert isinstance(await rig.exchange.close_position(close()), OrderReport)
                assert await rig.exchange.positions() == ()

    run(scenario)


def test_an_answer_that_was_slow_says_nothing_against_our_clock() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("slow-response", path="/fapi/v1/time", delay_ms=500, count=2)
            async with at(venue, max_clock_skew_ms=100) as rig:
                await rig.buy()

    run(scenario)


def test_an_unlisted_symbol_is_refused() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            error = await refused_start(venue, symbols=("NOSUCHUSDT",))
            assert (error.code, error.for_good) == ("unknown_symbol", True)

    run(scenario)


def test_a_user_stream_that_does_not_open_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework_venue.exchange.STREAM_START_S", 0.2)

    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("refuse", path="/fapi/v1/listenKey", code=-1000)
            error = await refused_start(venue)
            assert (error.code, error.for_good) == ("stream", False)

    run(scenario)


# ── position mode ───────────────────────────────────────────────────────────────────────────────────────────


def test_hedge_mode_is_left_when_nothing_is_open() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.world.act("binance", lambda engine, now: engine.set_hedge_mode("demo", True, now))
            async with at(venue) as rig:
                assert not venue.world.venues["binance"].account("demo").hedge_mode
                assert rig.notices("one_way_mode")

    run(scenario)


async def hedged_with_something_open(venue: Venue, work: Any) -> ExchangeError:
    async with at(venue) as rig:
        await work(rig)
    venue.world.venues["binance"].account("demo").hedge_mode = True
    return await refused_start(venue)


def test_hedge_mode_with_a_position_or_an_order_is_refused_and_left_as_it_is() -> None:
    async def position(rig: Rig) -> None:
        await rig.buy()

    async def scenario() -> None:
        async with emulated() as venue:
            error = await hedged_with_something_open(venue, position)
            assert (error.code, error.for_good) == ("hedge_mode", True)
            assert "one-way mode" in str(error)
            assert venue.requests("/positionSide/dual", "POST") == []

    run(scenario)


def test_hedge_mode_with_a_conditional_order_is_refused() -> None:
    async def resting(rig: Rig) -> None:
        await rig.exchange.place_stop(stop())

    async def scenario() -> None:
        async with emulated() as venue:
            assert (await hedged_with_something_open(venue, resting)).code == "hedge_mode"
            assert venue.requests("/positionSide/dual", "POST") == []

    run(scenario)


@pytest.mark.parametrize("code", [-4067, -4068])
def test_a_mode_that_the_venue_does_not_change_is_refused(code: int) -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.world.venues["binance"].account("demo").hedge_mode = True
            venue.fault("refuse", method="POST", path="*/dual", code=code)
            error = await refused_start(venue)
            assert str(code) in str(error)

    run(scenario)


def test_4059_is_believed_only_after_reading_back() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.world.venues["binance"].account("demo").hedge_mode = True
            venue.fault("refuse", method="POST", path="*/dual", code=-4059)
            error = await refused_start(venue)
            assert (error.code, "was told to leave it" in str(error)) == ("hedge_mode", True)
            venue.heal()
            venue.fault("refuse", method="POST", path="*/dual", code=-4059, executed=True)
            async with at(venue) as rig:
                assert rig.notices("one_way_mode")

    run(scenario)


# ── margin mode and leverage ────────────────────────────────────────────────────────────────────────────────


def test_only_what_differs_is_set() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            async with at(venue, leverage=20) as rig:  # the emulator's own
                assert rig.requests("/fapi/v1/leverage", "POST") == []
                assert rig.requests("/fapi/v1/marginType", "POST") == []
            async with at(venue, leverage=7) as rig:
                assert len(rig.requests("/fapi/v1/leverage", "POST")) == 1
                assert rig.requests("/fapi/v1/marginType", "POST") == []
                assert settings_of(venue) == (7, False)
            async with at(venue, leverage=7, margin_mode="isolated") as rig:
                assert len(rig.requests("/fapi/v1/leverage", "POST")) == 1
                assert settings_of(venue) == (7, True)

    run(scenario)


def test_symbols_are_in_order_before_the_start_ends_and_the_others_later() -> None:
    async def scenario() -> None:
        async with trading(symbols=(SYMBOL, "ETHUSDT"), leverage=9) as rig:
            assert settings_of(rig) == settings_of(rig, "ETHUSDT") == (9, False)
            assert settings_of(rig, "XRPUSDT") == (20, False)

    run(scenario)


def test_without_symbols_all_markets_are_brought_in_order_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework_venue.exchange.PREPARE_PAUSE_S", 0.001)

    async def scenario() -> None:
        async with trading(symbols=(), leverage=9) as rig:
            markets = await rig.exchange.markets()
            await until(lambda: all(settings_of(rig, symbol) == (9, False) for symbol in markets))
            # What one request told of all markets is not asked again for each.
            assert len(rig.requests("/fapi/v1/symbolConfig")) == 1

    run(scenario)


def test_a_market_that_is_looked_at_is_brought_in_order_before_it_is_traded() -> None:
    async def scenario() -> None:
        async with trading(leverage=9) as rig:
            rig.price(3000, 3001, symbol="ETHUSDT")
            await rig.exchange.market_data("ETHUSDT", frozenset({Need.BOOK_TOP}))
            await until(lambda: settings_of(rig, "ETHUSDT") == (9, False))

    run(scenario)


def test_a_market_that_looking_can_t_bring_in_order_is_told() -> None:
    async def scenario() -> None:
        async with trading(leverage=9) as rig:
            rig.fault("refuse", method="POST", path="/fapi/v1/leverage", code=-4028)
            await rig.exchange.market_data("ETHUSDT", frozenset({Need.OPEN_INTEREST}))
            await until(lambda: rig.notices("market_not_in_order"))

    run(scenario)


def test_4046_is_believed_only_after_reading_back() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("refuse", path="/fapi/v1/marginType", code=-4046)
            error = await refused_start(venue, margin_mode="isolated")
            assert (error.code, "although it was set otherwise" in str(error)) == ("not_in_order", True)
            venue.heal()
            venue.fault("refuse", path="/fapi/v1/marginType", code=-4046, executed=True)
            async with at(venue, margin_mode="isolated"):
                assert settings_of(venue)[1]

    run(scenario)


@pytest.mark.parametrize(("path", "code"), [("marginType", -4047), ("marginType", -4048), ("leverage", -4028)])
def test_settings_that_the_venue_does_not_change_are_refused(path: str, code: int) -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("refuse", path=f"/fapi/v1/{path}", code=code)
            error = await refused_start(venue, margin_mode="isolated", leverage=7)
            assert error.code == str(code)
            assert SYMBOL in str(error)

    run(scenario)


def test_a_leverage_whose_answer_says_another_is_read_back() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("list-body", path="/fapi/v1/leverage")
            async with at(venue, leverage=7):
                assert settings_of(venue) == (7, False)

    run(scenario)


# ── rules and limits ────────────────────────────────────────────────────────────────────────────────────────


def test_a_stale_tick_is_noticed_and_the_rules_are_read_anew() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("filters-change", at_ms=0, market=SYMBOL, tick_factor=100, step_factor=1, min_notional_factor=1)
            await asyncio.sleep(0.02)
            await rig.exchange.place_entry(entry(price="49900.1"))
            seen = await rig.event(MarketsSeen)
            assert seen.markets[SYMBOL].tick_size == 10
            assert rig.notices("rules_are_stale")

    run(scenario)


def test_the_venue_s_own_limits_are_taken_over_and_counted() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            budget = rig.exchange.line.budget
            window = budget.window("orders-10s")
            assert window is not None
            assert (window.limit, window.length_s, window.kept) == (300, 10.0, 0.5)
            await rig.buy()
            assert budget.used("orders-10s") == 1
            assert budget.used("weight") > 0

    run(scenario)


def test_what_others_spent_beside_us_is_heard_from_the_headers() -> None:
    async def scenario() -> None:
        theirs = KeyInfo("theirs", "their-secret", "their-account")
        keys = {"api_key": Secret(theirs.key), "api_secret": Secret(theirs.secret)}
        plan = Plan(keys=(DEFAULT_KEY, theirs))
        async with emulated(plan) as venue, at(venue) as rig, at(venue, **keys) as other:
            for _ in range(5):
                await other.exchange.balance()
            before = rig.exchange.line.budget.used("weight")
            await rig.exchange.balance()
            assert rig.exchange.line.budget.used("weight") >= before + 5 + 25

    run(scenario)
