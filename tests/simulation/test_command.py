"""``framework simulate``: campaigns, replays that shrink, and crashes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from framework_simulator.simulation import Climate, Item, Outcome, Schedule, draw, shrink
from framework_simulator.simulation.command import simulate
from framework_simulator.simulation.weather import OF_REQUESTS

WRONG = "tests.simulation.test_command:disapproves"


def disapproves(outcome: object) -> list[str]:
    """A judge to whom nothing is right."""
    return ["nothing is right"]


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(simulate, list(words))
    return done.exit_code, done.stdout, done.stderr


def test_a_campaign_reports_what_happened_and_that_nothing_was_wrong() -> None:
    status, out, _ = run("--schedules", "3", "--seed", "9", "--jobs", "1", "--json")

    report = json.loads(out)
    assert status == 0
    assert report["schedules"] == 3
    assert report["violations"] == {}
    assert report["lives"] >= 3


def test_a_campaign_on_two_processes_runs_the_same_schedules() -> None:
    reports = [json.loads(run("--schedules", "4", "--jobs", jobs, "--json")[1]) for jobs in ("1", "2")]

    for report in reports:
        del report["seconds"], report["per_second"], report["per_cpu_second"]
    assert reports[0] == reports[1]


def test_a_violation_ends_with_status_1_and_names_its_seed() -> None:
    status, out, err = run("--schedules", "1", "--seed", "9", "--jobs", "1", "--judge", WRONG)

    assert status == 1
    assert "seed 9: nothing is right" in err
    assert "replay SEED --shrink" in out


def test_a_replay_says_what_happens_and_writes_the_ledger(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"

    status, out, _ = run("replay", "9", "--ledger", str(ledger))

    assert status == 0
    assert out.startswith("seed 9:")
    assert "signal" in out
    assert json.loads(ledger.read_text().splitlines()[0])["seq"] == 1


def test_a_replay_that_shrinks_leaves_out_what_is_not_needed() -> None:
    status, out, _ = run("replay", "9", "--shrink", "--judge", WRONG)

    assert status == 1
    assert "again: framework simulate replay 9 --only" in out
    assert "  0:" not in out


def measures(outcome: Outcome) -> list[str]:
    """A judge that finds nothing, and measures something."""
    outcome.figures["lives"].append(float(len(outcome.lives)))
    return []


def test_what_judges_measure_is_summed_up() -> None:
    status, out, _ = run("--schedules", "3", "--seed", "9", "--jobs", "1", "--judge", f"{__name__}:measures", "--json")

    figures = json.loads(out)["figures"]["lives"]
    assert status == 0
    assert figures["count"] == 3
    assert 1 <= figures["p50"] <= figures["p99"] <= figures["worst"]


def test_a_campaign_that_wants_every_kind_of_fault_fails_without_one() -> None:
    status, out, _ = run("--schedules", "1", "--seed", "9", "--jobs", "1", "--every-kind")

    assert status == 1
    assert "violations: 0" in out
    assert "never" in out
    assert run("--schedules", "1", "--seed", "9", "--jobs", "1")[0] == 0


def test_in_bad_weather_requests_go_astray_and_nothing_else_does() -> None:
    status, out, _ = run("--schedules", "3", "--jobs", "1", "--weather", "0.25", "--json")

    happened = {name for name in json.loads(out)["happened"] if not name.startswith("killed")}
    assert status == 0
    assert happened == set(OF_REQUESTS)


def test_late_reads_are_as_late_as_was_asked_for() -> None:
    status, out, _ = run("replay", "5", "--read-lag", "600")

    assert status == 0
    assert "name=stale-reads" in out
    lags = [int(item.own["lag_ms"]) for seed in range(50) for item in draw(seed, Climate(read_lag_s=600)).of("rule")]
    assert 500_000 < max(lags) <= 600_000


@pytest.mark.parametrize("words", [("--judge", "no.such:judge"), ("--schedules", "0")])
def test_what_can_not_be_done_is_bad_usage(words: tuple[str, ...]) -> None:
    assert run(*words)[0] == 2


def test_items_that_the_schedule_does_not_have_are_bad_usage() -> None:
    assert run("replay", "9", "--only", "0,99")[0] == 2


def test_shrinking_keeps_exactly_the_items_that_are_needed_together() -> None:
    schedule = Schedule(0, tuple(Item("jump", number) for number in range(12)), calm_ms=1, end_ms=2)

    def fails(tried: Schedule) -> list[str]:
        return ["it breaks at 7 s"] if {3, 8} <= {item.at_ms for item in tried.items} else ["another thing breaks"]

    assert shrink(schedule, fails) == (3, 8)


def test_a_seed_always_gives_the_same_schedule() -> None:
    assert [draw(seed) for seed in range(20)] == [draw(seed) for seed in range(20)]
    assert len({str(draw(seed)) for seed in range(20)}) == 20
