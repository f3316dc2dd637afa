"""Values in words: safe to print, without exponents, with their units."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.cli.words import arithmetic, instant, named, pnl, reason, safe, shown, span


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet=st.characters()))
def test_safe_text_is_one_printable_line(text: str) -> None:
    assert safe(text).isprintable()


@settings(deadline=None, max_examples=200)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18))
def test_a_decimal_is_shown_exactly_and_without_an_exponent(value: Decimal) -> None:
    text = shown(value)

    assert "E" not in text
    assert Decimal(text) == value


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("required_usd", Decimal("18.19"), "required 18.19 USD"),
        ("spread_percent", Decimal("0.05"), "spread 0.05 %"),
        ("step_size", Decimal("1E-7"), "step size 0.0000001"),
        ("age_s", 38, "age 38 s"),
        ("latency_ms", 7, "latency 7 ms"),
        ("cooldown_minutes", 60, "cooldown 60 min"),
        ("symbol", "A\x1bB", "symbol A\\x1bB"),
    ],
)
def test_a_number_is_shown_with_its_name_and_unit(name: str, value: Decimal | int | str, text: str) -> None:
    assert named(name, value) == text


def test_the_arithmetic_of_a_size_comes_in_the_order_of_its_argument() -> None:
    numbers = {
        "budget_usd": Decimal("6.60"),
        "minimum": Decimal(1),
        "a_step": Decimal(2),
        "quantity": Decimal("0.329"),
        "required_usd": Decimal("18.19"),
    }

    assert arithmetic(numbers) == "quantity 0.329, minimum 1, required 18.19 USD, budget 6.60 USD, a step 2"


@pytest.mark.parametrize(
    ("code", "message", "numbers", "text"),
    [
        ("spread_wide", "it is wide", {"max_percent": 1}, "it is wide (max 1 %)"),
        ("spread_wide", "", {}, "spread wide"),
        ("", "", {}, "no reason given"),
    ],
)
def test_a_reason_is_the_message_else_the_code(code: str, message: str, numbers: dict[str, int], text: str) -> None:
    assert reason(code, message, numbers) == text


def test_a_profit_has_its_sign_and_four_digits() -> None:
    assert [pnl(Decimal("0.20974")), pnl(Decimal("-0.36025")), pnl(Decimal("1E+30"))[:2], pnl(None)] == [
        "+0.2097",
        "-0.3602",
        "+1",
        "-",
    ]


@pytest.mark.parametrize(
    ("length_ns", "text"),
    [
        (None, "-"),
        (0, "0.0 ms"),
        (12_300_000, "12.3 ms"),
        (9_999_000_000, "9999.0 ms"),
        (45_100_000_000, "45.1 s"),
        (792_000_000_000, "13 min 12 s"),
        (7_500_000_000_000, "2 h 5 min"),
        (273_600_000_000_000, "3 d 4 h"),
    ],
)
def test_a_length_of_time_has_the_unit_that_suits_it(length_ns: int | None, text: str) -> None:
    assert span(length_ns) == text


def test_an_instant_is_shown_in_utc_to_the_millisecond() -> None:
    assert instant(1_761_950_921_120_999_999) == "2025-10-31 22:48:41.120Z"
    assert instant(None) == "-"
    assert instant(2**70) == f"{2**70} ns"
