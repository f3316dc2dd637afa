"""What the builders build is sane: it passes the kernel's own checks, and says what it was told to say."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from framework import INTERVALS_S, MissingDataError, Need, Percent, Side, SignalSettings, Size, fit_quantity
from framework.testing import (
    NOW_NS,
    make_account,
    make_candles,
    make_closed_position,
    make_entry_plan,
    make_holding,
    make_open_position,
    make_plan,
    make_portfolio,
    make_quote,
    make_request,
    make_rules,
    make_signal,
    make_snapshot,
)


def test_a_signal_is_recent_and_takes_numbers_as_text() -> None:
    signal = make_signal("ETHUSDT", Side.SHORT, score="98.7", scores={"week": "60.5"})

    assert signal.created_ns < signal.received_ns < NOW_NS
    assert (signal.symbol, signal.side, signal.score) == ("ETHUSDT", Side.SHORT, Decimal("98.7"))
    assert signal.scores == {"week": Decimal("60.5")}


def test_a_signal_may_carry_settings() -> None:
    settings = SignalSettings(stop_percent=Percent(Decimal(3)))

    assert make_signal(settings=settings).settings == settings


def test_the_least_price_of_a_market_is_a_tick_unless_given() -> None:
    assert make_rules(tick_size="0.5").min_price == Decimal("0.5")
    assert make_rules(tick_size="0.5", min_price=10).min_price == 10


def test_the_quotes_last_price_and_mark_price_lie_within_the_spread_unless_given() -> None:
    quote = make_quote("99", "101")
    assert quote.last == 99
    assert quote.mark == 100
    assert make_quote(last=7, mark=8).last == 7
    assert make_quote(last=7, mark=8).mark == 8


@pytest.mark.parametrize("interval", list(INTERVALS_S))
def test_candles_are_closed_gapless_and_accepted_by_a_snapshot(interval: str) -> None:
    candles = make_candles(interval, 5, first_open=100, last_close=110)
    snapshot = make_snapshot(needs={Need.candles(interval, 5)}, candles={interval: candles})

    assert snapshot.candles(interval, 5) == candles
    assert all(one.close_ns == other.open_ns for one, other in pairwise(candles))
    assert candles[0].open == 100
    assert candles[-1].close == 110


def test_a_snapshot_shows_only_what_was_declared() -> None:
    assert make_snapshot(needs={Need.BOOK_TOP}).quote == make_quote()
    with pytest.raises(MissingDataError, match="did not declare"):
        _ = make_snapshot().quote


def test_a_snapshot_without_data_misses_them() -> None:
    snapshot = make_snapshot(needs={Need.BOOK_TOP, Need.OPEN_INTEREST}, quote=None, open_interest_usd=None)

    with pytest.raises(MissingDataError, match="no quote"):
        _ = snapshot.quote
    with pytest.raises(MissingDataError, match="has none"):
        _ = snapshot.open_interest_usd


def test_a_snapshots_rules_are_those_of_its_symbol() -> None:
    listed = make_snapshot("ETHUSDT")

    assert listed.rules is not None
    assert listed.rules.symbol == "ETHUSDT"
    assert make_snapshot(rules=None).rules is None


def test_a_snapshot_shows_the_positions_of_its_account() -> None:
    held, lost = make_open_position(quantity=2, entry_price=50), make_closed_position()
    account = make_account("bybit", open=[held], closed=[lost])

    snapshot = make_snapshot(account=account, needs={Need.POSITIONS, Need.CLOSED_POSITIONS})

    assert (snapshot.account, snapshot.positions, snapshot.closed_positions) == ("bybit", (held,), (lost,))
    assert held.notional_usd == 100


def test_all_of_an_accounts_equity_is_available_unless_given() -> None:
    assert make_account(equity_usd=50).available_usd == 50
    assert make_account(equity_usd=50, available_usd=20).available_usd == 20


def test_a_portfolio_holds_the_accounts_by_name() -> None:
    one, other = make_account("one"), make_account("other")

    assert make_portfolio(one, other).accounts == {"one": one, "other": other}
    assert list(make_portfolio().accounts) == ["paper"]


@pytest.mark.parametrize(("side", "stop"), [(Side.LONG, 94), (Side.SHORT, 106)])
def test_requests_and_plans_have_a_stop_on_the_losing_side(side: Side, stop: int) -> None:
    assert make_request(side).stop_price == stop
    assert make_plan(side).stop_price == stop
    assert make_plan(side, stop_price=1).stop_price == 1


def test_a_plan_is_one_for_its_signal() -> None:
    plan = make_plan(Side.SHORT, symbol="ETHUSDT", account="bybit", quantity=2, price=50)

    assert (plan.signal.account, plan.signal.symbol, plan.side) == ("bybit", "ETHUSDT", Side.SHORT)
    assert plan.rules.symbol == "ETHUSDT"
    assert plan.notional_usd == 100


def test_an_entry_plan_is_one_that_the_market_takes() -> None:
    plan = make_entry_plan(Side.SHORT, symbol="ETHUSDT")

    assert (plan.side, plan.rules.symbol) == (Side.SHORT, "ETHUSDT")
    assert isinstance(fit_quantity(plan.rules, plan.quote.bid, plan.quantity), Size)


def test_a_holding_takes_numbers_as_text() -> None:
    holding = make_holding(Side.SHORT, entry_price="0.2264", quantity="26")

    assert (holding.entry_price, holding.quantity, holding.side) == (Decimal("0.2264"), Decimal(26), Side.SHORT)
    assert holding.settings == SignalSettings()
