"""What the journal is told of one step of a position: the step, new executions once, stop moves and alerts."""

from __future__ import annotations

from attrs import evolve

from framework import Event, Fill, FillRecorded, OrderStatus, PositionChanged, PositionSummary, Record, Side, StopMoved
from framework.core.happenings import Alert, EntryAnswered, Filled, Level, NoteStop, StopAnswered
from framework.core.position import Position, State
from framework.engine.scribe import records_of, summary_of
from framework.engine.snapshot import freeze
from framework.testing import NOW_NS
from tests.core.strategies import D, Life, entry_fill, plan, policy, report, resting, stop_fill

LATER = NOW_NS + 1


def bought(side: Side = Side.LONG) -> Life:
    life = Life(policy(), plan(side))
    life.happens(EntryAnswered(life.it.entry.client_id, report(life.it.entry.client_id, OrderStatus.FILLED, "1")))
    life.happens(Filled(entry_fill(life.it)))
    return life


def protected(side: Side = Side.LONG) -> Life:
    life = bought(side)
    stop = life.it.stops[-1]
    life.happens(StopAnswered(stop.client_id, resting(stop.client_id, stop.trigger_price)), after_ns=7)
    return life


def of(kind: type, records: list[Record]) -> list[Record]:
    return [record for record in records if isinstance(record, kind)]


# ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_step_of_a_position_is_that_it_was_planned() -> None:
    position = Life(policy(), plan()).it
    assert records_of(None, position, None, (), LATER) == [
        PositionChanged(
            LATER, position.id, "signal-1", "wave", "paper", "BTCUSDT", "planned", "", "entering",
            summary_of(position), freeze(position),
        )
    ]  # fmt: skip


def test_a_step_is_named_after_what_happened_with_the_states_on_either_side() -> None:
    life = bought()
    before = life.it
    answer = StopAnswered(before.stops[-1].client_id, resting(before.stops[-1].client_id, "94.00"))
    life.happens(answer)
    (record,) = of(PositionChanged, records_of(before, life.it, answer, (), LATER))
    assert isinstance(record, PositionChanged)
    assert (record.event, record.from_state, record.to_state) == ("stop_answered", "unprotected", "protected")


def test_a_position_of_an_earlier_run_is_taken_over() -> None:
    before = protected().it
    (record,) = records_of(before, evolve(before, misses=1), None, (), LATER)
    assert isinstance(record, PositionChanged)
    assert record.event == "taken_over"


def test_a_step_that_changes_nothing_is_not_written_down() -> None:
    position = protected().it
    fill = next(iter(position.fills.values()))
    assert records_of(position, position, Filled(fill), (), LATER) == []


def test_an_execution_is_written_down_once_and_before_the_step_that_it_causes() -> None:
    life = protected()
    before, fill = life.it, stop_fill(life.it)
    life.happens(Filled(fill))
    records = records_of(before, life.it, Filled(fill), (), LATER)
    assert [type(record) for record in records] == [FillRecorded, PositionChanged]
    assert records[0] == FillRecorded(LATER, before.id, "paper", fill)


def test_executions_that_one_read_brings_are_each_written_down() -> None:
    before = Life(policy(), plan()).it
    fills = {fill.id: fill for fill in (entry_fill(before, "0.4", number=1), entry_fill(before, "0.6", number=2))}
    records = of(FillRecorded, records_of(before, evolve(before, fills=fills), None, (), LATER))
    assert [record.fill.id for record in records if isinstance(record, FillRecorded)] == ["in-1", "in-2"]


def test_stop_moves_and_alerts_are_written_down_with_their_numbers() -> None:
    position = protected().it
    note = NoteStop(D(94), D(96), "trailing", {"price": D(99)})
    alert = Alert(Level.ERROR, "stop_refused", "the stop was refused", {"n": 1})
    assert records_of(position, position, None, (note, alert), LATER) == [
        StopMoved(LATER, position.id, "paper", "BTCUSDT", D(94), D(96), "trailing", {"price": D(99)}),
        Event(
            LATER, "error", "stop_refused", "the stop was refused", "paper", "BTCUSDT", position.id, "signal-1",
            {"n": 1},
        ),
    ]  # fmt: skip


# ── the summary ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_position_that_is_being_opened_has_its_planned_quantity_and_no_prices_yet() -> None:
    assert summary_of(Life(policy(), plan()).it) == PositionSummary(
        side="long", status="opening", quantity=D(1), entry_price=None, initial_stop_price=None, stop_price=None,
        exit_price=None, exit_reason=None, realized_pnl_usd=None, fees_usd=D(0), decided_ns=NOW_NS, opened_ns=None,
        protected_ns=None, closed_ns=None,
    )  # fmt: skip


def test_a_stop_that_was_only_asked_for_is_no_stop_price() -> None:
    assert summary_of(bought().it).stop_price is None


def test_a_protected_position_has_its_stop_and_when_it_was_first_covered() -> None:
    summary = summary_of(protected(Side.SHORT).it)
    assert (summary.side, summary.status, summary.entry_price) == ("short", "open", D(100))
    assert (summary.initial_stop_price, summary.stop_price) == (D(106), D(106))
    assert (summary.opened_ns, summary.protected_ns) == (NOW_NS, NOW_NS + 7)


def test_a_position_that_its_stop_closed_says_at_which_trigger_and_what_it_cost() -> None:
    life = protected()
    exit_fill: Fill = evolve(stop_fill(life.it, price="93.9"), time_ns=LATER)
    life.happens(Filled(exit_fill))
    summary = summary_of(life.it)
    assert (summary.exit_price, summary.exit_reason, summary.exit_trigger_price) == (D("93.9"), "fixed", D(94))
    assert summary.fees_usd == D("0.02")
    assert summary.realized_pnl_usd == D("-6.12")
    assert summary.exit_triggered_ns == LATER


def test_a_position_that_is_over_has_no_stop_price_any_more() -> None:
    position: Position = evolve(protected().it, state=State.CLOSED)
    assert summary_of(position).stop_price is None
