"""Deaths are tried in forks of one run, and what comes of them is what comes of a run with the same deaths."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from framework_simulator.simulation import Laboratory, Trial
from framework_simulator.simulation.branching import Branches, grow, some
from framework_simulator.simulation.crashes import CASES, crash, death_at

CASE = CASES[0]
Told = tuple[tuple[int, ...], tuple[str, str] | None]


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with Laboratory() as made:
        yield made


def digests(trial: Trial) -> tuple[str, str] | None:
    return None if trial.outcome is None else (trial.outcome.ledger_digest, trial.outcome.journal_digest)


def told(branches: Branches, trial: Trial) -> Told:
    return branches.deaths, digests(trial)


def grown(laboratory: Laboratory, *wanted: tuple[int, ...]) -> dict[tuple[int, ...], tuple[str, str] | None]:
    """What came of these deaths, each tried in a fork of a fork."""
    branches = Branches({}, kill=death_at, is_wanted=lambda deaths, point: (*deaths, point) in wanted)
    return dict(grow(laboratory, CASE.schedule(), branches, told))


def test_a_fork_ends_as_a_run_of_its_own_does(laboratory: Laboratory) -> None:
    deaths = [(3,), (3, 9), (20,), (20, 31)]

    found = grown(laboratory, *deaths)

    assert found == {each: digests(laboratory.run(CASE.schedule(*each))) for each in deaths}
    assert None not in found.values()


def test_what_is_tried_in_forks_leaves_the_first_run_as_it_was(laboratory: Laboratory) -> None:
    before = digests(laboratory.run(CASE.schedule()))

    assert len(grown(laboratory, (5,), (5, 6))) == 2
    assert digests(laboratory.run(CASE.schedule())) == before


def test_a_fork_that_breaks_is_told_of(laboratory: Laboratory) -> None:
    def breaks(branches: Branches, trial: Trial) -> Told:
        if branches.deaths:
            raise SystemExit("on purpose")
        return tuple(range(len(branches.lost))), None

    branches = Branches({}, kill=death_at, is_wanted=lambda deaths, point: not deaths and point == 4)

    assert list(grow(laboratory, CASE.schedule(), branches, breaks)) == [((0,), None)]


def test_a_share_of_pairs_is_the_same_for_the_same_seed(laboratory: Laboratory) -> None:
    chosen = [some(0.5, "7") for _ in range(2)]
    assert [chosen[0](number) for number in range(20)] == [chosen[1](number) for number in range(20)]

    tried = [list(crash(laboratory, CASE, lambda point: point == 30, share)) for share in (0.0, 0.1)]

    assert [len(one.points) for one in tried[0]] == [1]
    assert 1 < len(tried[1]) < 20
    assert [one.problems for one in tried[1] if one.problems] == []
