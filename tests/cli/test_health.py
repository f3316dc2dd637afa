"""``framework health``: how the session and its parts are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from framework.cli import vitals
from framework.cli.vitals import SILENT_NS, vitals_of
from framework.core.health import Condition, Health
from framework.journal import Pulse
from tests.cli.shell import call

SINCE_NS = 1_761_949_800_000_000_000
FINE = Condition("account one", "stream", Health.HEALTHY, "", SINCE_NS)
SLOW = Condition("source websocket", "connected", Health.DEGRADED, "no answer for 40 s", SINCE_NS)
GONE = Condition("journal", "written", Health.DOWN, "the disk is full", SINCE_NS)


def health(state: Path, *words: str) -> tuple[int, Any]:
    result = call("health", "--state", state, "--json", *words)
    assert result.stderr == ""
    return result.exit_code, json.loads(result.stdout)


def told(tmp_path: Path, *conditions: Condition, ended: str = "") -> Path:
    Pulse(tmp_path).beat(conditions, ended=ended)
    return tmp_path


def test_a_session_whose_parts_are_healthy_is_fine(tmp_path: Path) -> None:
    status, data = health(told(tmp_path, FINE))

    assert (status, data["health"]) == (0, "healthy")
    assert [(each["part"], each["name"], each["health"]) for each in data["conditions"]] == [
        ("session", "alive", "healthy"),
        ("account one", "stream", "healthy"),
    ]
    assert data["conditions"][0]["reason"] == f"process {os.getpid()}"


def test_what_is_degraded_is_shown_and_is_no_failure(tmp_path: Path) -> None:
    status, data = health(told(tmp_path, FINE, SLOW))

    assert (status, data["health"]) == (0, "degraded")
    assert data["conditions"][2]["reason"] == "no answer for 40 s"
    assert data["conditions"][2]["since_ns"] == SINCE_NS


def test_a_part_that_is_down_is_a_failure(tmp_path: Path) -> None:
    status, data = health(told(tmp_path, FINE, SLOW, GONE))

    assert (status, data["health"]) == (1, "down")


def test_a_session_that_ended_is_down_and_what_it_told_is_not_repeated(tmp_path: Path) -> None:
    status, data = health(told(tmp_path, FINE, ended="interrupted"))

    assert status == 1
    assert [(each["part"], each["reason"]) for each in data["conditions"]] == [("session", "it ended: interrupted")]


def test_without_a_sign_of_life_for_some_time_a_session_is_gone_or_hangs(tmp_path: Path) -> None:
    vitals_then = Pulse(told(tmp_path, FINE)).read()
    assert vitals_then is not None

    fresh = vitals_of(tmp_path, vitals_then.time_ns + SILENT_NS)
    stale = vitals_of(tmp_path, vitals_then.time_ns + SILENT_NS + 1)

    assert fresh.overall is Health.HEALTHY
    assert stale.overall is Health.DOWN
    assert [each.part for each in stale.conditions] == [vitals.SESSION]
    assert "it is gone, or hangs" in stale.conditions[0].reason


def test_where_no_session_has_run_nothing_is_healthy(tmp_path: Path) -> None:
    status, data = health(tmp_path)

    assert status == 1
    assert data["time_ns"] is None
    assert data["conditions"][0]["reason"] == f"none has run with the state {tmp_path}"


def test_the_table_has_a_line_for_each_condition(tmp_path: Path) -> None:
    result = call("health", "--state", told(tmp_path, SLOW))

    assert result.exit_code == 0
    assert result.stdout.splitlines()[3].split() == [
        "source", "websocket", "connected", "degraded", "2025-10-31", "22:30:00.000Z", "no", "answer", "for", "40", "s",
    ]  # fmt: skip


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"time_ns": 1, "process": 1, "ended": "", "conditions": [{}]}'])
def test_a_sign_of_life_that_cannot_be_read_is_one_clear_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "health.json").write_text(content)

    result = call("health", "--state", tmp_path)

    assert result.exit_code == 3
    [line] = result.stderr.splitlines()
    assert "health.json: can't be read" in line
