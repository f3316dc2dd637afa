"""Going live takes `live = true` in the account's table and `--live ACCOUNT`; anything else is refused."""

from __future__ import annotations

import pytest

from framework import SessionMode
from framework.config import account_problems, live_problems, mode_of
from tests.config.conftest import SAMPLE, Desk

SECOND = '\n[exchanges.other]\nuse = "{use}"\nmax_positions_per_wave = 1\n'


def written(main: str, *others: str) -> str:
    """The sample with these lines in its account, from line 8 on, and with further accounts at its end."""
    return SAMPLE.replace('use = "venue"', main, 1) + "".join(others)


def lines(desk: Desk, text: str, *live: str) -> list[str]:
    """What stands in the way of this deployment, without the directory."""
    found = live_problems(desk.load(text), live)
    return [str(problem).replace(f"{desk.directory}/", "") for problem in found]


REAL = 'use = "real"'
UNLOCKED = 'use = "real"\nlive = true'
NEEDED = "config.toml:7 [exchanges.main]: main is a real venue: to trade there, "


@pytest.mark.parametrize(
    ("main", "live", "missing"),
    [
        (REAL, (), [NEEDED + "set live = true in this table and start with --live main"]),
        (REAL, ("main",), [NEEDED + "set live = true in this table"]),
        (UNLOCKED, (), [NEEDED + "start with --live main"]),
        (UNLOCKED, ("main",), []),
    ],
)
def test_a_real_venue_needs_both_locks_and_what_is_missing_is_named(
    desk: Desk, main: str, live: tuple[str, ...], missing: list[str]
) -> None:
    assert lines(desk, written(main), *live) == missing


def test_a_simulated_exchange_needs_neither(desk: Desk) -> None:
    assert lines(desk, SAMPLE) == []


def test_a_real_venue_that_is_disabled_needs_neither(desk: Desk) -> None:
    other = SECOND.format(use="real") + "enabled = false\n"

    assert lines(desk, written('use = "venue"', other)) == []


@pytest.mark.parametrize("more", ["", "\nenabled = false"])
def test_a_simulated_exchange_is_not_live(desk: Desk, more: str) -> None:
    text = written('use = "real"', SECOND.format(use="venue") + "live = true" + more)

    found = [str(problem) for problem in account_problems(desk.load(text))]

    assert found[0] == (
        f"{desk.path}:33 [exchanges.other]: live = true, but venue is a simulated exchange; "
        "remove it, or use a real one"
    )


def test_live_is_true_or_false(desk: Desk) -> None:
    assert desk.problem(written('use = "real"\nlive = "yes"')) == (
        'config.toml:9 [exchanges.main] live: expected true or false, got "yes"'
    )


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("mian", "--live mian: there is no account of that name; did you mean main?"),
        ("main", "--live main: venue is a simulated exchange (config.toml:7 [exchanges.main]); start without it"),
        ("other", "--live other: the account is disabled (config.toml:33 [exchanges.other]); enable it, or start"),
    ],
)
def test_only_real_venues_that_are_enabled_can_be_asked_for(desk: Desk, name: str, line: str) -> None:
    text = written('use = "venue"', SECOND.format(use="real") + "live = true\nenabled = false\n")

    (found,) = lines(desk, text, name, name)

    assert found.startswith(line)


def test_real_and_simulated_accounts_are_not_traded_together(desk: Desk) -> None:
    text = written(UNLOCKED, SECOND.format(use="venue"))

    assert lines(desk, text, "main") == [
        "config.toml [exchanges]: real venues (main) and simulated exchanges (other) would share a journal; "
        "disable the ones or the others, or make two deployments of them"
    ]
    assert lines(desk, text + "enabled = false", "main") == []


def test_everything_that_is_wrong_is_told_at_once(desk: Desk) -> None:
    text = written(REAL, SECOND.format(use="venue") + "live = true\n")

    found = lines(desk, text, "other", "third")

    assert [line.partition(": ")[0] for line in found] == [
        "config.toml:33 [exchanges.other]",
        "config.toml [exchanges]",
        "config.toml:7 [exchanges.main]",
        "--live other",
        "--live third",
    ]


def test_the_accounts_of_a_file_can_be_looked_at_without_the_locks(desk: Desk) -> None:
    assert account_problems(desk.load(written(REAL))) == []


@pytest.mark.parametrize(("use", "mode"), [("venue", SessionMode.PAPER), ("real", SessionMode.LIVE)])
def test_the_mode_is_that_of_the_enabled_accounts(desk: Desk, use: str, mode: SessionMode) -> None:
    disabled = SECOND.format(use="real") + "enabled = false\n"

    assert mode_of(desk.load(written(f'use = "{use}"', disabled))) is mode
