"""``reconcile --plan``, ``halt``, ``resume`` and ``flatten``, as an operator uses them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from framework.journal import Control, JournalReader, journal_path
from tests.cli.shell import Shell, call
from tests.cli.venue_rig import SYMBOL, deployed, play
from tests.hooks.stage import Stage

BROKEN = "raise RuntimeError('this plugin is broken')"

# ── halt and resume ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_halt_is_said_by_halt_positions_and_report_until_it_is_taken_back(shell: Shell) -> None:
    (said,) = shell.lines("halt", "--reason", "news at eight")
    assert said.startswith("halted since 20")
    assert said.endswith(": news at eight; nothing is opened until `framework resume`")
    assert shell.lines("positions")[0] == said
    assert shell.lines("report")[0] == said
    as_json = shell("positions", "--json")
    assert (as_json.exit_code, as_json.stderr, as_json.stdout[0]) == (0, said + "\n", "[")

    assert shell.lines("resume") == ["resumed: positions may be opened again"]
    assert shell.lines("resume") == ["nothing was halted"]
    assert not shell.lines("positions")[0].startswith("halted")


def test_a_halt_needs_no_journal_and_no_plugin(tmp_path: Path) -> None:
    result = call("halt", "--state", tmp_path / "new")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "by the operator" in result.stdout


def test_run_obeys_a_halt_that_was_there_before_it(stage: Stage) -> None:
    config = stage.write(plugins='[plugins]\nload = ["base"]')
    call("halt", "--config", config, "--reason", "news")
    result = call("run", "--config", config)
    assert result.exit_code == 0
    assert "warning: halted since" in result.stdout
    assert any(line.startswith("  refused by plan") and "halted since" in line for line in result.stdout.splitlines())


# ── usage ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_reconcile_says_that_it_only_plans(stage: Stage) -> None:
    result = call("reconcile", "--config", stage.write())
    assert (result.exit_code, "--plan" in result.stderr) == (2, True)


@pytest.mark.parametrize("words", [["reconcile", "--plan"], ["flatten", "--dry-run"], ["flatten", "--yes"]])
def test_simulated_accounts_have_nothing_to_compare_or_to_close(stage: Stage, words: list[str]) -> None:
    result = call(*words, "--config", stage.write())
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize("words", [["reconcile", "--plan"], ["flatten", "--dry-run"], ["flatten", "--yes"]])
def test_an_account_that_is_not_there_is_named(stage: Stage, words: list[str]) -> None:
    result = call(*words, "--account", "other", "--config", stage.write())
    assert result.exit_code == 2
    assert result.stderr == "error: --account other: there is no enabled account of that name; there are: main\n"


def test_flatten_asks_first_and_does_nothing_without_a_yes(stage: Stage) -> None:
    result = call("flatten", "--config", stage.write())
    assert result.exit_code == 1
    assert "close every position of ours on all accounts at the market?" in result.stdout
    assert Control(stage.directory / "var").halted() is None


def test_only_the_plugins_of_exchanges_are_loaded(stage: Stage) -> None:
    stage.install_source(BROKEN)
    config = stage.write()
    assert call("run", "--config", config).exit_code == 2
    result = call("reconcile", "--plan", "--config", config)
    assert (result.exit_code, result.stderr) == (0, "")


def test_an_exchange_that_no_plugin_offers_is_an_error_that_names_the_broken_plugin(stage: Stage) -> None:
    stage.install_source(BROKEN)
    config = stage.write(exchanges='[exchanges.main]\nuse = "gone"\nmax_positions_per_wave = 1')
    result = call("flatten", "--yes", "--config", config)
    assert result.exit_code == 2
    assert "this plugin is broken" in result.stderr


# ── on a venue ──────────────────────────────────────────────────────────────────────────────────────────────


def test_flatten_asks_the_session_that_runs_and_waits_until_it_is_flat(stage: Stage) -> None:
    async def scenario() -> None:
        async with deployed("binance", stage) as rig, rig.running() as run:
            plan = await rig("reconcile", "--plan", "--json")
            assert (plan.status, [row["action"] for row in plan.json]) == (0, ["keep"]), plan
            second = await rig("run", "--live", "main")
            assert second.status == 3
            assert f"is in use by process {run.pid}, running since " in second.err

            done = await rig("flatten", "--yes")

            assert done.status == 0, done
            assert done.lines[0].startswith(f"asking process {run.pid}, ")
            assert done.lines[1].startswith("closed: main BTCUSDT long ")
            assert done.lines[-1] == "flat: nothing of ours is open"
            assert (rig.held(), rig.resting()) == (0, 0)
            assert run.returncode is None
            assert Control(rig.state).halted() is not None
            run.send_signal(signal.SIGTERM)
            assert await run.wait() == 0

    play(scenario)


@pytest.mark.parametrize("venue", ["binance", "bybit"])
def test_after_run_died_the_plan_is_told_and_flatten_closes_by_itself(stage: Stage, venue: str) -> None:
    async def scenario() -> None:
        async with deployed(venue, stage) as rig:
            await rig.left_by_a_kill()
            rig.trade_by_hand("ETHUSDT", 1)
            plan = await rig("reconcile", "--plan", "--json")
            assert {row["symbol"]: row["action"] for row in plan.json}["ETHUSDT"] == "ignore", plan
            dry = await rig("flatten", "--dry-run")
            assert [line.split(": ")[1] for line in dry.lines] == [
                "would be closed at the market",
                "would stay, it is not ours",
            ], dry
            locked = await rig("flatten", "--yes")
            assert (locked.status, rig.held()) == (2, 2)
            assert "to trade there, start with --live main" in locked.err

            done = await rig("flatten", "--yes", "--live", "main")

            assert done.status == 0, done
            assert any("closed at" in line and "by flatten" in line for line in done.lines), done
            assert done.lines[-1] == "flat: nothing of ours is open"
            assert (rig.held(), rig.resting()) == (1, 0)
            with JournalReader.open(journal_path(rig.state)) as journal:
                assert [(row.status, row.exit_reason) for row in journal.positions()] == [("closed", "flatten")]

    play(scenario)


def test_flatten_works_with_a_broken_plugin_and_without_the_journal_by_our_ids(stage: Stage) -> None:
    async def scenario() -> None:
        async with deployed("binance", stage) as rig:
            await rig.left_by_a_kill()
            stage.site.add("more", BROKEN)
            text = rig.config.read_text().replace('"protection"]', '"protection", "more", "gone"]')
            rig.config.write_text(text.replace('use = "stop-loss"', 'use = "no-such-protection"'))
            for file in rig.state.iterdir():
                file.unlink()
            assert (await rig("run", "--live", "main")).status == 2

            plan = await rig("reconcile", "--plan", "--json")
            assert [(row["action"], row["symbol"]) for row in plan.json] == [("adopt", SYMBOL)], plan
            assert plan.status == 1
            done = await rig("flatten", "--yes", "--live", "main")

            assert done.status == 0, done
            assert (rig.held(), rig.resting()) == (0, 0)

    play(scenario)


def test_a_session_that_does_not_obey_is_named_and_the_wish_withdrawn(stage: Stage) -> None:
    async def scenario() -> None:
        async with deployed("binance", stage) as rig, rig.running() as run:
            run.send_signal(signal.SIGSTOP)
            done = await rig("flatten", "--yes")
            assert done.status == 1
            assert f"process {run.pid}, running since " in done.err
            assert "does not take the wish up; end that process, and flatten again" in done.err
            assert Control(rig.state).flatten_wanted() is None
            assert Control(rig.state).halted() is not None

    play(scenario)


def test_a_venue_that_can_not_be_reached_is_told_with_status_3(stage: Stage) -> None:
    async def scenario() -> None:
        async with deployed("binance", stage) as rig:
            text = rig.config.read_text().splitlines()
            nobody = ['base_url = "http://127.0.0.1:1"' if line.startswith("base_url") else line for line in text]
            rig.config.write_text("\n".join(nobody))
            plan = await rig("reconcile", "--plan")
            assert plan.status == 3
            assert "main: " in plan.err

    play(scenario)


def test_an_orphan_is_planned_for_removal_only_after_a_second_reading(stage: Stage) -> None:
    async def scenario() -> None:
        async with deployed("binance", stage) as rig:
            await rig.left_by_a_kill()
            for file in rig.state.iterdir():
                file.unlink()
            rig.trade_by_hand(SYMBOL, 0)
            assert (rig.held(), rig.resting()) == (0, 1)
            plan = await rig("reconcile", "--plan", "--json")
            assert [(row["action"], row["case"]) for row in plan.json] == [
                ("cancel", "flat: order of ours left behind")
            ]
            assert rig.resting() == 1, "it was only planned"

    play(scenario)
