"""Lives from the nursery are processes like any other: their own words, environment, output, and end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.kills.house import until
from tests.kills.nursery import Nursery
from tests.kills.product import ROOT, Process, environment


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery.opened() as opened:
        yield opened


async def begun(nursery: Nursery, *words: str, **environ: str) -> Process:
    return await Process.copied(nursery, *words, environ=environment(ROOT, environ), on_line=lambda line: None)


def test_a_life_from_the_nursery_says_what_one_from_a_new_interpreter_says(nursery: Nursery, tmp_path: Path) -> None:
    async def scenario() -> None:
        words = ("plugins", "--json", "--config", str(ROOT / "config.toml"))
        copied = await begun(nursery, *words)
        started = await Process.start(*words, environ=environment(ROOT, {}))

        assert await copied.ended() == await started.ended() == 0
        assert json.loads("".join(copied.out)) == json.loads("".join(started.out))
        assert copied.err == started.err

    asyncio.run(scenario())


def test_a_command_that_fails_ends_with_its_status_and_its_line_of_error(nursery: Nursery, tmp_path: Path) -> None:
    async def scenario() -> None:
        life = await begun(nursery, "check", "--config", str(tmp_path / "none.toml"))

        assert await life.ended() == 2
        assert [str(tmp_path / "none.toml") in line for line in life.err] == [True]

    asyncio.run(scenario())


def test_one_life_is_killed_and_the_others_go_on(nursery: Nursery, tmp_path: Path) -> None:
    async def scenario() -> None:
        lives = [await begun(nursery, "emulate", "--config", str(ROOT / "config.toml")) for _ in range(3)]
        for life in lives:
            await until(partial(getattr, life, "out"), "it serves")
        assert len({os.getpid(), *(life.running.pid for life in lives)}) == 4
        lives[1].kill()

        assert await lives[1].ended() == -signal.SIGKILL
        for life in (lives[0], lives[2]):
            assert life.status is None
            life.signal(signal.SIGTERM)
            assert await life.ended() == 0

    asyncio.run(scenario())
