"""Hundreds of flipped bits and cut ends, in each of the journal's files: none unnoticed, and nothing lost silently.

``FRAMEWORK_BLOWS=1000`` makes it a longer campaign.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from framework.core.records import SessionMode
from framework.journal import prepare_journal, verify
from tests.journal import damage

BLOWS = int(os.environ.get("FRAMEWORK_BLOWS", "200"))
BUNDLE = 50


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same live journal, as the death of the process leaves it and as an orderly end does."""
    crashed = tmp_path_factory.mktemp("crashed") / "journal.sqlite"
    damage.write_and_die(crashed, *damage.groups())
    ended = damage.copy(crashed, tmp_path_factory.mktemp("ended"))
    damage.fold_in(ended)
    return crashed, ended


@pytest.fixture(scope="module")
def honest(sources: tuple[Path, Path]) -> damage.Content:
    """What both of them hold."""
    found = [damage.content(source) for source in sources]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("first", range(0, BLOWS, BUNDLE))
def test_each_blow_is_noticed_or_harms_nothing_and_what_it_cost_is_told(
    sources: tuple[Path, Path], honest: damage.Content, tmp_path: Path, first: int
) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(first, min(first + BUNDLE, BLOWS)):
        path = damage.copy(sources[seed % 2], tmp_path / str(seed))
        blow = damage.blow(path, seed)
        blow.strike(path)

        noticed = bool(verify(path).damages)
        assert noticed or damage.content(path) == honest, (seed, blow)

        prepared = prepare_journal(path, SessionMode.LIVE, recorded=False, now_ns=lambda: 1)
        now = damage.content(path)
        lost = set(_records(honest)) - set(_records(now))
        assert verify(path).damages == (), (seed, blow)
        assert prepared.entries_stopped or not lost, (seed, blow)
        assert bool(prepared.damage) == noticed, (seed, blow)
        outcomes["lost" if lost else "kept" if noticed else "harmless"] += 1

    assert set(outcomes) == {"lost", "kept", "harmless"}  # each really happens


def _records(content: damage.Content) -> list[tuple[object, ...]]:
    """The facts without their numbers, which may change when others are lost."""
    return [(kind, body) for _, _, kind, *_, body, _ in content["facts"]]
