"""``python -m tests.mutants``: the product with each known mistake, until the simulation's judges find it out."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from framework_simulator.simulation import Laboratory
from tests.simulation.judging import judge

from .catalogue import MUTANTS
from .hunting import Catch, Hunter, Survivor
from .mutant import Mutant

EXIT_SURVIVED = 1
SHOWN = 120
"""Characters of a verdict."""


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--seeds", type=click.IntRange(min=0), default=1000, show_default=True, help="Drawn schedules at most.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The first of them.")
@click.option("--drawn", is_flag=True, help="Leave out the schedules that were made for a mutant: drawn ones alone.")
@click.option("--list", "lists", is_flag=True, help="Name the mutants, and run nothing.")
def main(names: Sequence[str], seeds: int, seed: int, *, drawn: bool, lists: bool) -> None:
    """Run every mutant of the product, or those of these NAMEs, until a judge reports.

    First the product itself runs the mutants' own schedules: nothing may be wrong there. Then each mutant runs its own,
    after that drawn ones. Exit status 1: one survived, or the product itself did not pass.
    """
    chosen = [each for each in MUTANTS if not names or each.name in names]
    unknown = set(names) - {each.name for each in MUTANTS}
    if unknown:
        raise click.UsageError(f"no such mutant: {', '.join(sorted(unknown))}; --list names them")
    if lists:
        for each in chosen:
            click.echo(f"{each.name:<40} {each.mistake}")
        return
    with Laboratory((judge,)) as laboratory:
        is_well = _run(Hunter(laboratory), chosen, range(seed, seed + seeds), own=not drawn)
    if not is_well:
        raise click.exceptions.Exit(EXIT_SURVIVED)


def _run(hunter: Hunter, chosen: Sequence[Mutant], seeds: range, *, own: bool) -> bool:
    began_s = time.monotonic()
    if own:
        passed = sum(hunter.control_own(each) for each in chosen)
        click.echo(f"control: the product passes {passed} of {sum(len(each.schedules) for each in chosen)} schedules")
    is_well, survivors = not hunter.unfit, 0
    for each in chosen:
        found = hunter.hunt(each, seeds, own=own)
        survivors += isinstance(found, Survivor)
        click.echo(_line(found))
    for where, problems in hunter.unfit.items():
        click.echo(f"not counted, the product itself does not pass it: {where}: {problems[0]}")
    took_s = time.monotonic() - began_s
    click.echo(f"{len(chosen)} mutants, {len(chosen) - survivors} found out, {survivors} survived, in {took_s:.0f} s")
    return is_well and not survivors


def _line(found: Catch | Survivor) -> str:
    name, runs = found.mutant.name, f"{found.tried} run{'' if found.tried == 1 else 's'}, {found.took_s:.1f} s"
    if isinstance(found, Catch):
        where = found.where if found.seed is not None else found.where.removesuffix(f" of {found.mutant.name}")
        return f"{name:<40} {where} ({runs}), by {_judges(found.verdicts)}: {found.verdicts[0][:SHOWN]}"
    crashed = f"; what fell over: {found.crashed}" if found.crashed else ""
    return f"{name:<40} SURVIVED ({runs}){crashed}"


def _judges(verdicts: Sequence[str]) -> str:
    """The oracle's invariants that were broken, by number; `-` for what is seen without the oracle."""
    numbers = {number if (number := verdict.split()[0]).isdigit() else "-" for verdict in verdicts}
    return ", ".join(sorted(numbers, key=lambda number: (number == "-", number.zfill(2))))
