"""`framework check` against both venues, as a user calls it: an emulator of its own process, and the real plugins."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import tomlkit

from tests.product.conftest import COMMAND, ROOT

REHEARSAL = ROOT / "examples/rehearsal/config.toml"
KEYS = {"KEY": "demo-key", "SECRET": "demo-secret"}


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, Any]]:
    """The emulator's addresses, while it runs."""
    words = [str(COMMAND), "emulate", "--for", "120", "--config", str(REHEARSAL)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture
def config(tmp_path: Path, urls: dict[str, Any]) -> Path:
    """The rehearsal's deployment with its accounts at the emulator, as a testnet would be configured."""
    document = tomlkit.parse(REHEARSAL.read_text(encoding="utf-8"))
    for venue in ("binance", "bybit"):
        account: Any = document["exchanges"][venue]
        account["base_url"], account["stream_url"] = urls[venue]["rest"], urls[venue]["ws"]
        account["symbols"] = ["BTCUSDT", "ETHUSDT"]
        account["api_key"], account["api_secret"] = {"env": "KEY"}, {"env": "SECRET"}
    del document["rehearsal"]
    signals: Any = document["signals"]
    signals[0]["path"] = str(ROOT / "examples/wave-2025-10-31")
    file = tmp_path / "config.toml"
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    return file


def check(config: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(COMMAND), "check", "--config", str(config), *options], cwd=ROOT,
        env={**os.environ, **KEYS, **environment}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_everything_is_looked_at_and_nothing_is_set(config: Path, urls: dict[str, Any]) -> None:
    done = check(config, "--json")

    lines = {row["subject"]: row["ok"] for row in json.loads(done.stdout)}
    assert (done.returncode, [subject for subject, ok in lines.items() if not ok]) == (0, [])
    for what in ("clock", "key", "position mode", "settings", "balance", "rules", "user stream"):
        assert f"binance {what}" in lines
    for what in ("clock", "key", "margin mode", "position mode", "leverage", "balance", "rules", "private stream"):
        assert f"bybit {what}" in lines
    asked = requests(urls)
    assert not [one for one in asked if one["method"] == "POST" and "listenKey" not in one["path"]]


def test_the_stop_path_is_exercised_on_both_and_leaves_nothing_behind(config: Path, urls: dict[str, Any]) -> None:
    done = check(config, "--exercise-stops")

    assert done.returncode == 0, done.stdout
    for step in ("binance place", "binance read", "binance move", "binance cancel", "bybit place", "bybit move"):
        assert step in done.stdout
    resting: dict[str, str] = {}
    for line in ledger(urls):
        if line["kind"] == "stop":
            resting[line["id"]] = line["status"]
    assert resting
    assert set(resting.values()) == {"cancelled"}


def test_a_wrong_key_is_one_line_per_venue_that_says_what_to_do(config: Path) -> None:
    done = check(config, KEY="wrong")

    assert done.returncode == 1
    problems = [line for line in done.stdout.splitlines() if line.startswith("problem")]
    assert len(problems) == 2
    for venue, line in zip(("binance", "bybit"), problems, strict=True):
        assert line.startswith(f"problem  {venue}: ")
        assert "key" in line
    assert done.stderr == ""


def ledger(urls: dict[str, Any]) -> list[dict[str, Any]]:
    with urlopen(f"{urls['control']}/ledger", timeout=10) as answer:  # noqa: S310 - loopback
        return [json.loads(line) for line in answer.read().splitlines()]


def requests(urls: dict[str, Any]) -> list[dict[str, Any]]:
    return [line for line in ledger(urls) if line["kind"] == "request"]
