"""``framework simulate``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from .campaign import Report, Result
    from .laboratory import Laboratory, Trial
    from .schedule import Schedule

EXIT_VIOLATED = 1

_JUDGES = click.option(
    "--judge", "judges", multiple=True, metavar="MODULE:FUNCTION", help="Judges each run too; may be repeated."
)
_CONFIG = click.option("--config", default="config.toml", metavar="FILE", help="The deployment that lists this plugin.")


@click.group("simulate", invoke_without_command=True)
@click.option("--schedules", type=click.IntRange(min=1), metavar="N", help="How many; 100 unless --for is given.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="S", help="The first one.")
@click.option("--for", "seconds", type=click.FloatRange(min=0), metavar="SECONDS", help="As many as fit in this time.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, metavar="J", help="Processes; one for each core.")
@click.option("--weather", type=click.FloatRange(0, 1), default=0.0, help="This share of all requests goes astray.")
@click.option("--read-lag", type=click.IntRange(0), default=0, metavar="S", help="Reads are up to S seconds late.")
@click.option("--every-kind", is_flag=True, help="Exit status 1 if some kind of fault never happened.")
@_JUDGES
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@_CONFIG
@click.pass_context
def simulate(
    context: click.Context,
    schedules: int | None,
    seed: int,
    seconds: float | None,
    jobs: int | None,
    weather: float,
    read_lag: int,
    every_kind: bool,
    judges: Sequence[str],
    as_json: bool,
    config: str,
) -> None:
    """Run the product against emulated venues in virtual time, with faults, crashes and chance from seeds.

    Everything above the network is the real code: kernel, journal, exchange plugins, ccxt. Exit status 1: some run
    broke a rule; its seed is printed, and `replay` repeats it. Needs the plugins binance and bybit.
    With --weather or --read-lag nothing else goes wrong but prices and deaths; `replay` takes the same two.
    """
    if context.invoked_subcommand is not None:
        return
    from .campaign import Wish, run_campaign
    from .drawing import Climate

    wish = Wish(
        seed=seed,
        schedules=100 if schedules is None and seconds is None else schedules,
        for_s=seconds,
        jobs=jobs or len(os.sched_getaffinity(0)),
        judges=_known(judges),
        climate=Climate(weather, read_lag),
    )
    report = run_campaign(wish, lambda result: None if as_json else _tell(result))
    click.echo(json.dumps(report.as_json()) if as_json else "\n".join(_lines(report)))
    if report.failures or (every_kind and report.missing):
        raise click.exceptions.Exit(EXIT_VIOLATED)


@simulate.command("replay")
@click.argument("seed", type=click.IntRange(min=0))
@click.option("--only", metavar="I,J,…", help="With these items of the schedule alone.")
@click.option("--shrink", "shrinks", is_flag=True, help="Leave out items as long as it fails in the same way.")
@click.option("--ledger", type=click.Path(path_type=Path), metavar="FILE.jsonl", help="Where the ledger is written.")
@click.option("--weather", type=click.FloatRange(0, 1), default=0.0, help="As in the campaign.")
@click.option("--read-lag", type=click.IntRange(0), default=0, metavar="S", help="As in the campaign.")
@_JUDGES
@_CONFIG
def replay(
    seed: int,
    only: str | None,
    shrinks: bool,
    ledger: Path | None,
    weather: float,
    read_lag: int,
    judges: Sequence[str],
    config: str,
) -> None:
    """Repeat the run of one seed, and say what happened in it."""
    from .drawing import Climate, draw
    from .laboratory import Laboratory, judge_named
    from .shrinking import shrink

    schedule = draw(seed, Climate(weather, read_lag))
    kept = _numbers(only, len(schedule.items))
    with Laboratory(tuple(judge_named(name) for name in _known(judges))) as laboratory:
        if shrinks:
            kept = shrink(schedule.only(kept), lambda each: laboratory.run(each).problems)
        trial = _repeat(laboratory, schedule, kept)
    if ledger is not None and trial.outcome is not None:
        ledger.write_text("".join(json.dumps(line) + "\n" for line in trial.outcome.lines), encoding="utf-8")
    if trial.problems:
        raise click.exceptions.Exit(EXIT_VIOLATED)


@simulate.command("crashes")
@click.option("--pairs", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="This share of all pairs.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which pairs, if not all.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, metavar="J", help="Processes; one for each core.")
@_JUDGES
@_CONFIG
def crashes(pairs: float, seed: int, jobs: int | None, judges: Sequence[str], config: str) -> None:
    """Kill the product at every point of opening, trailing and closing a position, on both venues.

    The points: each request before it leaves, after that, and with its answer there; each commit of the journal before
    and after it. With --pairs a second time, at the points that the next life reaches.
    """
    from collections import Counter

    from .campaign import at_work, spread
    from .crashes import Crashed, crash_everywhere

    known, count = _known(judges), jobs or len(os.sched_getaffinity(0))

    def work(number: int) -> Iterator[Crashed]:
        with at_work(known) as laboratory:
            yield from crash_everywhere(laboratory, pairs, seed=seed, number=number, jobs=count)

    counts: Counter[tuple[str, str, int]] = Counter()
    wrong = 0
    for crashed in spread(work, count):
        counts[crashed.case.venue, crashed.case.phase, len(crashed.points)] += 1
        wrong += bool(crashed.problems)
        for problem in crashed.problems:
            click.echo(f"{crashed}: {problem}", err=True)
    for (venue, phase, deaths), times in sorted(counts.items()):
        what = "points" if deaths == 1 else "pairs of points"
        click.echo(f"{phase} on {venue}: killed at {times} {what}")
    click.echo(f"violations: {wrong}")
    if wrong:
        raise click.exceptions.Exit(EXIT_VIOLATED)


def _repeat(laboratory: Laboratory, schedule: Schedule, kept: Sequence[int]) -> Trial:
    click.echo(
        f"seed {schedule.seed}: {schedule.end_ms / 1000:g} s, {schedule.variant}, latency {schedule.latency_ms} ms"
    )
    for number in kept:
        click.echo(f"  {number}: {schedule.items[number]}")
    trial = laboratory.run(schedule.only(kept))
    if trial.outcome is not None:
        first_ns = trial.outcome.lives[0].from_ns
        for life in trial.outcome.lives:
            how = "killed" if life.end.killed else life.end.error or (life.end.end.reason if life.end.end else "")
            click.echo(
                f"  up from {(life.from_ns - first_ns) / 1e9:.3f} s to {(life.to_ns - first_ns) / 1e9:.3f} s: {how}"
            )
        click.echo(f"  ledger {trial.outcome.ledger_digest}, journal {trial.outcome.journal_digest}")
    for problem in trial.problems:
        click.echo(f"  wrong: {problem}")
    if trial.problems:
        click.echo(f"again: framework simulate replay {schedule.seed} --only {','.join(map(str, kept))}")
    return trial


def _tell(result: Result) -> None:
    for problem in result.problems:
        click.echo(f"seed {result.seed}: {problem}", err=True)


def _lines(report: Report) -> list[str]:
    told = report.as_json()
    rates = f"{told['per_second']} a second, {told['per_cpu_second']} in a second of one core"
    lines = [
        f"{report.schedules} schedules in {report.took_s:.1f} s ({rates}), {told['virtual_hours']} virtual hours, "
        f"{report.lives} lives of the product, {report.positions} entries, {report.points} points to die at",
        "what really happened, and how often:",
        *(f"  {name:<24} {count}" for name, count in told["happened"].items()),
        *(f"  {name:<24} never" for name in told["never_happened"]),
        *(
            f"{name}: {of['count']} positions, p50 {of['p50']:g}, p99 {of['p99']:g}, worst {of['worst']:g}"
            for name, of in told["figures"].items()
        ),
    ]
    if not report.failures:
        return [*lines, "violations: 0"]
    seeds = ", ".join(str(seed) for seed in told["violations"])
    return [
        *lines,
        f"violations in {len(report.failures)} schedules: {seeds}",
        "repeat one with: framework simulate replay SEED --shrink",
    ]


def _known(judges: Sequence[str]) -> tuple[str, ...]:
    from .laboratory import judge_named

    for name in judges:
        try:
            judge_named(name)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    return tuple(judges)


def _numbers(only: str | None, count: int) -> tuple[int, ...]:
    if only is None:
        return tuple(range(count))
    try:
        numbers = tuple(int(part) for part in only.split(",") if part)
    except ValueError:
        numbers = (-1,)
    if not all(0 <= number < count for number in numbers):
        raise click.UsageError(f"--only takes numbers from 0 to {count - 1}, got {only!r}")
    return numbers
