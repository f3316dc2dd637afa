"""``framework events``: what a person should be able to find again."""

from __future__ import annotations

from tests.cli.shell import Shell

KEYS = {"time", "level", "code", "message", "account", "symbol", "position_id", "signal_id", "numbers"}


def test_all_events_are_shown_oldest_first_with_their_stable_keys(shell: Shell) -> None:
    rows = shell.json("events")

    assert [row["code"] for row in rows] == ["slow", "naked", "stream_lost"]
    assert all(set(row) >= KEYS for row in rows)
    assert rows[0]["time"] == "2025-10-31T22:31:10.000000Z"


def test_a_level_shows_what_is_at_least_that_grave(shell: Shell) -> None:
    assert [row["code"] for row in shell.json("events", "--level", "error")] == ["naked", "stream_lost"]


def test_a_limit_keeps_the_newest(shell: Shell) -> None:
    assert [row["code"] for row in shell.json("events", "--limit", "1")] == ["stream_lost"]


def test_the_table_has_a_line_for_each_event(shell: Shell) -> None:
    lines = shell.lines("events", "--level", "error")

    assert [line.split() for line in lines[2:]] == [
        ["2025-10-31", "22:31:11.000Z", "error", "naked", "bybit", "DOGUSDT", "no", "stop"],
        ["2025-10-31", "22:31:12.000Z", "error", "stream_lost", "bybit", "-", "lost"],
    ]
