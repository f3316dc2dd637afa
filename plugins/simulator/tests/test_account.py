"""Cash, cost and realised PnL of an account."""

from __future__ import annotations

import pytest

from framework import OrderSide

from .kit import SYMBOL, d, new_account

BUY, SELL = OrderSide.BUY, OrderSide.SELL


def test_the_entry_price_is_the_average_of_the_fills_that_opened() -> None:
    account = new_account("main")
    account.apply(SYMBOL, BUY, d(1), d(100), d(0))
    account.apply(SYMBOL, BUY, d(3), d(104), d(0))
    assert account.position(SYMBOL).entry_price == d(103)


def test_reducing_realises_pnl_and_keeps_the_entry_price() -> None:
    account = new_account("main")
    account.apply(SYMBOL, SELL, d(4), d(100), d(0))
    assert account.apply(SYMBOL, BUY, d(1), d(90), d(0)) == 10
    assert (account.position(SYMBOL).quantity, account.position(SYMBOL).entry_price) == (d(-3), d(100))
    assert account.apply(SYMBOL, BUY, d(3), d(110), d(0)) == -30
    assert (account.cash, account.realized_pnl, account.positions) == (d(980), d(-20), {})


def test_an_endless_average_is_rounded_to_twelve_decimals_and_loses_nothing() -> None:
    account = new_account("main")
    account.apply(SYMBOL, BUY, d(1), d("0.1"), d(0))
    account.apply(SYMBOL, BUY, d(2), d("0.2"), d(0))
    assert str(account.position(SYMBOL).entry_price) == "0.166666666667"
    first = account.apply(SYMBOL, SELL, d(1), d("0.1"), d(0))
    rest = account.apply(SYMBOL, SELL, d(2), d("0.2"), d(0))
    assert (first + rest, account.cash) == (d(0), d(1000))


def test_the_tiniest_cost_is_given_back_whole() -> None:
    account = new_account("main")
    account.apply(SYMBOL, BUY, d("0.000003"), d("0.0000001"), d(0))
    assert account.apply(SYMBOL, SELL, d("0.000003"), d("0.0000001"), d(0)) == 0
    assert account.cash == 1000


def test_the_fee_is_paid_in_cash_and_counted() -> None:
    account = new_account("main")
    account.apply(SYMBOL, BUY, d(1), d(100), d("0.05"))
    assert (account.cash, account.fees, account.realized_pnl) == (d("999.95"), d("0.05"), d(0))


def test_a_fill_through_zero_is_a_bug_and_raises() -> None:
    account = new_account("main")
    account.apply(SYMBOL, BUY, d(1), d(100), d(0))
    with pytest.raises(ValueError, match="through zero"):
        account.apply(SYMBOL, SELL, d(2), d(100), d(0))
    assert account.position(SYMBOL).quantity == 1


def test_equity_is_cash_plus_what_closing_at_the_mark_would_realise() -> None:
    account = new_account("main")
    account.apply(SYMBOL, BUY, d(2), d(100), d(0))
    account.apply("ETHUSDT", SELL, d(1), d(50), d(0))
    marks = {SYMBOL: d(101), "ETHUSDT": d(47)}
    assert account.equity(marks.__getitem__) == 1005
