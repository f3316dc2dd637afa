"""The independent calculation of exits, checked by hand before the product is compared with it."""

from __future__ import annotations

import ast
import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.wave import independent
from tests.wave.independent import Day, Exit, Opened, calculate, opened_positions, wave_outcomes

SHORT = Opened("venue", "TESTUSDT", "short", Decimal(100), Decimal("0.1"))
LONG = Opened("venue", "TESTUSDT", "long", Decimal(100), Decimal("0.1"))


def day(date: str, open_: str, high: str, low: str, close: str) -> Day:
    return Day(date, Decimal(open_), Decimal(high), Decimal(low), Decimal(close))


def left(date: str, reason: str, price: str) -> Exit:
    return Exit(date, reason, Decimal(price))


def test_a_stop_that_lies_within_the_bar_fills_at_its_own_price() -> None:
    assert calculate(SHORT, [day("d1", "100", "107", "99", "99")]).exit == left("d1", "stop-loss", "106")
    assert calculate(LONG, [day("d1", "100", "101", "93", "101")]).exit == left("d1", "stop-loss", "94")


def test_a_bar_that_opens_beyond_the_stop_fills_at_its_open() -> None:
    days = [day("d1", "100", "101", "99", "100"), day("d2", "108", "109", "90", "95")]

    assert calculate(SHORT, days).exit == left("d2", "stop-loss", "108")


def test_the_worse_extreme_comes_before_the_better_one() -> None:
    both_ways = [day("d1", "100", "107", "90", "95")]

    assert calculate(SHORT, both_ways).exit == left("d1", "stop-loss", "106")


def test_the_stop_follows_the_best_price_and_the_way_to_the_close_meets_it() -> None:
    # Best 97: the stop goes to 97.485, at the nearest tick 97.5, and the close at 98 lies beyond it.
    assert calculate(SHORT, [day("d1", "100", "101", "97", "98")]).exit == left("d1", "trailing-stop", "97.5")
    # Best 103: 102.485, at the nearest tick 102.5.
    assert calculate(LONG, [day("d1", "100", "103", "99", "102")]).exit == left("d1", "trailing-stop", "102.5")


def test_nothing_trails_before_two_percent() -> None:
    outcome = calculate(SHORT, [day("d1", "100", "101", "98.1", "99")])

    assert outcome.exit is None
    assert outcome.final_stop == Decimal(106)


def test_a_stop_that_trails_never_goes_back() -> None:
    days = [day("d1", "100", "100", "95", "95.2"), day("d2", "95.3", "95.4", "95.1", "95.2")]

    outcome = calculate(SHORT, days)

    assert outcome.exit is None
    assert outcome.final_stop == Decimal("95.5")


def test_the_first_stops_are_those_that_the_report_documents() -> None:
    outcomes = wave_outcomes()
    rows = json.loads(independent.EXPECTED.read_text())["signals"]
    documented = {(r["venue"], r["symbol"]): Decimal(r["stop_price"]) for r in rows if r["outcome"] == "opened"}

    assert {key: outcome.initial_stop for key, outcome in outcomes.items()} == documented
    assert len(documented) == 8


@pytest.mark.parametrize(
    ("account", "symbol", "expected"),
    [
        ("binance", "ARUSDT", left("2025-11-01", "stop-loss", "3.756")),
        ("binance", "C98USDT", left("2025-11-02", "stop-loss", "0.0358")),
        ("binance", "HFTUSDT", left("2025-11-02", "trailing-stop", "0.04619")),
        ("binance", "MANAUSDT", left("2025-11-03", "trailing-stop", "0.1983")),
        ("bybit", "CLOUDUSDT", left("2025-11-01", "trailing-stop", "0.11504")),
        ("bybit", "CROUSDT", left("2025-11-03", "trailing-stop", "0.12407")),
        ("bybit", "DOGUSDT", left("2025-11-01", "trailing-stop", "0.001587")),
        ("bybit", "ETHBTCUSDT", left("2025-11-03", "trailing-stop", "0.033669")),
    ],
)
def test_each_position_of_the_wave_ends_on_its_day_for_its_reason_at_its_price(
    account: str, symbol: str, expected: Exit
) -> None:
    assert wave_outcomes()[account, symbol].exit == expected


def test_every_position_of_the_wave_has_a_day_of_each_bar() -> None:
    bars = independent.daily_bars()

    assert {len(bars[p.account, p.symbol]) for p in opened_positions()} == {12}


def test_the_calculation_shares_no_code_with_the_product() -> None:
    tree = ast.parse(Path(independent.__file__).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.split(".")[0] for name in imported} <= set(sys.stdlib_module_names)
