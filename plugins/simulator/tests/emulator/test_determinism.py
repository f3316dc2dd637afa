"""Two runs with one seed and one client script write the same ledger, byte for byte, under virtual time."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

from framework_simulator.emulator.prices import RandomWalk

from .virtual import Virtual


def _run(seed: int) -> str:
    """A client of both venues with both private streams, in a market that moves, with faults."""
    virtual = Virtual.start(seed=seed, prices=False)
    RandomWalk(virtual.world, seed, rate_hz=5).begin()
    virtual.binance_stream()
    virtual.bybit_stream("order", "execution", "position", "wallet")
    for rule in (
        {"name": "ack-lost", "probability": 0.1},
        {"name": "overload", "every": 7},
        {"name": "duplicate-event", "probability": 0.2},
        {"name": "stop-vanishes", "probability": 0.3},
        {"name": "position-changed", "venue": "binance", "market": "BTCUSDT", "qty": "0.5", "at_ms": 4000},
        {"name": "funding", "venue": "binance", "market": "BTCUSDT", "at_ms": 4000},
    ):
        virtual.control.faults({"fault": [rule]})
    script = random.Random(seed)  # noqa: S311
    for _ in range(120):
        _step(virtual, script)
        virtual.wait_ms(script.choice([1, 50, 400]))
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in virtual.tail.lines)


def _step(virtual: Virtual, script: random.Random) -> None:
    side = script.choice(["BUY", "SELL"])
    match script.randrange(5):
        case 0:
            virtual.order(side=side)
        case 1:
            virtual.bybit_order(side=side.title(), stopLoss="" if side == "SELL" else "40000")
        case 2:
            virtual.binance(
                "POST", "/fapi/v1/algoOrder", symbol="BTCUSDT", side=side, algoType="CONDITIONAL", type="STOP_MARKET",
                quantity="0.01", triggerPrice="49000" if side == "SELL" else "51000", reduceOnly="true",
            )  # fmt: skip
        case 3:
            virtual.binance("GET", "/fapi/v3/positionRisk")
        case _:
            virtual.bybit("POST", "/v5/order/cancel-all", category="linear", symbol="BTCUSDT")


def test_the_same_seed_and_script_write_the_same_ledger() -> None:
    first = _run(7)
    assert first == _run(7)
    assert first != _run(8)
    kinds = {json.loads(line)["kind"] for line in first.splitlines()}
    assert kinds >= {"request", "response", "order", "fill", "position", "stop", "stream", "fault", "price", "cash"}


def test_the_ledger_does_not_depend_on_the_process() -> None:
    code = "import sys; sys.path[:0] = sys.argv[1:]; from emulator.test_determinism import _run; print(hash(_run(7)))"
    code = code.replace("hash(_run(7))", "__import__('hashlib').sha256(_run(7).encode()).hexdigest()")
    digests = set()
    for hash_seed in ("1", "2"):
        run = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code, str(Path(__file__).parents[1])],
            capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": hash_seed},
        )  # fmt: skip
        digests.add(run.stdout)
    assert len(digests) == 1
