"""``framework positions``: what the journal knows of positions."""

from __future__ import annotations

from pathlib import Path

from framework.journal import journal_path
from tests.cli.shell import Shell
from tests.journal.history import SESSION, write

KEYS = {
    "account", "symbol", "side", "status", "quantity", "entry_price", "initial_stop_price", "stop_price", "exit_price",
    "exit_reason", "realized_pnl", "signal_id",
}  # fmt: skip


def test_the_open_positions_are_shown_unless_all_are_asked_for(shell: Shell) -> None:
    assert [row["signal_id"] for row in shell.json("positions")] == ["2"]
    assert [row["signal_id"] for row in shell.json("positions", "--all")] == ["6", "2", "1"]


def test_a_position_has_its_stable_keys_with_decimals_as_text(shell: Shell) -> None:
    trailed = next(row for row in shell.json("positions", "--all") if row["signal_id"] == "1")

    assert set(trailed) >= KEYS
    assert {key: trailed[key] for key in KEYS} == {
        "account": "binance",
        "symbol": "HFTUSDT",
        "side": "long",
        "status": "closed",
        "quantity": "134",
        "entry_price": "0.04458",
        "initial_stop_price": "0.04191",
        "stop_price": "0.04500",
        "exit_price": "0.04499",
        "exit_reason": "trailing-stop",
        "realized_pnl": "0.05",
        "signal_id": "1",
    }


def test_the_table_has_a_line_for_each_position_with_nothing_cut_off(shell: Shell) -> None:
    lines = shell.lines("positions", "--all")

    assert lines[0].split()[:5] == ["account", "symbol", "side", "status", "quantity"]
    assert [line.split() for line in lines[2:]] == [
        [
            "binance",
            "HFTUSDT",
            "long",
            "closed",
            "134",
            "0.04458",
            "0.04191",
            "0.04500",
            "0.04499",
            "trailing-stop",
            "+0.0500",
            "1",
        ],
        ["bybit", "CROUSDT", "long", "failed", "134", "-", "-", "-", "-", "-", "-", "6"],
        ["bybit", "DOGUSDT", "long", "open", "134", "0.04458", "-", "-", "-", "-", "-", "2"],
    ]


def test_without_positions_there_is_a_line_that_says_so(tmp_path: Path) -> None:
    write(journal_path(tmp_path), SESSION)
    shell = Shell(tmp_path)

    assert shell.json("positions") == []
    assert shell.lines("positions") == ["no open positions (--all shows the closed ones)"]
    assert shell.lines("positions", "--all") == ["no positions"]
