"""``--set PATH=VALUE`` changes single values, which are then validated as if they were written in the file."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import asdict

from tests.config.components import TypedFilter
from tests.config.conftest import SAMPLE, Desk


def settings(desk: Desk, *sets: str) -> dict[str, Any]:
    component = desk.load(SAMPLE, *sets).filters[0].component
    assert isinstance(component, TypedFilter)
    return asdict(component, recurse=False)


def test_a_setting_is_replaced(desk: Desk) -> None:
    assert desk.load(SAMPLE, "sizing.position_usd=20").sizer.component.position_usd == Decimal(20)  # type: ignore[attr-defined]


def test_a_setting_is_added(desk: Desk) -> None:
    assert settings(desk, "filters.typed.count=3")["count"] == 3


def test_a_component_of_an_array_may_be_named_by_its_position(desk: Desk) -> None:
    assert settings(desk, "filters.0.count=3")["count"] == 3


def test_a_component_may_be_disabled(desk: Desk) -> None:
    assert desk.load(SAMPLE, "filters.typed.enabled=false").enabled_filters == ()


def test_a_table_inside_of_a_component_comes_into_being(desk: Desk) -> None:
    assert settings(desk, "filters.typed.minimum.week=60")["minimum"] == {"week": Decimal(60)}


def test_a_table_of_the_kernel_comes_into_being(desk: Desk) -> None:
    text = SAMPLE.replace('[framework]\nstate = "var"\n', "")

    assert desk.load(text, "framework.stop_tries=9").framework.stop_tries == 9


def test_an_element_of_an_array_is_replaced(desk: Desk) -> None:
    assert settings(desk, 'filters.typed.patterns=["A", "B"]', "filters.typed.patterns.1=C")["patterns"] == ("A", "C")


def test_a_whole_account_may_be_added(desk: Desk) -> None:
    added = 'exchanges.spare={ use = "venue", max_positions_per_wave = 2 }'

    assert [each.name for each in desk.load(SAMPLE, added).exchanges] == ["main", "spare"]


def test_the_last_of_several_overrides_wins(desk: Desk) -> None:
    assert settings(desk, "filters.typed.count=3", "filters.typed.count=4")["count"] == 4


@pytest.mark.parametrize(
    ("value", "title"),
    [
        ("plain", "plain"),
        ('"quoted"', "quoted"),
        ("a=b", "a=b"),
        ("", ""),
        ("a b", "a b"),
        ("1\nuse = 2", "1\nuse = 2"),
    ],
)
def test_what_is_no_toml_is_text(desk: Desk, value: str, title: str) -> None:
    assert settings(desk, f"filters.typed.title={value}")["title"] == title


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("nonsense", "--set nonsense: is no PATH=VALUE, like sizing.position_usd=20 or filters.spread.enabled=false"),
        ("=1", "--set : is no PATH=VALUE, like "),
        ("sizing..x=1", "--set sizing..x: is no PATH=VALUE, like "),
        ("foo.bar=1", "--set foo.bar: there is no [foo]; there are: exchanges, "),
        ("sizin.position_usd=1", "--set sizin.position_usd: there is no [sizin]; did you mean sizing?"),
        (
            "exchanges.mian.enabled=false",
            "--set exchanges.mian.enabled: there is no [exchanges.mian]; did you mean main?",
        ),
        ("filters.tpyed.count=1", "--set filters.tpyed.count: none of [[filters]] uses 'tpyed'; did you mean typed?"),
        ("filters.1.count=1", "--set filters.1.count: filters has 1 elements, counted from 0"),
        (
            "sizing.position_usd.x=1",
            "--set sizing.position_usd.x: sizing.position_usd is no table, so there is nothing",
        ),
        ("filters.typed.cuont=1", "--set filters.typed.cuont: unknown key; did you mean count?"),
        ("filters.typed.count=1.5", "--set filters.typed.count: expected a whole number, got 1.5"),
        ("filters.typed.count=0", "--set filters.typed.count: must be greater than 0, got 0"),
        ("filters.typed.band={ low = 1 }", "--set filters.typed.band.high: is missing"),
        ("filters.typed=5", "--set filters.0: expected [[filters]], got 5"),
        ("sizing=5", "--set sizing: expected [sizing], got 5"),
        (
            "filters.typed.use=other",
            '--set filters.other.use: "other" is an unknown filter; there are: crashing, typed',
        ),
        ("plugins.load=sample", '--set plugins.load: expected an array, got "sample"'),
    ],
)
def test_an_override_that_is_wrong_is_one_line(desk: Desk, override: str, expected: str) -> None:
    assert desk.problem(SAMPLE, override).startswith(expected)


def test_an_override_of_what_is_not_in_the_file_is_told(desk: Desk) -> None:
    text = SAMPLE.replace('[[filters]]\nuse = "typed"\n', "")

    assert desk.problem(text, "filters.typed.enabled=true") == (
        "--set filters.typed.enabled: there are no [[filters]] in the file"
    )


def test_an_override_must_say_which_of_two_it_means(desk: Desk) -> None:
    text = desk.filter_with('[[filters]]\nuse = "typed"')

    assert desk.problem(text, "filters.typed.count=1") == (
        "--set filters.typed.count: more than one of [[filters]] uses 'typed'; write filters.0 or filters.1"
    )


def test_mistakes_of_the_file_and_of_overrides_are_told_together(desk: Desk) -> None:
    text = desk.filter_with("amount = -1")

    places = [line.split(": ")[0] for line in desk.problems(text, "filters.typed.count=0", "foo=1")]

    assert places == ["config.toml:16 [filters.typed] amount", "--set foo", "--set filters.typed.count"]


def test_an_override_mends_a_mistake_of_the_file(desk: Desk) -> None:
    text = desk.filter_with("count = 0")

    assert desk.load(text, "filters.typed.count=1").enabled_filters
