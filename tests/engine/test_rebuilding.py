"""A snapshot that can't be read stops no start: the position is rebuilt from its records, and the venue is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from framework import Fill, MarketData, OrderSide, Refusal, Unknown
from framework.config import Configured
from framework.core.ids import Leg, client_id
from framework.core.legs import LegState
from framework.core.position import Position
from framework.core.records import Event
from framework.engine import scribe
from framework.engine.rebuilding import rebuilt
from framework.engine.snapshot import freeze
from framework.journal import FillRow
from framework.testing import SYMBOL, make_candles, make_quote, make_signal
from tests.core.measures import Measures
from tests.core.strategies import D
from tests.engine.fakes import Venue, complete, in_virtual_time, venue, virtual_clock
from tests.engine.staging import FOREVER, Played, deployment, journal_of, live, play
from tests.engine.test_restart_tidies import second_run, terminate

ONE = make_signal(id="one-1", account="one")


def keeps(*names: str) -> Any:
    """A `freeze` that writes these parts alone, and other names for all else."""

    def damaged(position: Position) -> Mapping[str, object]:
        return {name if name in names else f"old_{name}": value for name, value in freeze(position).items()}

    return damaged


RULES_ALONE = keeps("plan")
NOTHING = keeps()


async def first_run(tmp_path: Path, market: Venue, monkeypatch: pytest.MonkeyPatch, written: Any) -> Played:
    """A run that opens a position, and writes down snapshots that nobody can read."""
    with monkeypatch.context() as patch:
        patch.setattr(scribe, "freeze", written)
        return await play(deployment(tmp_path, market, sources=[live(complete(ONE), 10, terminate, FOREVER)]))


def told(played: Played) -> list[tuple[str, str]]:
    return [(event.code, event.level) for event in played.of(Event) if event.code == "snapshot_unreadable"]


@in_virtual_time
async def test_a_protected_position_goes_on_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    market = venue()
    first = await first_run(tmp_path, market, monkeypatch, RULES_ALONE)

    played = await second_run(tmp_path, market)

    assert played.end.open_positions == first.end.open_positions
    assert market.of("place_entry", "place_stop", "cancel_stop", "close_position") == []
    assert told(played) == [("snapshot_unreadable", "warning")]
    (event,) = [event for event in played.of(Event) if event.code == "snapshot_unreadable"]
    assert "\n" not in event.message
    assert "can't be read (KeyError: 'id'); it is rebuilt from its requests and executions" in event.message


@in_virtual_time
async def test_what_was_rebuilt_is_written_down_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    market = venue()
    await first_run(tmp_path, market, monkeypatch, RULES_ALONE)
    await second_run(tmp_path, market)

    played = await second_run(tmp_path, market)

    assert [(line.quantity, line.stop_price) for line in played.end.open_positions] == [(D(1), D("94.01"))]
    assert told(played) == []


@in_virtual_time
@pytest.mark.parametrize("readable", [("plan", "measured"), ()], ids=["rebuilt", "as it was"])
async def test_what_its_protections_measured_is_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, readable: tuple[str, ...]
) -> None:
    market = venue()
    quote = make_quote(time_ns=virtual_clock().now_ns())
    hours = make_candles("1h", 2, first_open=90, last_close=96)
    market.twist("market_data", MarketData(SYMBOL, quote, None, {"1h": hours}))
    measuring = (Configured("measures", True, Measures(), "config.toml:50 [[protection]]"),)

    async def run(*lines: Any) -> Played:
        sources = [live(*lines, terminate, FOREVER)]
        return await play(evolve(deployment(tmp_path, market, sources=sources), protections=measuring))

    with monkeypatch.context() as patch:
        if readable:
            patch.setattr(scribe, "freeze", keeps(*readable))
        first = await run(complete(ONE), 10)
    second = await run(60)

    assert [line.stop_price for line in first.end.open_positions] == [D("97.01")]
    assert second.end.open_positions == first.end.open_positions
    assert [event.code for event in second.of(Event) if event.code == "protection_failed"] == []
    assert {position.guarded.measured["height"] for position in second.session.engine.open_positions()} == {D(3)}


@in_virtual_time
async def test_a_stop_that_is_gone_is_placed_again_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = venue()
    await first_run(tmp_path, market, monkeypatch, RULES_ALONE)
    (before,) = market.rests.values()
    market.rests.clear()

    played = await second_run(tmp_path, market)

    (after,) = market.rests.values()
    assert (after.trigger_price, after.quantity) == (before.trigger_price, before.quantity)
    assert after.client_id != before.client_id, "no id is used twice"
    assert [line.stop_price for line in played.end.open_positions] == [before.trigger_price]


@in_virtual_time
async def test_one_that_its_stop_closed_meanwhile_is_closed_with_its_executions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = venue()
    await first_run(tmp_path, market, monkeypatch, RULES_ALONE)
    ((client_id, _),) = market.rests.items()
    market.rests.clear()
    market.held.clear()
    now_ns = virtual_clock().now_ns()
    sold = Fill("stop", "stop", client_id, SYMBOL, OrderSide.SELL, D(1), D(94), D(0), now_ns, "stop")
    market.executed.append(sold)

    what = deployment(tmp_path, market, sources=[live(60, terminate, FOREVER)])
    played = await play(what)

    assert played.end.open_positions == ()
    with journal_of(what) as reader:
        (row,) = reader.positions()
        assert (row.status, row.exit_price, row.signal_id) == ("closed", D(94), "one-1")
        assert len(reader.fills(row.position_id)) == 2


@in_virtual_time
async def test_an_entry_that_nobody_knew_is_looked_for_and_never_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = venue()
    market.twist("place_entry", Unknown("timeout"))
    await first_run(tmp_path, market, monkeypatch, keeps("plan", "wanted_stop", "planned_price"))
    (sent,) = market.of("place_entry")
    market._fill(sent.what)

    played = await second_run(tmp_path, market)

    assert [(line.quantity, line.stop_price) for line in played.end.open_positions] == [(D(1), D("94.01"))]
    assert market.of("place_entry") == []


@in_virtual_time
async def test_one_that_was_being_closed_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    market = venue()
    market.twist("place_stop", *[Refusal("-2027", "too many stops")] * 3)
    market.twist("close_position", *[Unknown("timeout")] * 9)
    await first_run(tmp_path, market, monkeypatch, RULES_ALONE)
    market.twists.clear()

    played = await second_run(tmp_path, market)

    assert played.end.open_positions == ()
    assert market.held == {}


@in_virtual_time
async def test_one_of_which_too_little_is_left_is_taken_over_from_the_venue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = venue()
    await first_run(tmp_path, market, monkeypatch, NOTHING)

    played = await second_run(tmp_path, market)

    assert told(played) == [("snapshot_unreadable", "error")]
    assert [(line.quantity, line.stop_price) for line in played.end.open_positions] == [(D(1), D("94.01"))]
    assert market.of("place_entry", "place_stop", "close_position") == []


@in_virtual_time
@pytest.mark.parametrize(
    ("result", "filled", "state"),
    [
        (None, "0", LegState.UNKNOWN),
        ("accepted", "0.1", LegState.UNKNOWN),
        ("accepted", "0.4", LegState.DONE),
        ("refused", "0", LegState.DONE),
    ],
)
async def test_a_resting_target_is_remembered_so_that_its_id_is_not_used_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: str | None, filled: str, state: LegState
) -> None:
    market = venue()
    await first_run(tmp_path, market, monkeypatch, RULES_ALONE)
    with journal_of(deployment(tmp_path, market)) as reader:
        (row,) = reader.open_snapshots(changed_since_ns=0)
        identity = row.position.position_id
        orders, fills, moves = reader.orders(identity), reader.fills(identity), reader.stop_moves(identity)
    name = client_id(identity, Leg.TARGET, 0)
    request = {"quantity": "0.4", "price": "103"}
    rests = evolve(orders[0], client_id=name, action="target", leg="target", request=request, result=result)
    took = FillRow("one", SYMBOL, "took", 0, identity, "took", name, "sell", D(filled), D(103), D(0), 0, "")

    position = rebuilt(row.position, row.snapshot, [*orders, rests], [*fills, took], moves)

    assert position is not None
    (leg,) = position.targets
    assert (leg.client_id, leg.price, leg.quantity) == (name, D(103), D("0.4"))
    assert (leg.state, leg.filled) == (state, D(filled))
