"""``framework emulate`` as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from framework_simulator.emulator.waves import wave_server

ROOT = Path(__file__).parents[4]
COMMAND = [str(Path(sys.executable).with_name("framework")), "emulate"]


def _ended(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *options], cwd=ROOT, capture_output=True, text=True, timeout=30)  # noqa: S603


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_serves_and_ends_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    command = [*COMMAND, "--ledger", str(ledger), "--prices", "random:7", "--key", "me:mine"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"binance", "bybit", "control"}
        assert ready["bybit"]["ws"].startswith("ws://127.0.0.1:")
        with urllib.request.urlopen(f"{ready['binance']['rest']}/fapi/v1/time") as answer:  # noqa: S310
            assert "serverTime" in json.loads(answer.read())
        with urllib.request.urlopen(f"{ready['control']}/state") as answer:  # noqa: S310
            assert list(json.loads(answer.read())["venues"]["bybit"]["accounts"]) == ["me"]
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")
    kinds = {json.loads(line)["kind"] for line in ledger.read_text().splitlines()}
    assert kinds == {"price", "request", "response"}


@pytest.mark.parametrize(("times", "year"), [("now", datetime.now(UTC).year), ("file", 2025)])
def test_it_is_a_wave_server_when_asked(times: str, year: int) -> None:
    wave = wave_server(ROOT / "examples/wave-2025-10-31/signals.json", "open", as_now=times == "now")

    made = [datetime.fromisoformat(str(each["created_at"])) for each in wave.signals]

    assert len(made) == 57
    assert max(made).year == year
    assert (max(made) >= datetime.now(UTC) - timedelta(minutes=2)) is (times == "now")


def test_it_ends_by_itself() -> None:
    assert _ended("--for", "0").returncode == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--listen", "0.0.0.0:0", "--control", "0.0.0.0:0"], "not a loopback address"),
        (["--listen", "nonsense"], "expected HOST:PORT"),
        (["--markets", "kraken=x"], "expected binance=FILE"),
        (["--markets", "binance=/nowhere.json"], "/nowhere.json"),
        (["--key", "lonely"], "expected KEY:SECRET"),
        (["--prices", "random:x"], "needs whole numbers"),
        (["--prices", "/nowhere.jsonl"], "/nowhere.jsonl"),
        (["--faults", "/nowhere.toml"], "/nowhere.toml"),
        (["--signals", "/nowhere.json"], "/nowhere.json"),
        (["--signals", "config.toml"], "holds no list of signals"),
    ],
)
def test_bad_usage_is_told_in_one_line_with_status_2(options: list[str], told: str) -> None:
    done = _ended(*options, "--for", "0")
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told_with_status_3() -> None:
    with subprocess.Popen([*COMMAND], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        taken = json.loads(process.stdout.readline())["binance"]["rest"].removeprefix("http://")
        done = _ended("--listen", taken, "--for", "0")
        process.terminate()
    assert done.returncode == 3
    assert "address already in use" in done.stderr.lower()


def test_running_a_deployment_imports_no_web_server() -> None:
    asked = "framework_simulator.commands(); framework_simulator.exchanges()"
    code = f"import sys, framework_simulator; {asked}; print('aiohttp' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert run.stdout.strip() == "False"
