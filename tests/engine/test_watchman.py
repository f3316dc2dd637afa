"""The watchman of a session: what parts report, alerts, and the sign of life."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest
from attrs import define, field

from framework import (
    Batch,
    Decision,
    Event,
    Health,
    HealthSeen,
    Outcome,
    Record,
    Refusal,
    SourceLink,
    SourceState,
    StreamLost,
    StreamRestored,
    Timeline,
)
from framework.core.alerts import ALERTS
from framework.engine.watchman import Watchman
from framework.errors import JournalError
from framework.journal import Pulse
from framework.testing import NOW_NS, StillClock, make_signal
from tests.core.records import changed
from tests.engine.fakes import complete, in_virtual_time, running, venue
from tests.engine.staging import Script, deployment, play, session_of

SECOND_NS = 1_000_000_000
STOP = Outcome(NOW_NS, "p-1", "one", "AVAXUSDT", "stop", "p-1-s0", "refused", 5, "no")


@define
class Rig:
    """A watchman whose clock is set by hand, what it wrote, and what it told the observers alone."""

    written: list[Event] = field(factory=list)
    told: list[Event] = field(factory=list)
    why: str = ""
    trouble: str = ""
    lost: list[str] = field(factory=list)
    clock: StillClock = field(factory=StillClock)
    watchman: Watchman = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.watchman = Watchman(
            self.clock, self._write, self._tell, lambda: self.why, lambda: self.trouble, self.lost.append
        )

    def _write(self, record: Record) -> None:
        assert isinstance(record, Event)
        self.written.append(record)

    def _tell(self, record: Record) -> None:
        assert isinstance(record, Event)
        self.told.append(record)

    def codes(self) -> list[str]:
        return [event.code for event in self.written]


def test_a_change_of_health_is_written_down_with_a_level_that_means_something() -> None:
    rig = Rig()
    for health, reason in ((Health.DEGRADED, "slow"), (Health.DOWN, "gone"), (Health.HEALTHY, "")):
        rig.watchman.report("source websocket", "connected", health, reason)

    assert [(event.level, event.code, event.message) for event in rig.written] == [
        ("warning", "health_degraded", "source websocket: connected: slow"),
        ("error", "health_down", "source websocket: connected: gone"),
        ("info", "health_restored", "source websocket: connected is healthy again"),
    ]


def test_what_an_event_of_its_own_tells_is_kept_on_the_board_and_not_written_twice() -> None:
    rig = Rig()
    rig.watchman.report("account one", "stream", Health.DEGRADED, "lost", told=True)

    assert rig.written == []
    assert rig.watchman.board.of("account one") is Health.DEGRADED


def test_an_account_is_degraded_while_a_stop_of_its_is_not_confirmed() -> None:
    rig = Rig()
    rig.watchman.see(STOP)
    assert rig.watchman.board.of("account one") is Health.DEGRADED
    assert rig.codes() == ["alert_stop_not_placed", "health_degraded"]

    rig.watchman.see(changed("p-1", to="protected"))

    assert rig.watchman.board.of("account one") is Health.HEALTHY
    assert rig.codes()[-1] == "health_restored"


def test_while_nothing_may_be_opened_the_engine_is_degraded_and_says_why() -> None:
    rig = Rig(why="halted by an operator")
    rig.watchman.look()
    assert [each.reason for each in rig.watchman.board.troubles] == ["halted by an operator"]

    rig.why = ""
    rig.watchman.look()

    assert rig.watchman.board.troubles == ()


def test_a_lease_that_was_lost_stops_entries_and_is_told_once() -> None:
    rig = Rig()
    rig.watchman.look()
    assert rig.codes() == []

    rig.trouble = "the lock was removed"
    rig.watchman.look()
    rig.watchman.look()

    [event] = rig.written
    assert (event.level, event.code) == ("error", "lease_lost")
    assert event.message.startswith("the lock was removed; nothing is opened here any more")
    assert rig.lost == ["the lease was lost: the lock was removed"]
    assert rig.watchman.board.of("engine") is Health.DOWN


def test_when_the_journal_fails_observers_are_told_although_nothing_can_be_written() -> None:
    rig = Rig()
    rig.watchman.journal_failed(JournalError("the disk is full"))

    assert [(event.level, event.code) for event in rig.told] == [("error", "health_down"), ("error", "alert_journal")]
    assert rig.written == []
    assert rig.watchman.board.of("journal") is Health.DOWN


def test_the_sign_of_life_carries_every_condition(tmp_path: Path) -> None:
    rig = Rig()
    rig.watchman.pulse = Pulse(tmp_path)
    rig.watchman.report("source websocket", "connected", Health.DOWN, "refused")
    rig.watchman.beat()

    vitals = Pulse(tmp_path).read()

    assert vitals is not None
    assert vitals.ended == ""
    assert [(each.part, each.health, each.reason) for each in vitals.conditions] == [
        ("source websocket", Health.DOWN, "refused")
    ]


def test_a_sign_of_life_that_cannot_be_given_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    rig = Rig()
    rig.watchman.pulse = Pulse(tmp_path / "not there")
    rig.watchman.beat()
    rig.watchman.beat()

    assert rig.codes() == ["health_degraded"]
    assert "No such file" in rig.written[0].message


# ── in a session ────────────────────────────────────────────────────────────────────────────────────────────


@define
class Connects:
    """A source that delivers nothing for an hour and a minute, and whose state is what it is told to be."""

    name: ClassVar[str] = "connects"

    told: SourceState | Exception

    def timeline(self) -> Timeline | None:
        return None

    def state(self) -> SourceState:
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    async def run(self, link: SourceLink) -> None:
        link.tell("warning", "source_lost", "connection refused")
        await asyncio.sleep(3_660)


LOST = SourceState(connected=False, authenticated=True, trouble="connection refused")
LATE = SourceState(connected=True, authenticated=True, overdue_ns=1_761_949_800_000_000_000)
FINE = SourceState(connected=True, authenticated=True)


@pytest.mark.parametrize(
    ("state", "health"),
    [(FINE, Health.HEALTHY), (LATE, Health.DEGRADED), (LOST, Health.DOWN), (ValueError("no"), Health.DEGRADED)],
)
@in_virtual_time
async def test_the_health_of_a_source_follows_from_its_facts(
    tmp_path: Path, state: SourceState | Exception, health: Health
) -> None:
    played = await play(deployment(tmp_path, venue(), sources=[Connects(state)]))

    assert played.session.watchman.board.of("source connects") is health


@pytest.mark.parametrize("replaced", [False, True])
@in_virtual_time
async def test_a_session_whose_lock_is_taken_away_opens_nothing_any_more(tmp_path: Path, replaced: bool) -> None:
    def take_away() -> None:
        [lock] = tmp_path.glob("var/*.lock")
        lock.unlink()
        if replaced:
            lock.touch()

    market = venue()
    one = complete(make_signal(id="one-1", account="one"))
    two = complete(make_signal(id="two-1", account="one", symbol="ETHUSDT", bar_time_ns=NOW_NS - 1_800 * SECOND_NS))

    played = await play(deployment(tmp_path, market, sources=[Script((one, 5, take_away, 61, two, 5))]))

    assert [event.code for event in played.of(Event) if "lease" in event.code] == ["lease_lost", "alert_lease_lost"]
    assert len(market.of("place_entry")) == 1
    assert "entries_stopped" in [decision.code for decision in played.of(Decision)]


@in_virtual_time
async def test_two_sources_of_one_name_are_told_apart(tmp_path: Path) -> None:
    played = await play(deployment(tmp_path, venue(), sources=[Connects(FINE), Connects(LOST)]))

    board = played.session.watchman.board
    assert (board.of("source connects"), board.of("source connects 2")) == (Health.HEALTHY, Health.DOWN)


@in_virtual_time
async def test_what_a_source_tells_reaches_the_journal_under_its_name(tmp_path: Path) -> None:
    played = await play(deployment(tmp_path, venue(), sources=[Connects(LOST)]))

    texts = [event.message for event in played.of(Event) if event.code == "source_lost"]
    assert texts == ["signal source connects: connection refused"]


@in_virtual_time
async def test_a_source_that_raises_is_down(tmp_path: Path) -> None:
    played = await play(deployment(tmp_path, venue(), sources=[Script((OSError("no network"),))]))

    assert played.session.watchman.board.of("source script") is Health.DOWN


@in_virtual_time
async def test_a_source_that_is_in_trouble_for_an_hour_raises_one_alert_in_a_session(tmp_path: Path) -> None:
    played = await play(deployment(tmp_path, venue(), sources=[Connects(LOST)]))

    assert [event.code for event in played.of(Event) if event.code in ALERTS] == ["alert_source_degraded"]


@in_virtual_time
async def test_an_account_tells_of_its_streams() -> None:
    market, heard = venue(), []
    async with running(market) as rig:
        rig.engine.report = lambda *what, **how: heard.append((*what[:3], how.get("told", False)))
        rig.engine.news.report = rig.engine.report
        for event in (
            StreamLost("silent"),
            StreamRestored(),
            HealthSeen("stream prices", Health.DEGRADED, "silent"),
        ):
            rig.engine.exchange_event("one", event)
        await rig.at_rest()

    assert heard == [
        ("account one", "stream", Health.DEGRADED, True),
        ("account one", "stream", Health.HEALTHY, True),
        ("account one", "stream prices", Health.DEGRADED, False),
    ]


@in_virtual_time
async def test_a_stop_that_the_venue_refuses_raises_an_alert_in_a_session(tmp_path: Path) -> None:
    market = venue()
    market.twist("place_stop", Refusal("filters", "no"))
    source = Script((complete(make_signal(id="one-1", account="one")), 5))

    played = await play(deployment(tmp_path, market, sources=[source]))

    assert "alert_stop_not_placed" in [event.code for event in played.of(Event)]
    assert played.session.watchman.board.of("account one") is Health.HEALTHY


@in_virtual_time
async def test_a_session_gives_a_sign_of_life_and_says_when_it_ends(tmp_path: Path) -> None:
    what = deployment(tmp_path, venue(), sources=[Script((30, Batch(())))])
    session = session_of(what, [])
    session.pulse = session.watchman.pulse = Pulse(what.state)

    await session.run(lambda: None)

    vitals = Pulse(what.state).read()
    assert vitals is not None
    assert vitals.ended == "sources ended"
    assert {each.part for each in vitals.conditions} >= {"account one", "source script", "engine"}
