"""The documented wave of 2025-10-31, row for row, and its exits against an independent calculation."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from tests.product.conftest import ROOT, Played, Product
from tests.wave.independent import wave_outcomes

EXPECTED = json.loads((ROOT / "tests/data/wave-2025-10-31/expected.json").read_text())
ROWS = {str(row["signal_id"]): row for row in EXPECTED["signals"]}
OPENED = {key: row for key, row in ROWS.items() if row["outcome"] == "opened"}


def test_the_run_says_what_became_of_the_wave_in_one_line(fresh: Product) -> None:
    done = fresh.run()
    assert done.returncode == 0, done.stderr
    line = (
        "57 received, 57 adapted, 9 attempted, 8 opened, 8 protected, 1 refused by sizing, 5 by filters, 43 not needed"
    )
    assert line in done.stdout


def test_the_run_shows_the_four_numbers_of_the_refused_signal(fresh: Product) -> None:
    output = fresh.run().stdout
    refusal = next(line for line in output.splitlines() if "AVAXUSDT" in line and "minimum" in line)
    for number in ("0.329", "1", "18.19", "6.60"):
        assert number in refusal.replace(",", " ").split() or number in refusal


def test_the_report_counts_every_stage(wave: Played) -> None:
    (report,) = wave.json("report")["waves"]
    totals = EXPECTED["totals"]
    assert report["received"] == totals["received"]
    assert report["adapted"] == totals["adapted"]
    assert report["opened"] == report["protected"] == totals["opened"]
    assert report["attempted"] == totals["opened"] + totals["rejected_by_sizing"]
    assert report["rejected"]["filter"] == totals["rejected_by_filter"]
    assert report["rejected"]["sizing"] == totals["rejected_by_sizing"]
    assert report["rejected"]["risk"] == 0
    assert report["not_attempted"] == totals["not_attempted"]


@pytest.mark.parametrize("signal_id", sorted(ROWS))
def test_each_of_the_57_signals_ends_as_documented(wave: Played, signal_id: str) -> None:
    expected, signal = ROWS[signal_id], wave.signals[signal_id]
    assert (signal["account"], signal["symbol"]) == (expected["venue"], expected["symbol"])
    if "side" in expected:
        assert signal["side"] == expected["side"]
    assert signal["outcome"] == expected["outcome"].replace(" ", "_")
    if expected["outcome"] == "rejected":
        assert signal["stage"] == expected["stage"]
        assert signal["code"] == expected["reason"].replace(" ", "_")
    if expected["outcome"] == "not attempted":
        assert signal["message"] == expected["reason"]


@pytest.mark.parametrize("signal_id", sorted(OPENED))
def test_each_position_has_the_documented_entry_quantity_and_stop_to_the_last_digit(
    wave: Played, signal_id: str
) -> None:
    expected, position = OPENED[signal_id], wave.positions[signal_id]
    assert position["account"] == expected["venue"]
    assert position["symbol"] == expected["symbol"]
    assert position["side"] == expected["side"]
    assert position["entry_price"] == expected["entry_price"]
    assert position["quantity"] == expected["quantity"]
    assert position["initial_stop_price"] == expected["stop_price"]


def test_nothing_else_was_opened(wave: Played) -> None:
    assert set(wave.positions) == set(OPENED)


@pytest.mark.parametrize("signal_id", sorted(OPENED))
def test_each_stop_is_of_the_documented_kind(wave: Played, signal_id: str) -> None:
    orders = wave.explanations[signal_id]["orders"]
    kinds = {order["request"]["kind"] for order in orders if order["action"] == "stop"}
    attached = any("stop_price" in order["request"] for order in orders if order["action"] == "entry")
    expected = OPENED[signal_id]["stop_kind"]
    assert kinds == (set() if attached else {"stop-market order"})
    assert attached == (expected == "attached to the position")


@pytest.mark.parametrize("signal_id", sorted(OPENED))
def test_each_exit_agrees_with_the_independent_calculation(wave: Played, signal_id: str) -> None:
    position = wave.positions[signal_id]
    outcome = wave_outcomes()[position["account"], position["symbol"]]
    if outcome.exit is None:
        assert position["status"] == "open"
        assert position["exit_price"] is None
    else:
        assert position["status"] == "closed"
        assert position["exit_reason"] == outcome.exit.reason
        assert Decimal(position["exit_price"]) == outcome.exit.price
        assert position["closed"].startswith(outcome.exit.date)


def test_the_profit_of_each_position_is_its_price_difference_less_the_stated_fees(wave: Played) -> None:
    fee = {"binance": Decimal("0.0005"), "bybit": Decimal("0.00055")}
    for position in wave.positions.values():
        quantity, entry, exit_ = (Decimal(position[k]) for k in ("quantity", "entry_price", "exit_price"))
        gross = (exit_ - entry) * quantity * (1 if position["side"] == "long" else -1)
        assert Decimal(position["realized_pnl"]) == gross - (entry + exit_) * quantity * fee[position["account"]]


def test_explain_shows_the_arithmetic_of_the_refusal(wave: Played) -> None:
    done = wave("explain", "510403")
    assert done.returncode == 0, done.stderr
    for fragment in ("AVAXUSDT", "sizing", "0.329", "18.19", "6.60", "18.190"):
        assert fragment in done.stdout
    numbers = next(d for d in wave.json("explain", "510403")["decisions"] if d["outcome"] == "rejected")["numbers"]
    expected = ROWS["510403"]
    assert numbers["quantity"] == expected["quantity"]
    assert numbers["minimum"] == expected["minimum"]
    assert numbers["required_usd"] == expected["required_usd"]
    assert numbers["budget_usd"] == expected["budget_usd"]


def test_the_wide_spread_of_cloudusdt_is_a_notice_not_a_refusal(wave: Played) -> None:
    checks = wave.json("explain", "510406")["checks"]
    spread = next(check for check in checks if check["component"] == "spread")
    assert spread["verdict"] == "notice"
    assert Decimal(spread["numbers"]["spread_percent"]).quantize(Decimal("0.01")) == Decimal("0.11")


def test_stop_moves_only_ever_tighten(wave: Played) -> None:
    for signal_id, position in wave.positions.items():
        sign = 1 if position["side"] == "long" else -1
        prices = [Decimal(move["to_price"]) for move in wave.explanations[signal_id]["stop_moves"]]
        assert prices == sorted(prices, key=lambda price: sign * price)


def test_running_it_again_works_and_decides_the_same(fresh: Product) -> None:
    first = fresh.run()
    before = (fresh.json("signals"), fresh.json("positions", "--all"))
    second = fresh.run()
    assert (first.returncode, second.returncode) == (0, 0)
    assert (fresh.json("signals"), fresh.json("positions", "--all")) == before
    assert len(list((fresh.state / "sessions").glob("*.sqlite"))) == 1


def test_a_larger_position_opens_the_refused_signal_and_changes_what_follows_from_it_alone(fresh: Product) -> None:
    assert fresh.run(["sizing.position_usd=20"]).returncode == 0
    (report,) = fresh.json("report")["waves"]
    assert report["opened"] == 8
    assert report["rejected"]["sizing"] == 0
    positions = {row["symbol"]: row for row in fresh.json("positions", "--all")}
    assert "AVAXUSDT" in positions, "20 USD reach the minimum of 18.19 USD"
    assert "ARUSDT" not in positions, "the fourth place on binance was taken before its turn came"
    assert positions["AVAXUSDT"]["quantity"] == "1"
    for row in OPENED.values():
        if row["symbol"] in positions:
            position = positions[row["symbol"]]
            assert position["entry_price"] == row["entry_price"]
            assert position["initial_stop_price"] == row["stop_price"]
            assert Decimal(position["quantity"]) > Decimal(row["quantity"])


def test_the_refused_signal_first_in_score_is_tried_first_and_refused_the_same(tmp_path: Path) -> None:
    session = tmp_path / "examples"
    copy_example(session)
    message = json.loads((session / "signals.json").read_text())
    for signal in message["data"]:
        if signal["id"] == 510403:
            signal["score_week"] = 99.9
    (session / "signals.json").write_text(json.dumps(message))
    product = Product(tmp_path / "state")
    assert product.run([f"signals.recording.path={session}"]).returncode == 0
    assert Counter(row["outcome"] for row in product.json("signals")) == {
        "opened": 8, "rejected": 6, "not_attempted": 43,
    }  # fmt: skip
    assert {row["signal_id"] for row in product.json("positions", "--all")} == set(OPENED)
    refused = next(row for row in product.json("signals") if row["signal_id"] == "510403")
    assert refused["code"] == "quantity_below_minimum"


def copy_example(target: Path) -> None:
    shutil.copytree(ROOT / "examples/wave-2025-10-31", target)
