"""Why a signal ended the way it did: the whole chain, as plain rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from ..core.records import PositionChanged
from ..core.verdict import Check, Number, Passed, Rejection
from .reader import JournalReader
from .rows import DecisionRow, EventRow, FactRow, FillRow, OrderRow, PositionRow, SignalRow, StopMoveRow


@frozen
class CheckLine:
    """One verdict on the way: `verdict` is ``passed``, ``notice`` or ``rejected``."""

    kind: str
    component: str
    verdict: str
    code: str
    message: str
    numbers: Mapping[str, Number]


@frozen
class StepLine:
    """One step of the position's state machine."""

    time_ns: int
    event: str
    from_state: str
    to_state: str
    status: str


@frozen
class Explanation:
    """Everything that the journal knows of one signal, each list in the order in which it happened.

    `refusals` are other arrivals under the same id that were refused. The exit is part of `position`.
    """

    signal: SignalRow
    refusals: tuple[SignalRow, ...]
    checks: tuple[CheckLine, ...]
    decisions: tuple[DecisionRow, ...]
    position: PositionRow | None
    steps: tuple[StepLine, ...]
    orders: tuple[OrderRow, ...]
    fills: tuple[FillRow, ...]
    stop_moves: tuple[StopMoveRow, ...]
    events: tuple[EventRow, ...]


def explain(reader: JournalReader, signal_id: str) -> Explanation | None:
    """The whole chain of one signal; None when the journal has never seen it."""
    signal = reader.signal(signal_id)
    if signal is None:
        return None
    decisions = reader.decisions(signal_id)
    owned = signal.position_id
    facts = reader.facts(signal_id=signal_id)
    return Explanation(
        signal=signal,
        refusals=tuple(row for row in reader.refusals(signal_id) if row.seq != signal.seq),
        checks=_checks(decisions),
        decisions=decisions,
        position=reader.position(owned) if owned else None,
        steps=_steps(facts),
        orders=reader.orders(owned) if owned else (),
        fills=reader.fills(owned) if owned else (),
        stop_moves=reader.stop_moves(owned) if owned else (),
        events=reader.events_about(signal_id, owned),
    )


def _checks(decisions: Sequence[DecisionRow]) -> tuple[CheckLine, ...]:
    """The verdicts of the newest decision that brought any: it holds all those before it as well."""
    for decision in reversed(decisions):
        if decision.checks:
            return tuple(_line(check) for check in decision.checks)
    return ()


def _line(check: Check) -> CheckLine:
    verdict = check.verdict
    if isinstance(verdict, Passed):
        return CheckLine(check.kind, check.component, "passed", "", "", verdict.numbers)
    word = "rejected" if isinstance(verdict, Rejection) else "notice"
    return CheckLine(check.kind, check.component, word, verdict.code, verdict.message, verdict.numbers)


def _steps(facts: Sequence[FactRow]) -> tuple[StepLine, ...]:
    changes = (fact.record() for fact in facts if fact.kind == "position_changed")
    return tuple(
        StepLine(change.time_ns, change.event, change.from_state, change.to_state, change.summary.status)
        for change in changes
        if isinstance(change, PositionChanged)
    )
