"""The documented wave over a real WebSocket: the product does with it what it does with the recording, row for row."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from framework.testing import SignalServer, made_now
from tests.signals.conftest import COMMAND, EXAMPLE, ROOT, WAVE, WITHIN_S, Live, said

OF_A_SIGNAL = ("account", "symbol", "side", "score", "outcome", "stage", "component", "code", "message", "numbers")
OF_A_POSITION = ("account", "symbol", "side", "quantity", "entry_price", "initial_stop_price", "stop_price")


def rows(found: list[dict[str, Any]], columns: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    return {row["signal_id"]: {name: row[name] for name in columns} for row in found}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What became of the signals and the positions when the recording was played up to the wave."""
    state = tmp_path_factory.mktemp("recorded")
    common = ["--config", str(ROOT / "config.toml"), "--state", str(state)]
    subprocess.run([COMMAND, "run", *common], cwd=ROOT, check=True, capture_output=True, timeout=WITHIN_S)

    def ask(*words: str) -> Any:
        done = subprocess.run([COMMAND, *words, "--json", *common], cwd=ROOT, check=True, capture_output=True)
        return json.loads(done.stdout)

    return rows(ask("signals"), OF_A_SIGNAL), rows(ask("positions", "--all"), OF_A_POSITION)


async def served(live: Live) -> None:
    """Run the product against a wave server that pushes the documented wave as if it had just been made."""
    wave = SignalServer(token="swordfish")  # noqa: S106 - a test's own
    url = await wave.start()
    try:
        async with live.running(f"signals.websocket.url={url}") as product:
            async with asyncio.timeout(WITHIN_S):
                await wave.until(listeners=1, heard=2)
            await wave.push(made_now(WAVE, datetime.now(UTC)))
            await said(product, ["decided: opened binance 4 of 4, bybit 4 of 5"])
    finally:
        await wave.stop()


def test_every_signal_and_every_position_is_what_the_recording_made_of_it(
    tmp_path: Path, recorded: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    async def scenario() -> None:
        live = Live(tmp_path / "state")
        await served(live)
        assert rows(await live.json("signals"), OF_A_SIGNAL) == recorded[0]
        positions = rows(await live.json("positions", "--all"), OF_A_POSITION)
        # Later bars moved the recording's stops; at the wave itself each stood where it was first put.
        assert positions == {key: {**row, "stop_price": row["initial_stop_price"]} for key, row in recorded[1].items()}

    asyncio.run(scenario())


def test_a_list_that_is_sent_again_and_a_restart_change_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        live = Live(tmp_path / "state")
        wave = SignalServer(token="swordfish", signals=made_now(WAVE, datetime.now(UTC)))  # noqa: S106
        url = await wave.start()
        try:
            async with live.running(f"signals.websocket.url={url}") as product:
                await said(product, ["decided: opened"])
                await wave.push()
            before = await live.json("positions", "--all")
            async with live.running(f"signals.websocket.url={url}"):
                async with asyncio.timeout(WITHIN_S):
                    await wave.until(listeners=1)
                    asked = len(wave.heard)
                    await wave.until(heard=asked + 1)
                    await wave.push()
            after = await live.json("positions", "--all")
        finally:
            await wave.stop()
        assert [row["signal_id"] for row in after] == [row["signal_id"] for row in before]
        assert len(before) == 8

    asyncio.run(scenario())


def test_what_a_live_run_recorded_is_played_again_to_the_same_decisions(
    tmp_path: Path, recorded: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    async def scenario() -> None:
        text = EXAMPLE.read_text(encoding="utf-8").replace("../", f"{ROOT}/examples/")
        text += f'\n[[observers]]\nuse = "record"\npath = "{tmp_path}/made"\n'
        config = tmp_path / "config.toml"
        await asyncio.to_thread(config.write_text, text, "utf-8")
        await served(Live(tmp_path / "state", config))
        (made,) = (tmp_path / "made").iterdir()

        played = Live(tmp_path / "played", ROOT / "config.toml")
        async with played.running(f"signals.recording.path={made}") as product:
            await said(product, ["57 received, 57 adapted, 9 attempted, 8 opened"])
        again = rows(await played.json("signals"), OF_A_SIGNAL)
        assert again == recorded[0]
        entries = rows(await played.json("positions", "--all"), OF_A_POSITION[:-1])
        assert entries == {key: {name: row[name] for name in OF_A_POSITION[:-1]} for key, row in recorded[1].items()}

    asyncio.run(scenario())


def test_the_emulator_serves_the_documented_wave_as_if_it_had_just_been_made(tmp_path: Path) -> None:
    async def scenario() -> None:
        command = [
            str(COMMAND),
            "emulate",
            "--signals",
            "examples/wave-2025-10-31/signals.json",
            "--signals-token",
            "open",
        ]
        pipe = asyncio.subprocess.PIPE
        emulator = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=os.environ, stdout=pipe)
        assert emulator.stdout is not None
        try:
            ready = json.loads(await asyncio.wait_for(emulator.stdout.readline(), WITHIN_S))
            live = Live(tmp_path / "state", token="open")  # noqa: S106
            async with live.running(f"signals.websocket.url={ready['signals']}") as product:
                await said(product, ["decided: opened binance 4 of 4, bybit 4 of 5"])
        finally:
            emulator.terminate()
            await emulator.communicate()

    asyncio.run(scenario())
