"""A part of the mutants, the same each time. All of them: ``make mutants``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from click.testing import CliRunner

from framework.engine import engine
from framework_simulator.simulation import Laboratory, Outcome
from tests.mutants import command
from tests.mutants.catalogue import MUTANTS
from tests.mutants.hunting import Catch, Hunter, Survivor
from tests.mutants.mutant import Mutant, mutant
from tests.mutants.patching import around, replaced, together
from tests.mutants.scenes import BINANCE, scene, signal
from tests.simulation.judging import judge

LEAST = 40
FIXED = (
    "entry-resent-blindly",
    "entry-resent-after-a-restart",
    "fill-during-cancel-ignored",
    "signal-acknowledged-too-early",
    "stop-left-out-of-the-entry",
    "stop-from-the-expected-price",
    "old-stop-cancelled-first",
    "stop-follows-both-ways",
    "stops-cancelled-before-the-close",
    "failed-read-is-empty",
    "fill-invented",
    "intent-of-a-stop-not-written",
    "gap-not-read-back",
    "retry-after-ignored",
)
QUIET = scene(BINANCE, signal(BINANCE), calm_ms=10_000, end_ms=12_000)


@pytest.fixture(scope="module")
def hunter() -> Iterator[Hunter]:
    """With the oracle as its judge."""
    with Laboratory((judge,)) as laboratory:
        yield Hunter(laboratory)


def named(name: str) -> Mutant:
    return next(each for each in MUTANTS if each.name == name)


@mutant("None: it is the product as it is.", QUIET)
def harmless() -> AbstractContextManager[None]:
    return nullcontext()


@mutant("Its records can't be made.", QUIET)
def falls_over() -> AbstractContextManager[None]:
    def records_of(*facts: object) -> list[object]:
        raise ZeroDivisionError("on purpose")

    return replaced(engine, "records_of", records_of)


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(command.main, list(words))
    return done.exit_code, done.stdout, done.stderr


# ── the mutants ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", FIXED)
def test_a_mistake_in_the_protocol_is_found_out(hunter: Hunter, name: str) -> None:
    found = hunter.hunt(named(name), ())

    assert isinstance(found, Catch), f"{found.mutant.mistake} Nobody noticed in {found.tried} runs."


def test_there_are_enough_mutants_and_each_has_a_name_and_a_run_of_its_own() -> None:
    assert len(MUTANTS) >= LEAST
    assert len({each.name for each in MUTANTS}) == len(MUTANTS)
    assert [each.name for each in MUTANTS if not each.schedules or not each.mistake.endswith(".")] == []


@pytest.mark.parametrize("each", MUTANTS, ids=lambda each: each.name)
def test_what_a_mutant_changes_is_still_in_the_product(each: Mutant) -> None:
    with each.patch():
        pass


# ── hunting ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_changes_nothing_survives(hunter: Hunter) -> None:
    found = hunter.hunt(harmless, (9,))

    assert isinstance(found, Survivor)
    assert (found.tried, found.crashed) == (2, "")


def test_a_product_that_only_falls_over_is_not_found_out(hunter: Hunter) -> None:
    found = hunter.hunt(falls_over, ())

    assert isinstance(found, Survivor)
    assert "ZeroDivisionError" in found.crashed


def test_what_is_wrong_without_the_mistake_too_proves_nothing() -> None:
    def disapproves(outcome: Outcome) -> list[str]:
        return ["nothing is right"]

    with Laboratory((disapproves,)) as laboratory:
        strict = Hunter(laboratory)
        found = strict.hunt(named("fill-invented"), ())

    assert isinstance(found, Survivor)
    assert "nothing is right" in strict.unfit["schedule 0 of fill-invented"]


def test_a_mutant_may_be_found_out_in_a_drawn_schedule_alone(hunter: Hunter) -> None:
    found = hunter.hunt(named("stop-not-reduce-only"), range(20), own=False)

    assert isinstance(found, Catch)
    assert found.seed in range(20)


# ── patches ─────────────────────────────────────────────────────────────────────────────────────────────────


class Thing:
    """Something with two methods."""

    def one(self) -> int:
        return 1

    def two(self) -> int:
        return 2


def test_a_patch_holds_for_its_context_and_not_longer() -> None:
    def more(original: Any, self: Thing) -> int:
        return 10 + int(original(self))

    with together(around(Thing, "one", more), replaced(Thing, "two", lambda self: 3)):
        inside = Thing().one(), Thing().two()

    assert inside == (11, 3)
    assert (Thing().one(), Thing().two()) == (1, 2)


def test_what_is_not_there_can_not_be_replaced() -> None:
    with pytest.raises(KeyError), replaced(Thing, "three", None):
        pass


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_says_who_found_a_mutant_out_and_where() -> None:
    status, out, _ = run("stop-left-out-of-the-entry")

    assert status == 0
    assert "control: the product passes 1 of 1" in out
    assert "1 mutants, 1 found out, 0 survived" in out
    assert "covered at every instant" in out


def test_a_mutant_that_survives_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "MUTANTS", (harmless,))

    status, out, _ = run("--seeds", "1", "--seed", "9")

    assert status == 1
    assert "SURVIVED (2 runs" in out


def test_the_list_names_every_mutant_and_runs_none() -> None:
    status, out, _ = run("--list")

    assert status == 0
    assert len(out.splitlines()) == len(MUTANTS)


def test_an_unknown_mutant_is_bad_usage() -> None:
    assert run("no-such-mutant")[0] == 2
