"""Settings take values of their own type and nothing that would have to be guessed, cut or rounded."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from framework import Percent
from tests.config.components import Band, Level, Mood, TypedFilter
from tests.config.conftest import Desk


@pytest.mark.parametrize(
    ("written", "name", "value"),
    [
        ('title = "a"', "title", "a"),
        ("count = 3", "count", 3),
        ("amount = 0.1", "amount", Decimal("0.1")),
        ('amount = "0.10"', "amount", Decimal("0.10")),
        ("amount = 7", "amount", Decimal(7)),
        ('amount = "1e3"', "amount", Decimal(1000)),
        ("max_percent = 0.5", "max_percent", Percent(Decimal("0.5"))),
        ('max_percent = "6"', "max_percent", Percent(Decimal(6))),
        ("ratio = 0.25", "ratio", 0.25),
        ("eager = true", "eager", True),
        ('action = "reject"', "action", "reject"),
        ('mood = "wild"', "mood", Mood.WILD),
        ("level = 2", "level", Level.HIGH),
        ('patterns = ["A*", "B"]', "patterns", ("A*", "B")),
        ('pair = ["x", 2]', "pair", ("x", 2)),
        ('tags = ["x", "x"]', "tags", frozenset({"x"})),
        ('numbers = [1, "2.5"]', "numbers", [Decimal(1), Decimal("2.5")]),
        ('minimum = { week = "60", month = 55 }', "minimum", {"week": Decimal(60), "month": Decimal(55)}),
        ("maybe = 5", "maybe", 5),
        ('either = "max"', "either", "max"),
        ("either = 2", "either", Decimal(2)),
        ("band = { low = 1, high = 2 }", "band", Band(Decimal(1), Decimal(2))),
        ("bands = [{ low = 1, high = 2 }]", "bands", (Band(Decimal(1), Decimal(2)),)),
        ('hidden = "seen"', "_hidden", "seen"),
        ('converted = " a "', "converted", "a"),
    ],
)
def test_a_value_of_the_settings_type_is_taken_as_it_is(desk: Desk, written: str, name: str, value: Any) -> None:
    (configured,) = desk.load(desk.filter_with(written)).filters

    got = getattr(configured.component, name)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("title = 5", "title: expected text, got 5; put it in quotes"),
        ("title = 2025-01-01", "title: expected text, got the date or time 2025-01-01; put it in quotes"),
        ("title = []", "title: expected text, got an array; put it in quotes"),
        ("count = 1.9", "count: expected a whole number, got 1.9"),
        ("count = 1.0", "count: expected a whole number, got 1.0"),
        ('count = "3"', 'count: expected a whole number, got "3"; write it without quotes'),
        ("count = true", "count: expected a whole number, got true"),
        ("count = 9223372036854775808", "count: expected a whole number up to 9223372036854775807, got 922337203"),
        (f"count = 0x{'f' * 5000}", "count: expected a whole number up to 9223372036854775807, got a number of more"),
        ("count = 0", "count: must be greater than 0, got 0"),
        ("amount = true", "amount: expected a number, got true"),
        ("amount = nan", "amount: expected a finite number, got NaN"),
        ("amount = -inf", "amount: expected a finite number, got -Infinity"),
        ('amount = "nan"', 'amount: expected a number, got "nan"'),
        ('amount = "1_000"', 'amount: expected a number, got "1_000"'),
        ('amount = "6 "', 'amount: expected a number, got "6 "'),
        ("amount = 1e31", "amount: expected a number between 1e-30 and 1e30, got 1E+31"),
        ("amount = -0.5", "amount: must not be negative, got -0.5"),
        ('max_percent = "6%"', 'max_percent: expected a number, got "6%"'),
        ("max_percent = 0", "max_percent: must be greater than 0, got 0"),
        ("ratio = false", "ratio: expected a number, got false"),
        ("eager = 1", "eager: expected true or false, got 1"),
        ('action = "wran"', 'action: expected one of "warn", "reject", got "wran"; did you mean "warn"?'),
        ('mood = "mad"', 'mood: expected one of "calm", "wild", got "mad"'),
        ("level = 3", "level: expected one of 1, 2, got 3"),
        ("level = true", "level: expected one of 1, 2, got true"),
        ('patterns = "A*"', 'patterns: expected an array, got "A*"; write it in square brackets'),
        ('patterns = ["A", 1]', "patterns.1: expected text, got 1; put it in quotes"),
        ('pair = ["x"]', "pair: expected an array of 2 values, got 1"),
        ('pair = ["x", "y"]', 'pair.1: expected a whole number, got "y"'),
        ("minimum = 5", "minimum: expected a table, got 5"),
        ("maybe = 1.5", "maybe: expected a whole number, got 1.5"),
        ("maybe = 12", "maybe: must be below count, got 12"),
        ("either = true", 'either: expected a number, got true; or expected one of "max", got true'),
        ("band = 5", "band: expected a table, got 5"),
        ("band = { low = 1 }", "band.high: is missing"),
        ("band = { low = 2, high = 1 }", "band: low must be below high, got 2 and 1"),
        ("bands = [{ low = 1, high = 2, mid = 1 }]", "bands.0.mid: unknown key; there are: high, low"),
        (
            "odd = 5",
            "odd: the plugin declares this setting as <class 'complex'>, which a configuration file can't hold",
        ),
        ("converted = 1", "converted: expected text, got 1; put it in quotes"),
        (f'title = ["{"x" * 5000}"]', "title: expected text, got an array; put it in quotes"),
    ],
)
def test_a_value_of_another_type_is_refused_with_what_was_expected(desk: Desk, written: str, expected: str) -> None:
    assert desk.problem(desk.filter_with(written)).startswith(f"config.toml:16 [filters.typed] {expected}")


def test_a_long_value_is_cut_in_the_message(desk: Desk) -> None:
    assert len(desk.problem(desk.filter_with(f'count = "{"x" * 5000}"'))) < 160


def test_several_validators_are_all_heard(desk: Desk) -> None:
    assert len(desk.problems(desk.filter_with("count = 0\namount = -1\nmax_percent = 0"))) == 3


def test_a_validator_that_compares_settings_is_silent_while_the_other_one_is_wrong(desk: Desk) -> None:
    assert desk.problem(desk.filter_with('count = "x"\nmaybe = 12')).startswith("config.toml:16 [filters.typed] count")


def test_a_path_starts_from_the_configurations_directory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.directory / "there").mkdir()
    monkeypatch.chdir("/")

    assert typed(desk, 'input = "there"').input == desk.directory / "there"


def test_an_absolute_path_is_taken_as_it_is(desk: Desk, tmp_path: Path) -> None:
    assert typed(desk, f'input = "{tmp_path}"').input == tmp_path


def test_a_path_to_nothing_is_refused(desk: Desk) -> None:
    assert desk.problem(desk.filter_with('input = "nowhere"')) == (
        f'config.toml:16 [filters.typed] input: "nowhere" does not exist; relative paths start from {desk.directory}'
    )


def test_a_path_to_an_output_need_not_exist(desk: Desk) -> None:
    assert typed(desk, 'output = "later/file"').output == desk.directory / "later/file"


@pytest.mark.parametrize("written", ['""', "5", r'"a\u0000b"', f'"{"x" * 300}"'])
def test_what_can_not_be_a_path_is_refused(desk: Desk, written: str) -> None:
    assert desk.problem(desk.filter_with(f"input = {written}")).startswith("config.toml:16 [filters.typed] input: ")


def typed(desk: Desk, settings: str) -> TypedFilter:
    component = desk.load(desk.filter_with(settings)).filters[0].component
    assert isinstance(component, TypedFilter)
    return component
