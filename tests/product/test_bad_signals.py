"""A signal that cannot be used is recorded as refused, with a code; the others of its wave go on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.product.conftest import ROOT, Product

Change = Callable[[dict[str, Any]], object]

BAD: dict[str, tuple[Change, str]] = {
    "lacks a field": (lambda s: s.pop("recommended_action"), "missing_field"),
    "has NaN for a score": (lambda s: s.update(score_week=float("nan")), "not_a_number"),
    "has a negative stop": (lambda s: s.update(stop_loss_filter=-6.0), "out_of_range"),
    "has an absurd stop": (lambda s: s.update(stop_loss_filter=5000.0), "out_of_range"),
    "has a text where a number is due": (lambda s: s.update(score_week="high"), "wrong_type"),
    "names an unknown venue": (lambda s: s.update(exchange_id=9), "unknown_venue"),
    "wants something unheard of": (lambda s: s.update(recommended_action="HODL"), "unknown_action"),
}

BTC = 14
"""The place of the BTCUSDT signal in the message: nobody needs it, so the outcome of the wave stays as documented."""


def play(product: Product, tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    session = tmp_path / "session"
    shutil.copytree(ROOT / "examples/wave-2025-10-31", session)
    message = json.loads((session / "signals.json").read_text(encoding="utf-8"))
    edit(message)
    (session / "signals.json").write_text(json.dumps(message), encoding="utf-8")
    done = product.run([f"signals.recording.path={session}"])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", BAD)
def test_a_signal_is_refused_when_it(name: str, fresh: Product, tmp_path: Path) -> None:
    change, code = BAD[name]
    play(fresh, tmp_path, lambda message: change(message["data"][BTC]))
    (refused,) = [row for row in fresh.json("signals") if row["outcome"] == "refused"]
    assert refused["code"] == code
    assert refused["signal_id"] == "510415"
    assert refused["message"]
    (wave,) = fresh.json("report")["waves"]
    assert (wave["received"], wave["adapted"], wave["refused"]) == (57, 56, 1)
    assert (wave["opened"], wave["not_attempted"]) == (8, 42)


def test_a_signal_whose_bar_is_unknown_is_refused_outside_of_any_wave(fresh: Product, tmp_path: Path) -> None:
    play(fresh, tmp_path, lambda message: message["data"][BTC].update(timestamp="2025-10-31T22:30:00"))
    (refused,) = [row for row in fresh.json("signals") if row["outcome"] == "refused"]
    assert (refused["signal_id"], refused["code"], refused["wave_id"]) == ("510415", "bad_time", None)
    report = fresh.json("report")
    assert report["refused_without_wave"] == 1
    assert report["waves"][0]["received"] == 56
    assert report["waves"][0]["opened"] == 8


def test_a_message_that_is_no_json_is_refused_as_a_whole(fresh: Product, tmp_path: Path) -> None:
    session = tmp_path / "session"
    shutil.copytree(ROOT / "examples/wave-2025-10-31", session)
    (session / "signals.json").write_text("signals: none today", encoding="utf-8")
    done = fresh.run([f"signals.recording.path={session}"])
    assert done.returncode == 0, done.stderr
    (refused,) = fresh.json("signals")
    assert (refused["outcome"], refused["code"]) == ("refused", "no_json")
    assert fresh.json("positions", "--all") == []


def test_the_same_signal_twice_is_taken_once(fresh: Product, tmp_path: Path) -> None:
    play(fresh, tmp_path, lambda message: message["data"].append(message["data"][0]))
    rows = [row for row in fresh.json("signals") if row["signal_id"] == "510401"]
    assert sorted(row["outcome"] for row in rows) == ["opened", "refused"]
    assert next(row["code"] for row in rows if row["outcome"] == "refused") == "duplicate"
    assert len(fresh.json("positions", "--all")) == 8


def test_a_signal_for_an_account_that_is_switched_off_is_refused(fresh: Product) -> None:
    assert fresh.run(["exchanges.bybit.enabled=false"]).returncode == 0
    rows = fresh.json("signals")
    refused = [row for row in rows if row["outcome"] == "refused"]
    assert {row["code"] for row in refused} == {"unknown_account"}
    assert {row["account"] for row in refused} == {"bybit"}
    assert len(refused) == 9
    assert len(fresh.json("positions", "--all")) == 4
