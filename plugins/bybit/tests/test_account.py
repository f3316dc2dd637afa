"""The account is brought in order before it is traded: the key looked at, modes and leverage set and read back."""

from __future__ import annotations

from typing import Any

import pytest

from framework import ExchangeError, OrderReport, PositionSeen, Refusal, StopReport, VenueNotice
from framework_simulator.emulator.build import DEFAULT_KEY, Plan
from framework_simulator.emulator.world import KeyInfo

from .rig import (
    CREATE,
    POSITIONS,
    SYMBOL,
    Rig,
    Venue,
    at,
    close,
    d,
    emulated,
    entry,
    refused_start,
    run,
    stop,
    trading,
    until,
)

LEVERAGE = "/v5/position/set-leverage"
MARGIN = "/v5/account/set-margin-mode"
MODE = "/v5/position/switch-mode"
KEY = "/v5/user/query-api"
SECOND = "fw-aaaaaaaaaaaaaaaa-e1"


def plan(*rights: str) -> Plan:
    """A world in which the key has these rights."""
    return Plan(keys=(KeyInfo(DEFAULT_KEY.key, DEFAULT_KEY.secret, DEFAULT_KEY.account, frozenset(rights)),))


def leverage(venue: Venue, symbol: str = SYMBOL) -> object:
    return venue.world.venues["bybit"].leverage(DEFAULT_KEY.account, symbol)


def set_at_venue(venue: Venue, what: str, *given: Any) -> None:
    """Somebody sets something at the venue."""
    venue.world.act("bybit", lambda engine, now: getattr(engine, what)(DEFAULT_KEY.account, *given, now))


# ── the key ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_that_may_withdraw_is_refused() -> None:
    async def scenario() -> None:
        async with emulated(plan("read", "trade", "withdraw")) as venue:
            error = await refused_start(venue)
            assert (error.code, error.for_good) == ("key_may_withdraw", True)
            assert "allow_withdraw = true" in str(error)
            assert str(error).startswith("account: ")

    run(scenario)


def test_a_key_that_may_withdraw_is_used_when_that_is_allowed() -> None:
    async def scenario() -> None:
        async with emulated(plan("read", "trade", "withdraw")) as venue, at(venue, allow_withdraw=True) as rig:
            assert await rig.exchange.positions() == ()

    run(scenario)


def test_a_key_that_may_not_trade_is_refused() -> None:
    async def scenario() -> None:
        async with emulated(plan("read")) as venue:
            assert (await refused_start(venue)).code == "key_may_not_trade"

    run(scenario)


@pytest.mark.parametrize("code", [10003, 10004, 10005, 10010, 33004])
def test_a_key_that_the_venue_refuses_ends_the_start(code: int) -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("refuse", path=KEY, code=code)
            error = await refused_start(venue)
            assert (error.code, error.for_good) == (str(code), True)

    run(scenario)


def test_a_key_whose_rights_cant_be_read_ends_the_start() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("list-body", path=KEY)
            assert not (await refused_start(venue)).for_good

    run(scenario)


def test_with_a_clock_that_is_too_far_off_what_is_open_is_protected_and_nothing_is_entered() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.world.skew("bybit", 5_000_000_000)
            async with at(venue, max_clock_skew_ms=6000) as rig:
                await rig.buy()
            async with at(venue) as rig:
                (notice,) = rig.notices("clock")
                assert "more than 1000 ms; set it by NTP; no entry is sent, what is open is looked" in notice.message
                refused = await rig.exchange.place_entry(entry(client_id=SECOND))
                assert isinstance(refused, Refusal)
                assert (refused.code, refused.for_good) == ("clock", False)
                assert isinstance(await rig.exchange.move_stop(stop("49500")), StopReport)
                assert isinstance(await rig.exchange.close_position(close()), OrderReport)
                await rig.event(PositionSeen, lambda event: event.position.quantity == 0)

    run(scenario)


def test_an_answer_that_was_slow_says_nothing_against_our_clock() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("slow-response", path="/v5/market/time", delay_ms=500, count=2)
            async with at(venue, max_clock_skew_ms=100) as rig:
                await rig.buy()

    run(scenario)


def test_a_clock_that_is_off_is_allowed_for_as_far_as_the_setting_says() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("clock-skew", path="/v5/market/time", skew_ms=5000, count=1)
            async with at(venue, max_clock_skew_ms=6000) as rig:
                await rig.buy()

    run(scenario)


# ── leverage ────────────────────────────────────────────────────────────────────────────────────────────────


def test_leverage_is_set_where_it_differs() -> None:
    async def scenario() -> None:
        async with trading(leverage=5) as rig:
            assert leverage(rig) == 5
            assert rig.sent(LEVERAGE) == [
                {"category": "linear", "symbol": SYMBOL, "buyLeverage": "5", "sellLeverage": "5"}
            ]

    run(scenario)


def test_leverage_that_is_right_is_left_alone() -> None:
    async def scenario() -> None:
        async with trading(leverage=10) as rig:
            assert rig.sent(LEVERAGE) == []

    run(scenario)


def test_the_markets_own_maximum_is_not_exceeded() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.price("0.1", "0.1001", symbol="DOGEUSDT")
            async with at(venue, leverage=125, symbols=("DOGEUSDT",)) as rig:
                assert leverage(rig, "DOGEUSDT") == rig.exchange.line.markets["DOGEUSDT"].max_leverage == d(75)

    run(scenario)


def test_110043_is_a_success_once_it_is_read_back() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("refuse", path=LEVERAGE, code=110043)
            venue.fault("leverage-changed", path=LEVERAGE, market=SYMBOL, leverage="7")
            async with at(venue, leverage=7) as rig:
                assert SYMBOL in rig.exchange.line.preparing.ready_now
                assert len([sent for sent in rig.sent(POSITIONS) if sent.get("symbol") == SYMBOL]) == 3

    run(scenario)


def test_110043_while_the_leverage_is_another_one_is_an_error() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("refuse", path=LEVERAGE, code=110043)
            error = await refused_start(venue, leverage=7)
            assert (error.code, "leverage of BTCUSDT can't be set to 7" in str(error)) == ("110043", True)

    run(scenario)


def test_leverage_that_is_refused_ends_the_start() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("refuse", path=LEVERAGE, code=110013)
            error = await refused_start(venue, leverage=7)
            assert (error.code, error.for_good) == ("110013", True)

    run(scenario)


def test_without_symbols_all_markets_are_brought_in_order_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework_venue.exchange.PREPARE_PAUSE_S", 0.0)

    async def scenario() -> None:
        async with trading(symbols=(), leverage=5) as rig:
            line = rig.exchange.line
            await until(lambda: line.preparing.ready_now == set(line.markets))
            assert {leverage(rig, symbol) for symbol in line.markets} == {5}

    run(scenario)


def test_a_market_whose_data_is_asked_for_is_brought_in_order_meanwhile() -> None:
    async def scenario() -> None:
        async with trading(leverage=5) as rig:
            rig.price(3000, symbol="ETHUSDT")
            await rig.exchange.market_data("ETHUSDT", frozenset())
            await until(lambda: leverage(rig, "ETHUSDT") == 5)
            await until(lambda: "ETHUSDT" in rig.exchange.line.preparing.ready_now)

    run(scenario)


def test_an_entry_waits_until_its_market_is_in_order() -> None:
    async def scenario() -> None:
        async with trading(leverage=5) as rig:
            rig.exchange.line.preparing.changed(SYMBOL)
            set_at_venue(rig, "set_leverage", SYMBOL, d(3))
            await rig.exchange.place_entry(entry())
            paths = [line["path"] for line in rig.emulator.control.tail.lines if line["kind"] == "request"]
            assert paths[-2:] == [LEVERAGE, CREATE] or paths.index(CREATE) > paths.index(LEVERAGE)
            assert leverage(rig) == 5

    run(scenario)


def test_a_market_with_a_position_in_order_is_known_from_one_query() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            assert await rig.exchange.session.account.in_order() == frozenset({SYMBOL})

    run(scenario)


def test_unknown_symbols_end_the_start() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            error = await refused_start(venue, symbols=("NOSUCHUSDT",))
            assert (error.code, "NOSUCHUSDT" in str(error)) == ("unknown_symbol", True)

    run(scenario)


# ── margin mode ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_margin_mode_is_set_for_the_whole_account_while_it_is_flat() -> None:
    async def scenario() -> None:
        async with trading(margin_mode="isolated") as rig:
            assert rig.sent(MARGIN) == [{"setMarginMode": "ISOLATED_MARGIN"}]
            assert await rig.exchange.session.account.margin_mode() == "ISOLATED_MARGIN"

    run(scenario)


def test_a_margin_mode_that_is_right_is_left_alone() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert rig.sent(MARGIN) == []

    run(scenario)


async def restarted(venue: Venue, **settings: Any) -> Rig:
    """An exchange that was started once more at the venue, and stopped."""
    async with at(venue, **settings) as rig:
        return rig


@pytest.mark.parametrize("price", [None, "49500"], ids=["with a position", "with an order"])
def test_while_something_is_open_the_margin_mode_is_left_and_told(price: str | None) -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            async with at(venue) as rig:
                await rig.exchange.place_entry(entry(price=price))
            rig = await restarted(venue, margin_mode="isolated")
            assert rig.sent(MARGIN) == []
            (notice,) = rig.notices("margin_mode")
            assert notice.level == "warning"
            assert "REGULAR_MARGIN, not ISOLATED_MARGIN" in notice.message

    run(scenario)


def test_110026_is_a_success_once_it_is_read_back() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("refuse", path=MARGIN, code=110026, executed=True)
            async with at(venue, margin_mode="isolated") as rig:
                assert await rig.exchange.session.account.margin_mode() == "ISOLATED_MARGIN"

    run(scenario)


def test_110026_while_the_mode_is_another_one_is_an_error() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("refuse", path=MARGIN, code=110026)
            assert (await refused_start(venue, margin_mode="isolated")).code == "110026"

    run(scenario)


def test_110073_ends_the_start() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("refuse", path=MARGIN, code=110073)
            error = await refused_start(venue, margin_mode="isolated")
            assert (error.code, "can't be set to ISOLATED_MARGIN" in str(error)) == ("110073", True)

    run(scenario)


# ── position mode ───────────────────────────────────────────────────────────────────────────────────────────


def test_hedge_mode_is_left_while_the_account_is_flat() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            set_at_venue(venue, "set_hedge_mode", True)
            async with at(venue) as rig:
                assert rig.sent(MODE) == [{"category": "linear", "mode": 0, "coin": "USDT"}]
                await rig.buy()

    run(scenario)


def test_hedge_mode_with_a_position_ends_the_start_and_says_what_to_do() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            async with at(venue) as rig:
                await rig.buy()
            venue.world.venues["bybit"].account(DEFAULT_KEY.account).hedge_mode = True
            error = await refused_start(venue)
            assert error.code in ("110024", "110028")
            assert "hedge mode" in str(error)
            assert "close its positions and orders" in str(error)

    run(scenario)


def test_hedge_mode_that_is_still_there_after_the_switch_ends_the_start() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            set_at_venue(venue, "set_hedge_mode", True)
            venue.fault("refuse", path=MODE, code=110025)
            error = await refused_start(venue)
            assert "still held by side" in str(error)

    run(scenario)


def test_a_position_by_side_makes_reads_fail() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.world.venues["bybit"].account(DEFAULT_KEY.account).hedge_mode = True
            with pytest.raises(ExchangeError, match="one-way mode"):
                await rig.exchange.positions()

    run(scenario)


# ── rules ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_stale_rules_are_noticed_and_read_anew() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("filters-change", path=CREATE, market=SYMBOL, min_notional_factor=1000, count=1)
            await rig.exchange.place_entry(entry("0.001"))
            await until(lambda: rig.notices("markets_changed"))
            rules = (await rig.exchange.markets())[SYMBOL]
            assert rules.min_notional == d(5000)
            assert [notice.code for notice in rig.seen(VenueNotice)][:1] == ["rules_are_stale"]

    run(scenario)
