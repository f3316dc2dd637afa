from __future__ import annotations

from decimal import Decimal

import pytest

from framework import MissingDataError, Notice, Passed, Percent, Quote, Rejection, Side, Verdict
from framework.testing import NOW_NS, make_quote, make_signal, make_snapshot
from framework_filters import Spread

TENTH = Percent(Decimal("0.1"))
CLOUDUSDT = make_quote("0.11790", "0.11803")


def check(component: Spread, quote: Quote | None, side: Side = Side.LONG) -> Verdict:
    return component.check(make_signal(side=side), make_snapshot(needs=component.needs, quote=quote))


def test_a_narrow_spread_passes_with_its_numbers() -> None:
    assert check(Spread(max_percent=TENTH), make_quote("99.99", "100.01")) == Passed(
        {
            "spread_percent": Decimal("0.02000"),
            "max_percent": Decimal("0.1"),
            "bid": Decimal("99.99"),
            "ask": Decimal("100.01"),
        }
    )


@pytest.mark.parametrize("side", list(Side))
def test_a_wide_spread_is_refused_on_either_side(side: Side) -> None:
    verdict = check(Spread(max_percent=TENTH), CLOUDUSDT, side)

    assert isinstance(verdict, Rejection)
    assert verdict.code == "spread_wide"
    assert verdict.message == "the spread is 0.1102 %, more than 0.1 %"


def test_a_wide_spread_is_only_noted_when_the_action_is_warn() -> None:
    verdict = check(Spread(max_percent=TENTH, action="warn"), CLOUDUSDT)

    assert isinstance(verdict, Notice)
    assert verdict.code == "spread_wide"
    assert verdict.numbers["spread_percent"] == Decimal("0.1102")


def test_the_widest_allowed_spread_passes() -> None:
    assert isinstance(check(Spread(max_percent=TENTH), make_quote("99.95", "100.05")), Passed)


def test_the_setting_decides_what_is_wide() -> None:
    assert isinstance(check(Spread(max_percent=Percent(Decimal("0.12"))), CLOUDUSDT), Passed)


def test_a_missing_quote_is_missing_data() -> None:
    with pytest.raises(MissingDataError, match="has no quote"):
        check(Spread(max_percent=TENTH), None)


def test_an_old_quote_is_missing_data() -> None:
    component = Spread(max_percent=TENTH)
    old = make_quote(time_ns=NOW_NS - 31_000_000_000)
    snapshot = make_snapshot(needs=component.needs, quote=old, max_age_ns=30_000_000_000)

    with pytest.raises(MissingDataError, match=r"31\.0 s old"):
        component.check(make_signal(), snapshot)


@pytest.mark.parametrize(("bid", "ask"), [("100.01", "99.99"), ("0", "0.1")])
def test_a_book_that_makes_no_sense_is_missing_data(bid: str, ask: str) -> None:
    with pytest.raises(MissingDataError, match="crossed"):
        check(Spread(max_percent=TENTH, action="warn"), make_quote(bid, ask))


def test_a_book_without_a_spread_passes() -> None:
    assert isinstance(check(Spread(max_percent=TENTH), make_quote(100, 100)), Passed)


def test_a_limit_of_zero_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        Spread(max_percent=Percent(Decimal(0)))
