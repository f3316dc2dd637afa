"""Each kind of mistake in a file is one line: where it is, what is wrong, what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.config import load_deployment
from framework.errors import ConfigError
from tests.config.conftest import SAMPLE, Desk


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"

    with pytest.raises(ConfigError) as raised:
        load_deployment(path, environ={})

    assert str(raised.value) == f"{path}: can't be read: No such file or directory; name a file with --config"


def test_a_directory_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        load_deployment(tmp_path, environ={})


def test_a_syntax_error_is_one_problem_with_its_line(desk: Desk) -> None:
    assert desk.problem(SAMPLE.replace('use = "one"', "use = one")).startswith("config.toml:18: is not valid TOML: ")


def test_a_file_that_is_no_text_is_told_with_its_line(desk: Desk) -> None:
    desk.path.write_bytes(b"# fine\n# \xff\n")

    with pytest.raises(ConfigError, match=r"config.toml:2: is not UTF-8 text"):
        load_deployment(desk.path, environ={})


def test_a_file_beyond_all_measure_is_refused(desk: Desk) -> None:
    assert desk.problem("#" * 1_000_001) == "config.toml: is larger than 1000000 bytes: this is no configuration"


def test_a_file_nested_beyond_all_measure_is_refused(desk: Desk) -> None:
    deep = "[" * 30 + "]" * 30

    assert desk.problem(desk.filter_with(f"patterns = {deep}")) == "config.toml: nests tables more than 20 levels deep"


@pytest.mark.parametrize("number", ["1e99999999999999999999", "1" * 5000])
def test_a_number_that_can_not_be_read_is_a_problem(desk: Desk, number: str) -> None:
    assert desk.problem(desk.filter_with(f"amount = {number}")).startswith("config.toml")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # unknown keys and tables
        ("[sizing]", "[sizeing]\n[sizing]", "config.toml:17 [sizeing]: unknown table; did you mean sizing?"),
        (
            "[framework]",
            "loud = true\n[framework]",
            "config.toml:1 loud: unknown table; there are: exchanges, execution, filters, framework, observers, "
            "plugins, protection, rehearsal, risk, signals, sizing",
        ),
        ('state = "var"', "stop_trys = 3", "config.toml:2 [framework] stop_trys: unknown key; did you mean stop_tries"),
        (
            'use = "typed"',
            'use = "typed"\nmax_precent = 1',
            "config.toml:16 [filters.typed] max_precent: unknown key; did you mean max_percent?",
        ),
        (
            'use = "typed"',
            'use = "typed"\nenable = false',
            "config.toml:16 [filters.typed] enable: unknown key; did you mean enabled?",
        ),
        (
            'use = "rule"',
            'use = "rule"\nzzz = 1',
            "config.toml:23 [risk.rule] zzz: unknown key; there are: enabled, use",
        ),
        (
            'use = "typed"',
            'use = "typed"\nhiden = "x"',
            "config.toml:16 [filters.typed] hiden: unknown key; did you mean hidden?",
        ),
        (
            'use = "typed"',
            'use = "typed"\nchecks = 1',
            "config.toml:16 [filters.typed] checks: unknown key; there are: ",
        ),
        # missing keys and tables
        ('position_usd = "6"\n', "", "config.toml:17 [sizing] position_usd: is missing"),
        ('use = "one"\n', "", "config.toml:17 [sizing] use: is missing"),
        ('use = "typed"\n', "", "config.toml:14 [filters.0] use: is missing"),
        ('load = ["sample"]', "", "config.toml:4 [plugins] load: is missing"),
        (
            '[sizing]\nuse = "one"\nposition_usd = "6"\n',
            "",
            "config.toml: [sizing] is missing: it says with `use` which sizer is used",
        ),
        (
            "max_positions_per_wave = 4",
            "",
            "config.toml:7 [exchanges.main] max_positions_per_wave: is missing",
        ),
        (
            '[exchanges.main]\nuse = "venue"\nmax_positions_per_wave = 4\n',
            "",
            "config.toml [exchanges]: there is no account to trade on: none is configured; at least one "
            "[exchanges.NAME] has to be enabled",
        ),
        (
            'use = "stop"',
            'use = "stop"\nenabled = false',
            "config.toml:27 [protection]: positions would have no stop: every one is disabled; at least one "
            "[[protection]] has to be enabled",
        ),
        # unknown components
        (
            'use = "typed"',
            'use = "typd"',
            'config.toml:15 [filters.typd] use: "typd" is an unknown filter; did you mean typed? '
            "(is its plugin listed in [plugins] load?)",
        ),
        (
            'use = "at-once"',
            'use = "zzz"',
            'config.toml:25 [execution] use: "zzz" is an unknown execution; there are: at-once '
            "(is its plugin listed in [plugins] load?)",
        ),
        # shapes
        ("[[filters]]", "[filters]", "config.toml:14 [filters]: expected [[filters]], got a table"),
        ("[sizing]", "[[sizing]]", "config.toml:17 [sizing]: expected [sizing], got an array of tables"),
        ("[exchanges.main]", "[[exchanges]]", "config.toml:7 [exchanges]: expected [exchanges.NAME], got an array"),
        ("[exchanges.main]", "[exchanges]\nspare = 5\n[exchanges.main]", "config.toml:8 [exchanges.spare]: expected "),
        ("[plugins]", "[[plugins]]", "config.toml:4 [plugins]: expected a table, got an array"),
        # the kernel's own
        (
            "[exchanges.main]",
            "[exchanges.Main]",
            "config.toml:7 [exchanges.Main]: an account's name has up to 32 lower-case letters",
        ),
        ("wave = 4", "wave = -1", "config.toml:9 [exchanges.main] max_positions_per_wave: must not be "),
        ("wave = 4", "wave = 1.9", "config.toml:9 [exchanges.main] max_positions_per_wave: expected a "),
        ('["sample"]', '["sample", "sample"]', "config.toml:5 [plugins] load.1: 'sample' is listed twice; once is"),
        ('state = "var"', 'state = ""', "config.toml:2 [framework] state: must name a directory"),
        ('state = "var"', "stop_tries = 0", "config.toml:2 [framework] stop_tries: must be greater than 0, got 0"),
        (
            'state = "var"',
            'signal_may_set = ["stop", "trailling"]',
            'config.toml:2 [framework] signal_may_set.1: expected one of "stop", "trailing", "max_positions", '
            '"min_scores", got "trailling"; did you mean "trailing"?',
        ),
        ('use = "rule"', 'use = "rule"\nenabled = "no"', "config.toml:23 [risk.rule] enabled: expected true or false"),
        ('use = "rule"', "use = 5", "config.toml:22 [risk.0] use: expected text, got 5; put it in quotes"),
        # what a component says itself
        (
            'use = "typed"',
            'use = "crashing"',
            "config.toml:14 [filters.crashing]: KeyError: surprise",
        ),
    ],
)  # fmt: skip
def test_each_mistake_is_one_line(desk: Desk, old: str, new: str, expected: str) -> None:
    assert old in SAMPLE

    assert desk.problem(SAMPLE.replace(old, new, 1)).startswith(expected)


def test_a_value_in_place_of_a_section_is_told(desk: Desk) -> None:
    text = "filters = 5\n" + SAMPLE.replace('[[filters]]\nuse = "typed"', "")

    assert desk.problem(text) == "config.toml:1 filters: expected [[filters]], got 5"


def test_a_component_that_is_used_twice_is_told_apart_by_its_position(desk: Desk) -> None:
    text = desk.filter_with('[[filters]]\nuse = "typed"\ncount = 0')

    assert desk.problem(text) == "config.toml:18 [filters.1] count: must be greater than 0, got 0"


def test_a_disabled_component_is_validated_all_the_same(desk: Desk) -> None:
    text = desk.filter_with("enabled = false\ncount = 0")

    assert desk.problem(text) == "config.toml:17 [filters.typed] count: must be greater than 0, got 0"


def test_an_inline_table_and_a_dotted_key_have_their_own_lines(desk: Desk) -> None:
    text = desk.filter_with('minimum.week = "x"\nband = { low = 1, high = true }')

    assert desk.problems(text) == [
        'config.toml:16 [filters.typed] minimum.week: expected a number, got "x"',
        "config.toml:17 [filters.typed] band.high: expected a number, got true",
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(desk: Desk) -> None:
    text = (
        SAMPLE.replace('state = "var"', "stop_tries = 0")
        .replace('load = ["sample"]', 'load = ["sample", "absent"]')
        .replace("wave = 4", "wave = true")
        .replace(
            'use = "typed"', 'use = "typed"\ncount = 0\namount = -1\nband = { low = 0, high = 0, mid = 1 }\ntypo = 1'
        )
        .replace('position_usd = "6"', 'position_usd = "six"')
        .replace("[[observers]]", "[[obsevers]]")
    )

    places = [line.split(": ")[0] for line in desk.problems(text)]

    assert places == [
        "config.toml:2 [framework] stop_tries",
        "config.toml:5 [plugins] load.1",
        "config.toml:9 [exchanges.main] max_positions_per_wave",
        "config.toml:16 [filters.typed] count",
        "config.toml:17 [filters.typed] amount",
        "config.toml:18 [filters.typed] band.low",
        "config.toml:18 [filters.typed] band.high",
        "config.toml:18 [filters.typed] band.mid",
        "config.toml:19 [filters.typed] typo",
        "config.toml:23 [sizing] position_usd",
        "config.toml:34 [obsevers]",
    ]


def test_while_a_plugin_is_missing_its_components_are_no_mistakes_of_their_own(desk: Desk) -> None:
    text = SAMPLE.replace('["sample"]', '["absent"]').replace('"var"', "5")

    assert [line.split(": ")[0] for line in desk.problems(text)] == [
        "config.toml:2 [framework] state",
        "config.toml:5 [plugins] load.0",
    ]


def test_no_line_is_broken_in_two(desk: Desk) -> None:
    line = desk.problem(desk.filter_with('count = "a\\nb\\u001b"'))

    assert line == 'config.toml:16 [filters.typed] count: expected a whole number, got "a\\nb\\x1b"'


def test_every_problem_tells_its_line_number_to_programs_too(desk: Desk) -> None:
    with pytest.raises(ConfigError) as raised:
        desk.load(desk.filter_with("count = 0"))

    assert [problem.line for problem in raised.value.problems] == [16]
    assert raised.value.exit_status == 2
