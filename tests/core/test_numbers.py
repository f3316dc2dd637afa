"""Rounding laws, on the ticks and steps of real markets, and numbers as text."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import (
    Percent,
    ceil_to,
    floor_to,
    is_multiple,
    leading_digits,
    nearest_to,
    plain,
    trimmed,
    usd_down,
    usd_up,
)
from framework.core.numbers import unit

D = Decimal
MARKETS = Path(__file__).parents[2] / "examples" / "markets"


def real_units() -> list[Decimal]:
    """Every tick and step that the two market files know."""
    found: set[Decimal] = set()
    binance = json.loads((MARKETS / "binance_usdm_2025-03.json").read_text(encoding="utf-8"))
    for market in binance["symbols"]:
        for rule in market["filters"]:
            found |= {D(rule[key]) for key in ("tickSize", "stepSize") if key in rule}
    bybit = json.loads((MARKETS / "bybit_linear_2025-03.json").read_text(encoding="utf-8"))
    for market in bybit["result"]["list"]:
        found |= {D(market["priceFilter"]["tickSize"]), D(market["lotSizeFilter"]["qtyStep"])}
    return sorted(unit(each) for each in found if each > 0)


UNITS = st.sampled_from(real_units())
VALUES = st.decimals(D("-1e9"), D("1e9"), allow_nan=False, allow_infinity=False, places=12)
POSITIVE = st.decimals(D("1e-12"), D("1e9"), allow_nan=False, allow_infinity=False, places=12)
fast = settings(deadline=None, max_examples=150)


def test_the_market_files_have_ticks_of_many_kinds() -> None:
    units = real_units()
    assert len(units) > 8
    assert units[0] < D("0.00001")
    assert D(1) in units


@fast
@given(VALUES, UNITS)
def test_rounding_gives_the_neighbouring_multiples(value: Decimal, step: Decimal) -> None:
    low, high = floor_to(value, step), ceil_to(value, step)
    assert low <= value <= high
    assert high - low in (0, step)
    assert is_multiple(low, step)
    assert is_multiple(high, step)


@fast
@given(VALUES, UNITS)
def test_the_nearest_multiple_is_the_nearer_one_and_a_tie_goes_away_from_zero(value: Decimal, step: Decimal) -> None:
    nearest = nearest_to(value, step)
    low, high = floor_to(value, step), ceil_to(value, step)
    below, above = Fraction(value) - Fraction(low), Fraction(high) - Fraction(value)
    if below == above:
        assert nearest == (high if value > 0 else low)
    else:
        assert nearest == (low if below < above else high)


@fast
@given(VALUES, UNITS)
def test_what_is_rounded_once_stays_as_it_is(value: Decimal, step: Decimal) -> None:
    for rounded in (floor_to, ceil_to, nearest_to):
        once = rounded(value, step)
        assert floor_to(once, step) == ceil_to(once, step) == nearest_to(once, step) == once


@fast
@given(VALUES, UNITS)
def test_what_is_rounded_is_written_with_the_digits_of_its_tick(value: Decimal, step: Decimal) -> None:
    assert nearest_to(value, step).as_tuple().exponent == step.as_tuple().exponent


@fast
@given(st.integers(1, 10**12), UNITS)
def test_a_price_divided_by_a_price_is_never_rounded_across_a_multiple(count: int, step: Decimal) -> None:
    exact = count * step
    hair = D(1).scaleb(exact.adjusted() - 26)
    assert floor_to(exact - hair, step) == exact - step
    assert ceil_to(exact + hair, step) == exact + step
    assert floor_to(exact, step) == ceil_to(exact, step) == exact


@pytest.mark.parametrize("rounded", [floor_to, ceil_to, nearest_to])
@pytest.mark.parametrize(("value", "step"), [("1", "0"), ("1", "-0.1"), ("NaN", "1"), ("Infinity", "1")])
def test_what_cannot_be_rounded_is_an_error(rounded: type, value: str, step: str) -> None:
    with pytest.raises(ValueError, match=r"must be positive|not a finite number"):
        rounded(D(value), D(step))


@pytest.mark.parametrize(
    ("written", "bare"),
    [("0.0010", "0.001"), ("0.00100000", "0.001"), ("10", "10"), ("10.0", "10"), ("1E+2", "100"), ("1", "1")],
)
def test_a_tick_loses_its_trailing_zeros_and_nothing_else(written: str, bare: str) -> None:
    assert str(unit(D(written))) == bare


# ── percent ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_six_percent_are_six_of_a_hundred() -> None:
    assert Percent(D(6)).of(D(100)) == 6
    assert Percent(D(6)).above(D(50)) == 53
    assert Percent(D(6)).below(D(50)) == 47


@fast
@given(st.decimals(D(0), D(100), places=4), POSITIVE)
def test_what_is_added_above_is_taken_below(value: Decimal, amount: Decimal) -> None:
    percent = Percent(value)
    assert percent.above(amount) - amount == amount - percent.below(amount)


def test_a_percent_is_no_number_to_compare_or_count_with() -> None:
    with pytest.raises(TypeError):
        _ = Percent(D(6)) < D(6)  # type: ignore[operator]
    with pytest.raises(TypeError):
        _ = Percent(D(6)) * D(6)  # type: ignore[operator]
    assert Percent(D(6)) != D(6)
    assert str(Percent(D("0.50"))) == "0.50 %"


# ── text ────────────────────────────────────────────────────────────────────────────────────────────────────


@fast
@given(VALUES | st.sampled_from([D("1E-18"), D("1E+20"), D("0E-10"), D("0E+5")]))
def test_numbers_are_written_without_exponent_and_read_back_the_same(value: Decimal) -> None:
    for text in (plain(value), trimmed(value)):
        assert "E" not in text.upper()
        assert D(text) == value


@pytest.mark.parametrize(("value", "text"), [("1.500", "1.5"), ("100", "100"), ("0.0", "0"), ("1E+2", "100")])
def test_trailing_zeros_are_trimmed_only_behind_the_point(value: str, text: str) -> None:
    assert trimmed(D(value)) == text


@pytest.mark.parametrize(
    ("value", "digits", "cut"),
    [
        ("0.329853", 3, "0.329"),
        ("0.329999", 3, "0.329"),
        ("0.000123456", 3, "0.000123"),
        ("123456", 3, "123000"),
        ("1.2", 3, "1.20"),
        ("0", 3, "0"),
    ],
)
def test_leading_digits_are_cut_and_never_rounded_up(value: str, digits: int, cut: str) -> None:
    assert leading_digits(D(value), digits) == D(cut)


@fast
@given(POSITIVE)
def test_leading_digits_lie_within_a_thousandth_below(value: Decimal) -> None:
    assert value * D("0.99") <= leading_digits(value, 3) <= value


def test_cents_go_up_for_a_cost_and_down_for_a_budget() -> None:
    assert (usd_up(D("1.001")), usd_up(D("1.00"))) == (D("1.01"), D("1.00"))
    assert (usd_down(D("1.009")), usd_down(D("1.00"))) == (D("1.00"), D("1.00"))
