"""The documented wave, rehearsed: the exchange plugins of both venues do on emulated venues what paper did.

Real plugins, ccxt and sockets; only the addresses and keys are not the venues' own.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.product.conftest import COMMAND, ROOT, Played, Product

CONFIG = ROOT / "examples/rehearsal/config.toml"
EXPECTED = json.loads((ROOT / "tests/data/wave-2025-10-31/expected.json").read_text())
OPENED = {str(row["signal_id"]): row for row in EXPECTED["signals"] if row["outcome"] == "opened"}
REAL = "a-real-key-that-must-not-leave-this-process"


class Rehearsed(Played):
    """The example after it was rehearsed once, with keys in the environment that nobody may read."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "rehearsal", CONFIG)
        self.ledger_path = directory / "ledger.jsonl"
        names = ("BINANCE_KEY", "BINANCE_SECRET", "BYBIT_KEY", "BYBIT_SECRET")
        words = ["rehearse", "--config", str(CONFIG), "--state", str(directory)]
        self.done = subprocess.run(
            [str(COMMAND), *words, "--set", f"rehearsal.ledger={self.ledger_path}"],
            cwd=ROOT, env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **dict.fromkeys(names, REAL)},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert self.done.returncode == 0, self.done.stderr

    @cached_property
    def ledger(self) -> list[dict[str, Any]]:
        """What the venues wrote down."""
        return [json.loads(line) for line in self.ledger_path.read_text().splitlines()]

    def requests(self, venue: str, path: str) -> list[dict[str, Any]]:
        """The requests of one kind, in order."""
        return [
            line for line in self.ledger if line["kind"] == "request" and (line["venue"], line["path"]) == (venue, path)
        ]


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    """The example after it was rehearsed once."""
    return Rehearsed(tmp_path_factory.mktemp("rehearsed"))


def test_it_says_first_that_it_is_a_rehearsal_and_where_everything_is(rehearsed: Rehearsed) -> None:
    lines = rehearsed.done.stdout.splitlines()

    assert lines[0] == "this is a rehearsal on the stage emulator: no real venue is reached, and no real key is used"
    assert lines[1].startswith("the emulator listens at http://127.0.0.1:")
    assert lines[2] == f"the venues' ledger is written to {rehearsed.ledger_path}"
    assert lines[3] == f"ask about it with: framework explain SIGNAL_ID --state {rehearsed.state}"
    assert str(rehearsed.state / "journal.sqlite") in lines[4]


def test_it_reports_the_wave_as_a_run_does(rehearsed: Rehearsed) -> None:
    assert (
        "57 received, 57 adapted, 9 attempted, 8 opened, 8 protected, 1 refused by sizing, 5 by filters, 43 not needed"
    ) in rehearsed.done.stdout
    assert rehearsed.done.stdout.splitlines()[-1] == "session ended: recording ended"


@pytest.mark.parametrize("signal_id", sorted(OPENED))
def test_each_position_has_the_documented_entry_quantity_and_stop(rehearsed: Rehearsed, signal_id: str) -> None:
    expected, position = OPENED[signal_id], rehearsed.positions[signal_id]

    found = tuple(position[key] for key in ("account", "symbol", "side", "entry_price", "quantity"))
    assert found == tuple(expected[key] for key in ("venue", "symbol", "side", "entry_price", "quantity"))
    assert position["initial_stop_price"] == expected["stop_price"]


def test_nothing_else_is_opened(rehearsed: Rehearsed) -> None:
    assert set(rehearsed.positions) == set(OPENED)


def test_every_signal_ends_as_it_does_on_paper(rehearsed: Rehearsed, wave: Played) -> None:
    keys = ("account", "symbol", "outcome", "stage", "code", "message")

    def ends(played: Played) -> dict[str, tuple[Any, ...]]:
        return {key: tuple(row[each] for each in keys) for key, row in played.signals.items()}

    assert ends(rehearsed) == ends(wave)


def test_every_position_ends_as_it_does_on_paper(rehearsed: Rehearsed, wave: Played) -> None:
    def ends(played: Played) -> dict[str, tuple[str, str, Decimal, Decimal]]:
        return {
            key: (row["status"], row["exit_reason"], Decimal(row["exit_price"]), Decimal(row["realized_pnl"]))
            for key, row in played.positions.items()
        }

    assert ends(rehearsed) == ends(wave)


def test_the_stops_move_as_they_do_on_paper(rehearsed: Rehearsed, wave: Played) -> None:
    def moves(played: Played) -> dict[str, list[str]]:
        return {key: [move["to_price"] for move in chain["stop_moves"]] for key, chain in played.explanations.items()}

    assert moves(rehearsed) == moves(wave)


def test_bybits_stops_travel_inside_the_entry_requests(rehearsed: Rehearsed) -> None:
    entries = rehearsed.requests("bybit", "/v5/order/create")
    stops = {line["params"]["symbol"]: line["params"].get("stopLoss") for line in entries}

    assert stops == {row["symbol"]: row["stop_price"] for row in OPENED.values() if row["venue"] == "bybit"}


def test_binances_stops_are_algo_orders_for_the_filled_quantity(rehearsed: Rehearsed) -> None:
    first: dict[str, tuple[Decimal, Decimal]] = {}
    for line in rehearsed.requests("binance", "/fapi/v1/algoOrder"):
        asked = line["params"]
        if line["method"] == "POST":
            first.setdefault(asked["symbol"], (Decimal(asked["triggerPrice"]), Decimal(asked["quantity"])))

    on_binance = [row for row in OPENED.values() if row["venue"] == "binance"]
    assert first == {row["symbol"]: (Decimal(row["stop_price"]), Decimal(row["quantity"])) for row in on_binance}


def test_nothing_of_the_real_keys_is_sent_told_or_written_down(rehearsed: Rehearsed) -> None:
    told = rehearsed.done.stdout + rehearsed.done.stderr + rehearsed.ledger_path.read_text()

    assert REAL not in told
    assert REAL.encode() not in (rehearsed.state / "journal.sqlite").read_bytes()
    assert len({line["account"] for line in rehearsed.ledger if line["kind"] == "fill"}) == 2


def test_the_journal_has_no_error_and_no_lost_stream(rehearsed: Rehearsed) -> None:
    codes = Counter(event["code"] for event in rehearsed.json("events") if event["level"] != "info")

    assert codes == {}


def test_it_may_be_rehearsed_again_with_a_journal_of_its_own_each_time(tmp_path: Path) -> None:
    product = Product(tmp_path, CONFIG)
    ledger = f"rehearsal.ledger={tmp_path / 'ledger.jsonl'}"

    ends = [product("rehearse", "--for", "1", "--set", ledger) for _ in range(2)]

    assert [end.returncode for end in ends] == [0, 0]
    assert len(list((tmp_path / "rehearsal" / "sessions").glob("*.sqlite"))) == 1
