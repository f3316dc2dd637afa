"""``framework check``: everything is validated, nothing is traded."""

from __future__ import annotations

import json

import pytest

from framework import Checkup, ExchangeError
from tests.cli.shell import call
from tests.hooks import base
from tests.hooks.stage import Stage

ONLY_BASE = '[plugins]\nload = ["base"]'


def test_a_sound_deployment_has_a_line_for_each_thing_that_was_looked_at(stage: Stage) -> None:
    config = stage.write(plugins=ONLY_BASE)

    result = call("check", "--config", config)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"ok       {config}: valid; accounts main (venue); signals once; 0 filters; 0 risk rules; sizing one; "
        "execution at-market; protection six-percent",
        "ok       main: 1 markets listed",
        "all 2 checks are fine",
    ]
    assert not (stage.directory / "var").exists()


def test_a_venue_that_cannot_be_reached_is_a_check_that_failed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(self: base.Venue) -> dict[str, object]:
        raise ExchangeError("main", "no answer")

    monkeypatch.setattr(base.Venue, "markets", unreachable)

    result = call("check", "--config", stage.write(plugins=ONLY_BASE))

    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:] == ["problem  main: no answer", "1 of 2 checks failed"]


def test_json_has_the_stable_keys(stage: Stage) -> None:
    result = call("check", "--json", "--config", stage.write(plugins=ONLY_BASE))

    rows = json.loads(result.stdout)
    assert [set(row) for row in rows] == [{"subject", "ok", "message", "numbers"}] * 2
    assert all(row["ok"] for row in rows)


def test_a_component_can_be_asked_about_its_own_readiness(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def checkup(self: base.Once) -> tuple[Checkup, ...]:
        return (Checkup("once", False, "nothing to play", {"lines": "0"}),)

    monkeypatch.setattr(base.Once, "checkup", checkup, raising=False)

    result = call("check", "--config", stage.write(plugins=ONLY_BASE))

    assert "problem  once: nothing to play" in result.stdout.splitlines()
    assert result.exit_code == 1


def test_every_mistake_of_configuration_and_plugins_is_told_at_once(stage: Stage) -> None:
    config = stage.write(sizing='[sizing]\nuse = "one"\npositon_usd = "6"', nonsense="[nonsense]")

    result = call("check", "--config", config, "--set", "execution")

    lines = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(line.startswith("error: ") for line in lines)
    assert [word for word in ("'acme'", "positon_usd", "[nonsense]", "--set execution") if word in result.stderr] == [
        "'acme'", "positon_usd", "[nonsense]", "--set execution",
    ]  # fmt: skip
    assert len(lines) == 4
