"""``framework signals``: what arrived, and what became of it."""

from __future__ import annotations

from tests.cli.shell import Shell
from tests.journal.history import NEXT_WAVE

KEYS = {
    "signal_id", "wave_id", "source", "account", "symbol", "side", "bar_time", "created", "received", "score",
    "outcome", "stage", "component", "code", "message", "numbers", "position_id",
}  # fmt: skip


def test_all_that_arrived_is_shown_in_its_order_with_its_stable_keys(shell: Shell) -> None:
    rows = shell.json("signals")

    assert [row["signal_id"] for row in rows] == ["0", None, "1", "2", "3", "4", "5", "6", "1", "7"]
    assert all(set(row) >= KEYS for row in rows)


def test_a_wave_and_an_outcome_can_be_picked(shell: Shell) -> None:
    assert [row["signal_id"] for row in shell.json("signals", "--wave", NEXT_WAVE)] == ["7"]
    assert [row["signal_id"] for row in shell.json("signals", "--outcome", "rejected")] == ["3", "4", "6"]
    assert shell.json("signals", "--wave", "another") == []


def test_the_table_says_who_refused_a_signal_and_why(shell: Shell) -> None:
    lines = shell.lines("signals", "--outcome", "rejected")

    row = "4 2025-10-31T22:30Z binance AVAXUSDT long 71.5 rejected sizing fixed-usd too small"
    assert row.split() in [line.split() for line in lines]


def test_what_is_no_signal_is_shown_with_dashes_for_what_it_lacks(shell: Shell) -> None:
    lines = shell.lines("signals", "--outcome", "refused")

    assert ["-", "-", "-", "-", "-", "-", "refused", "-", "-", "not", "JSON"] in [line.split() for line in lines]


def test_no_such_signals_is_a_line(shell: Shell) -> None:
    assert shell.lines("signals", "--wave", NEXT_WAVE, "--outcome", "planned") == ["no such signals"]


def test_an_unknown_outcome_is_wrong_usage(shell: Shell) -> None:
    assert shell("signals", "--outcome", "lost").exit_code == 2
