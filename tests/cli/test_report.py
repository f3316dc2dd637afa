"""``framework report``: what became of waves."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from framework.cli.report_text import counts_line
from framework.cli.run_view import NOTHING
from framework.core.records import WaveOpened
from framework.journal import Counts, journal_path
from framework.journal.figures import STAGES
from tests.cli.shell import Shell
from tests.journal.history import BAR, FILTERED, NEXT_WAVE, SESSION, WAVE, decision, received, write

KEYS = {"wave_id", "received", "adapted", "attempted", "opened", "protected", "rejected", "not_attempted"}


def counts(rejected: dict[str, int] | None = None, **numbers: int) -> Counts:
    return evolve(NOTHING, rejected={**dict.fromkeys(STAGES, 0), **(rejected or {})}, **numbers)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            counts(
                {"filter": 5, "sizing": 1},
                received=57, adapted=57, attempted=9, opened=8, protected=8, not_attempted=43,
            ),
            "57 received, 57 adapted, 9 attempted, 8 opened, 8 protected, 1 refused by sizing, 5 by filters, "
            "43 not needed",
        ),
        (
            counts({"risk": 2, "plan": 1, "execution": 3}, received=8, adapted=6, refused=2, attempted=6),
            "8 received, 6 adapted, 2 unusable, 6 attempted, 0 opened, 0 protected, 2 refused by risk, 1 by plan, "
            "3 by execution, 0 not needed",
        ),
        (
            counts(received=1, adapted=1, undecided=1),
            "1 received, 1 adapted, 0 attempted, 0 opened, 0 protected, 0 not needed, 1 undecided",
        ),
    ],
)  # fmt: skip
def test_the_counts_of_a_wave_are_one_line_that_names_what_there_was(given: Counts, line: str) -> None:
    assert counts_line(given) == line


def test_json_has_the_stable_keys_for_each_wave_and_the_totals(shell: Shell) -> None:
    found = shell.json("report")

    assert set(found) == {"waves", "totals", "refused_without_wave"}
    assert [wave["wave_id"] for wave in found["waves"]] == [WAVE, NEXT_WAVE]
    assert all(set(wave) >= KEYS and set(wave["rejected"]) >= {"filter", "sizing", "risk"} for wave in found["waves"])
    assert (found["totals"]["received"], found["refused_without_wave"]) == (9, 1)


def test_one_wave_can_be_picked(shell: Shell) -> None:
    assert [wave["wave_id"] for wave in shell.json("report", "--wave", NEXT_WAVE)["waves"]] == [NEXT_WAVE]


def test_an_unknown_wave_is_one_line_and_status_one(shell: Shell) -> None:
    result = shell("report", "--wave", "x")

    assert result.exit_code == 1
    assert result.stderr == "error: the journal knows no wave 'x'; `framework report` shows all\n"


@pytest.mark.parametrize(
    ("option", "instant", "waves"),
    [
        ("--since", "2025-10-31T22:45Z", [NEXT_WAVE]),
        ("--since", "2025-10-31T23:45+01:00", [NEXT_WAVE]),
        ("--since", "2025-10-31", [WAVE, NEXT_WAVE]),
        ("--until", "2025-10-31T22:45", [WAVE]),
        ("--until", "2025-10-31", []),
    ],
)
def test_a_period_picks_the_waves_whose_bars_open_in_it(
    shell: Shell, option: str, instant: str, waves: list[str]
) -> None:
    assert [wave["wave_id"] for wave in shell.json("report", option, instant)["waves"]] == waves


@pytest.mark.parametrize("instant", ["yesterday", "2025-13-01", ""])
def test_what_is_no_instant_is_wrong_usage(shell: Shell, instant: str) -> None:
    assert shell("report", "--since", instant).exit_code == 2


def test_the_text_has_the_counts_the_refusals_with_their_arithmetic_and_what_it_came_to(shell: Shell) -> None:
    lines = shell.lines("report")

    assert lines[0] == (
        "wave 2025-10-31T22:30Z: 8 received, 6 adapted, 2 unusable, 4 attempted, 2 opened, 1 protected, "
        "1 refused by sizing, 1 by filters, 1 by execution, 1 not needed"
    )
    assert lines[1:6] == [
        "  refused by sizing fixed-usd: binance 4 AVAXUSDT: quantity 0.329, minimum 1 [below_minimum]",
        "  refused by execution: bybit 6 CROUSDT: entry failed [entry_failed]",
        "  refused by filter volume-1h: binance 3 LEVERUSDT: volume 1h [volume_1h]",
        "  unusable: signal 0 from recording: not JSON",
        "  unusable: signal 1 from recording: not JSON",
    ]
    assert lines[-1] == ("total: 2 opened, 1 closed, 1 still open; realised PnL +0.0500 USD after fees of 0.0060 USD")


def test_a_refusal_does_not_repeat_the_market_that_it_is_about(tmp_path: Path) -> None:
    unlisted = decision(
        FILTERED, "rejected", "filter", component="listed", code="not_listed", message="not listed here",
        numbers={"account": FILTERED.account, "symbol": FILTERED.symbol},
    )  # fmt: skip
    write(journal_path(tmp_path), SESSION, WaveOpened(BAR, WAVE, BAR), received(FILTERED), unlisted)

    assert Shell(tmp_path).lines("report")[1] == (
        "  refused by filter listed: binance 3 LEVERUSDT: not listed here [not_listed]"
    )


def test_the_text_has_protection_latencies_exits_accounts_and_errors(shell: Shell) -> None:
    lines = shell.lines("report", "--wave", WAVE)

    assert "  protection: 1 of 2 positions (50.00 %), longest time without a stop 2000.0 ms" in lines
    assert "  received to protected: median 5000.0 ms, worst 5000.0 ms, of 1" in lines
    assert "  exits by trailing-stop: 1, PnL +0.0500 USD" in lines
    assert any(line.startswith("  bybit: 2 received, 2 adapted, 2 attempted") for line in lines)
    assert "  1 × refused bybit stop: price out of range" in lines
    assert "  1 × event bybit naked: no stop" in lines


def test_a_journal_without_waves_says_so(tmp_path: Path) -> None:
    write(journal_path(tmp_path), SESSION)

    assert Shell(tmp_path).lines("report") == ["no waves"]
