"""The table: every pair of a state and a happening is in it, or is an error."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from attrs import evolve

from framework.core import lifecycle
from framework.core.happenings import (
    CloseAnswered,
    CloseWanted,
    DeadlinePassed,
    EntryAnswered,
    EntryExpired,
    Filled,
    Happening,
    PriceReached,
    ReadFailed,
    ReadVenue,
    RulesChanged,
    SendEntry,
    SilenceOver,
    StopAnswered,
    StopChanged,
    VenueRead,
)
from framework.core.lifecycle import TABLE, Row, advance
from framework.core.orders import OrderStatus, Refusal, Unknown
from framework.core.position import Position, State
from framework.core.steering import SECOND_NS
from framework.errors import ProtocolError
from tests.core.strategies import (
    D,
    Life,
    close_fill,
    entry_fill,
    foreign_fill,
    gone,
    held,
    opened,
    plan,
    policy,
    protected,
    report,
    resting,
    stop_fill,
)

PLAIN = policy()
HAPPENINGS: tuple[type, ...] = get_args(Happening)


def entering() -> Life:
    return Life(PLAIN, plan())


def unknown() -> Life:
    life = entering()
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("timeout")))
    return life


def aborted() -> Life:
    life = unknown()
    life.read(None, after_ns=20 * SECOND_NS)
    life.read(None, after_ns=SECOND_NS)
    return life


def emergency() -> Life:
    life = opened(PLAIN)
    life.happens(DeadlinePassed(), after_ns=PLAIN.protect_within_ns)
    return life


def closing() -> Life:
    life = protected(PLAIN)
    life.happens(CloseWanted("operator"))
    return life


def quarantined() -> Life:
    life = protected(PLAIN)
    life.read(held("2"))
    return life


def closed() -> Life:
    life = closing()
    life.happens(Filled(close_fill(life.it)))
    life.read(None)
    return life


LIVES = {
    State.ENTERING: entering,
    State.UNKNOWN: unknown,
    State.UNPROTECTED: lambda: opened(PLAIN),
    State.PROTECTED: lambda: protected(PLAIN),
    State.EMERGENCY: emergency,
    State.CLOSING: closing,
    State.QUARANTINED: quarantined,
    State.CLOSED: closed,
    State.ABORTED: aborted,
}


def happenings_of(position: Position, kind: type, now_ns: int) -> list[Any]:
    """Some happenings of one type, good ones and bad ones, that name the position's own orders where it has any."""
    entry = position.entry.client_id
    stop = position.stops[-1].client_id if position.stops else "none"
    close = position.closes[-1].client_id if position.closes else "none"
    answers: list[Any] = [
        Unknown("timeout"),
        Refusal("no", "not now", for_good=False),
        Refusal("no", "passed", crossed=True),
        Refusal("budget", "silent", for_good=False, silent_ns=SECOND_NS),
    ]
    reports = [(status, filled) for status in OrderStatus for filled in ("0", "0.4", "1")]
    fills = [entry_fill(position, number=7), foreign_fill(position, "0.5", opens=True)]
    fills += [foreign_fill(position, "0.5", opens=False), foreign_fill(position, "1", opens=False)]
    fills += [stop_fill(position)] if position.stops else []
    fills += [close_fill(position)] if position.closes else []
    stops = [resting(stop, "94"), resting(stop, "95", "0.4"), gone(stop), gone(stop, "triggered")]
    known = {identifier: report(identifier, OrderStatus.FILLED, "1") for identifier in (entry, close)}
    made: dict[type, list[Any]] = {
        EntryAnswered: [EntryAnswered(entry, a) for a in answers]
        + [EntryAnswered(entry, report(entry, status, filled)) for status, filled in reports],
        EntryExpired: [EntryExpired(entry), EntryExpired("none")],
        Filled: [Filled(fill) for fill in fills],
        StopAnswered: [StopAnswered(stop, a, c) for a in (*answers, *stops) for c in (False, True)],
        StopChanged: [StopChanged(stop_report) for stop_report in stops],
        PriceReached: [PriceReached(D(price), now_ns) for price in (90, 110)],
        CloseWanted: [CloseWanted("operator")],
        CloseAnswered: [CloseAnswered(close, a) for a in answers]
        + [CloseAnswered(close, report(close, status, filled)) for status, filled in reports],
        VenueRead: [
            VenueRead(now_ns, position_seen, tuple(seen), orders, tuple(executed))
            for position_seen in (None, held("0.4"), held("1"), held("2"), held("-1"))
            for seen in ([], stops[:1])
            for orders in ({}, {entry: None, close: None}, known)
            for executed in ([], fills)
        ],
        ReadFailed: [ReadFailed("timeout")],
        DeadlinePassed: [DeadlinePassed()],
        SilenceOver: [SilenceOver()],
        RulesChanged: [RulesChanged(evolve(position.plan.rules, tick_size=D(7), step_size=D("0.3")))],
    }
    return made[kind]


@pytest.mark.parametrize("state", State)
def test_each_state_has_a_position_that_is_in_it(state: State) -> None:
    assert LIVES[state]().it.state is state


@pytest.mark.parametrize("kind", HAPPENINGS)
@pytest.mark.parametrize("state", State)
def test_every_happening_leads_where_its_row_allows_or_is_an_error(state: State, kind: type) -> None:
    life = LIVES[state]()
    for happening in happenings_of(life.it, kind, life.now_ns):
        if (state, kind) in TABLE:
            after, _ = advance(life.it, happening, PLAIN, life.now_ns)
            assert after.state in TABLE[state, kind].to
        else:
            with pytest.raises(ProtocolError, match="cannot happen"):
                advance(life.it, happening, PLAIN, life.now_ns)


@pytest.mark.parametrize("first", HAPPENINGS)
@pytest.mark.parametrize("state", State)
def test_whatever_follows_on_whatever_the_table_holds(state: State, first: type) -> None:
    """Every happening after every other: nothing raises but what cannot happen, and no entry follows on another."""
    life = LIVES[state]()
    if (state, first) not in TABLE:
        return
    for one in happenings_of(life.it, first, life.now_ns):
        between, commands = advance(life.it, one, PLAIN, life.now_ns)
        assert not any(isinstance(command, SendEntry) for command in commands)
        for second in HAPPENINGS:
            if (between.state, second) not in TABLE:
                continue
            for other in happenings_of(between, second, life.now_ns + 1)[:6]:
                after, commands = advance(between, other, PLAIN, life.now_ns + 1)
                assert after.entered >= between.entered or second is VenueRead
                assert not any(isinstance(command, SendEntry) for command in commands)


def test_every_state_can_be_reached_and_every_one_can_end() -> None:
    ways = {(state, to) for (state, _), row in TABLE.items() for to in row.to}

    def reached(start: set[State], forward: bool) -> set[State]:
        found = set(start)
        while more := {b if forward else a for a, b in ways if (a if forward else b) in found} - found:
            found |= more
        return found

    assert reached({State.ENTERING}, True) == set(State)
    assert reached({state for state in State if state.is_final}, False) == set(State)


def test_every_happening_means_something_somewhere() -> None:
    assert {kind for _, kind in TABLE} == set(HAPPENINGS)


def test_a_handler_that_leads_astray_is_our_own_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    life = protected(PLAIN)
    row = Row((State.PROTECTED,), TABLE[State.PROTECTED, CloseWanted].handler)
    monkeypatch.setitem(lifecycle.TABLE, (State.PROTECTED, CloseWanted), row)

    with pytest.raises(ProtocolError, match="must not lead from protected to closing"):
        life.happens(CloseWanted("operator"))


def test_one_step_asks_for_one_read_at_most_with_all_orders_in_doubt() -> None:
    life = unknown()

    life.read(held("1.5"))

    (read,) = life.asked(ReadVenue)
    assert read.orders == (life.it.entry.client_id,)
