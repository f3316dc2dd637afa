"""A recording is read as a whole first, and everything that is damaged in it is named at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from framework import ConfigError
from framework_signals.recording import RecordingSource

Write = Callable[..., Path]

HEADER = {"t": "2025-10-31T22:00:00Z", "kind": "recording", "version": 1, "title": "A test"}
END = {"t": "2025-11-02T00:00:00Z", "kind": "end"}
MARKET = {"account": "binance", "symbol": "HFTUSDT"}
T = "2025-10-31T22:48:00Z"
QUOTE = {"t": T, "kind": "quote", **MARKET, "bid": "0.1", "ask": "0.2", "last": "0.1"}
PRICES = {"open": "2", "high": "3", "low": "1", "close": "2.5"}
CANDLE = {
    "t": T, "kind": "candle", **MARKET, "interval": "1m", "open_time": "2025-10-31T22:47:00Z", **PRICES,
    "quote_volume": "10",
}  # fmt: skip
BAR = {"t": T, "kind": "bar", **MARKET, "interval": "1d", **PRICES}
OPEN_INTEREST = {"t": T, "kind": "open_interest", **MARKET, "usd": "5"}
MESSAGE = {"t": T, "kind": "message", "text": "hello"}

NO_DECIMAL = 'must be a decimal of 0 or more in quotes, such as "0.1", got'
NO_TIME = "must be a time with its zone, such as 2025-10-31T22:30:00+00:00, got"
KNOWN_KINDS = "known: quote, candle, open_interest, bar, message, end"
OUTSIDE = "file must lie in the recording's directory, got"
GONE = 'file "gone.json" can\'t be read (No such file or directory)'
NOT_CLOSED = "the candle of 1m from 2025-10-31T22:47:01Z has not closed at t"


def problems_of(directory: Path) -> list[str]:
    """The problems, each as ``line: message``, after checking that each names its file."""
    with pytest.raises(ConfigError) as caught:
        RecordingSource(directory).timeline()
    file = directory / "timeline.jsonl"
    assert all(problem.where == f"{file}:{problem.line}" for problem in caught.value.problems)
    assert all("\n" not in problem.message for problem in caught.value.problems)
    return [f"{problem.line}: {problem.message}" for problem in caught.value.problems]


def without(line: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key != name}


def test_a_whole_recording_has_no_problems(write_recording: Write) -> None:
    directory = write_recording(HEADER, QUOTE, CANDLE, BAR, OPEN_INTEREST, MESSAGE, END)

    assert RecordingSource(directory).timeline().start_ns == 1_761_948_000_000_000_000


def test_empty_lines_are_passed_over(write_recording: Write) -> None:
    directory = write_recording(HEADER, "", "  ", {**QUOTE, "bid": "x"}, END, "")

    assert [problem.split(":")[0] for problem in problems_of(directory)] == ["4"]


def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        RecordingSource(tmp_path / "nowhere").timeline()

    assert str(caught.value) == f"{tmp_path}/nowhere: there is no such directory; set path to that of a recording"


def test_a_directory_without_a_timeline_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        RecordingSource(tmp_path).timeline()

    assert str(caught.value) == (
        f"{tmp_path}/timeline.jsonl: can't be read (No such file or directory); "
        "a recording is a directory with a timeline.jsonl"
    )


def test_all_damage_is_named_at_once_each_with_its_line(write_recording: Write) -> None:
    directory = write_recording(
        {**HEADER, "version": 2},
        {**QUOTE, "bid": "0.3"},
        {**QUOTE, "ask": 0.2, "last": "-1", "colour": "red"},
        {**QUOTE, "kind": "trade"},
        OPEN_INTEREST,
        {**QUOTE, "t": "2025-10-31T22:47:59Z"},
        {**BAR, "t": END["t"]},
    )

    assert problems_of(directory) == [
        "1: unknown version 2; this plugin reads version 1",
        "2: bid 0.3 is above ask 0.2",
        '3: unknown key "colour"; known: account, ask, ask_quantity, bid, bid_quantity, kind, last, mark, symbol, t',
        '3: ask must be a decimal of 0 or more in quotes, such as "0.1", got 0.2',
        '3: last must be a decimal of 0 or more in quotes, such as "0.1", got "-1"',
        '4: unknown kind "trade"; known: quote, candle, open_interest, bar, message, end',
        '6: t "2025-10-31T22:47:59Z" is before the line above; lines stand in order of time',
        '7: the recording breaks off here: its last line must have kind "end"',
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (without(QUOTE, "t"), "t is missing"),
        ({**QUOTE, "t": "22:48"}, f't {NO_TIME} "22:48"'),
        ({**QUOTE, "t": 7}, "t must be a text, got 7"),
        (without(QUOTE, "kind"), "kind is missing"),
        ({**QUOTE, "kind": ["quote"]}, f'unknown kind ["quote"]; {KNOWN_KINDS}'),
        (without(QUOTE, "last"), "last is missing"),
        ({**QUOTE, "bid": "0"}, 'bid must be greater than 0, got "0"'),
        ({**QUOTE, "mark": "0.0"}, 'mark must be greater than 0, got "0.0"'),
        ({**QUOTE, "bid_quantity": "1e3"}, f'bid_quantity {NO_DECIMAL} "1e3"'),
        ({**QUOTE, "symbol": "hft"}, 'symbol must be 2 to 30 capitals and digits, got "hft"'),
        (without(QUOTE, "symbol"), "symbol is missing"),
        ({**QUOTE, "account": ""}, 'account must be a name of letters, digits, _ or -, got ""'),
        ({**QUOTE, "account": 1}, "account must be a text, got 1"),
        ({**CANDLE, "interval": "7m"}, 'unknown interval "7m"; known: 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 12h, 1d'),
        ({**CANDLE, "open_time": "2025-10-31T22:47:01Z"}, NOT_CLOSED),
        ({**CANDLE, "open_time": "soon"}, f'open_time {NO_TIME} "soon"'),
        (without(CANDLE, "quote_volume"), "quote_volume is missing"),
        ({**CANDLE, "high": "2.4"}, "high and low must enclose open and close, got 2, 2.4, 1, 2.5"),
        ({**BAR, "low": "2.1"}, "high and low must enclose open and close, got 2, 3, 2.1, 2.5"),
        ({**BAR, "quote_volume": "-1"}, f'quote_volume {NO_DECIMAL} "-1"'),
        ({**OPEN_INTEREST, "usd": None}, f'usd {NO_DECIMAL} null'),
        (without(MESSAGE, "text"), "a message has either text or file"),
        ({**MESSAGE, "file": "x"}, "a message has either text or file"),
        ({**MESSAGE, "text": {}}, "text must be a text, got {}"),
        ({"t": T, "kind": "message", "file": "gone.json"}, GONE),
        ({"t": T, "kind": "message", "file": "../x"}, f'{OUTSIDE} "../x"'),
        ({"t": T, "kind": "message", "file": "/etc/hosts"}, f'{OUTSIDE} "/etc/hosts"'),
        ("[1]", "a line must be one JSON object that names no key twice"),
        ('{"t": "x", "t": "y"}', "a line must be one JSON object that names no key twice"),
    ],
)  # fmt: skip
def test_a_damaged_line_says_what_is_wrong_with_it(write_recording: Write, line: object, problem: str) -> None:
    assert problems_of(write_recording(HEADER, line, END)) == [f"2: {problem}"]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (QUOTE, "1: the first line must have kind \"recording\", got \"quote\""),
        ({**HEADER, "version": True}, "1: unknown version true; this plugin reads version 1"),
        (without(HEADER, "version"), "1: version is missing"),
        ({**HEADER, "speed": 1}, '1: unknown key "speed"; known: kind, t, title, version'),
        ("not json", '1: the first line must be JSON of kind "recording", got "not json"'),
    ],
)  # fmt: skip
def test_a_recording_must_begin_with_its_header(write_recording: Write, header: object, problem: str) -> None:
    assert problem in problems_of(write_recording(header, END))


@pytest.mark.parametrize("extra", [QUOTE | {"t": END["t"]}, END, "not json"])
def test_nothing_may_follow_the_end(write_recording: Write, extra: object) -> None:
    assert problems_of(write_recording(HEADER, END, extra)) == ["3: nothing may follow the end"]


def test_an_empty_file_is_no_recording(write_recording: Write) -> None:
    assert problems_of(write_recording()) == ['1: the file is empty; the first line must have kind "recording"']


def test_a_bad_signal_is_no_damage(write_recording: Write) -> None:
    directory = write_recording(HEADER, {**MESSAGE, "text": "{"}, "no json at all", END)

    assert RecordingSource(directory).timeline().speed is None


def test_the_recording_that_the_readme_shows_is_whole(write_recording: Write) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    shown = readme.split("```json\n")[1].split("```")[0]

    directory = write_recording(*shown.splitlines(), signals="{}")

    assert RecordingSource(directory).timeline().start_ns == 1_761_950_880_000_000_000
