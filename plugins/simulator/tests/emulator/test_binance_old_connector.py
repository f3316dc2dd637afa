"""binance-futures-connector, the old client, unmodified: what it still does, and what the venue takes from it no more.

It overwrites the package of other Binance libraries, so it lives in a directory of its own and runs in a process of
its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from framework_simulator.emulator.build import DEFAULT_KEY

from .binance_kit import Rig, run, running

PINS = Path(__file__).parents[4] / "requirements" / "compat.txt"

SCRIPT = """
import json, sys
from binance.um_futures import UMFutures
from binance.error import ClientError
base, key, secret = sys.argv[1:]
client = UMFutures(key, secret, base_url=base)
told = {}
told["filled"] = client.new_order(
    symbol="BTCUSDT", side="BUY", type="MARKET", quantity=0.01, newOrderRespType="RESULT"
)
try:
    client.new_order(symbol="BTCUSDT", side="SELL", type="STOP_MARKET", quantity=0.01, stopPrice=49000)
except ClientError as error:
    told["stop"] = {"status": error.status_code, "code": error.error_code}
told["positions"] = client.get_position_risk(symbol="BTCUSDT")
told["listen_key"] = client.new_listen_key()
json.dump(told, sys.stdout)
"""


@pytest.fixture(scope="module")
def old_connector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The old client, installed beside the environment and not into it."""
    place = tmp_path_factory.mktemp("old-connector")
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-qq", "--no-deps"]
    command += ["--require-hashes", "--requirement", str(PINS), "--target", str(place)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - our own interpreter
    return place


def test_a_stop_sent_to_the_plain_order_route_is_refused_with_4120(old_connector: Path) -> None:
    async def scenario() -> None:
        async with running() as rig:
            told = await talk(old_connector, rig)
            assert told["filled"]["status"] == "FILLED"
            assert told["stop"] == {"status": 400, "code": -4120}
            assert told["positions"][0]["positionAmt"] == "0.01"
            assert told["listen_key"]["listenKey"]

    run(scenario)


async def talk(place: Path, rig: Rig) -> Any:
    """What the script says of its talk with the emulator."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SCRIPT, rig.rest, DEFAULT_KEY.key, DEFAULT_KEY.secret),
        env={**os.environ, "PYTHONPATH": str(place)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return json.loads(out)
