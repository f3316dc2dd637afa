"""What a source says of itself, and what a session remembers of the sources of the one before."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from attrs import evolve, frozen

from framework import Event, SignalReceived, SignalRefused, SourceLink, Timeline
from framework.journal import JournalReader
from framework.testing import NOW_NS, make_signal
from tests.engine.fakes import complete, in_virtual_time, venue
from tests.engine.staging import deployment, journal_of, live, play

ONE = make_signal(id="one-1", account="one", source="websocket")


@frozen
class Talker:
    """A source that has something to say."""

    name: ClassVar[str] = "talker"

    def timeline(self) -> Timeline | None:
        return None

    async def run(self, link: SourceLink) -> None:
        link.tell("warning", "source_lost", "the cable is out")


@in_virtual_time
async def test_what_a_source_says_becomes_an_event_with_its_name(tmp_path: Path) -> None:
    played = await play(deployment(tmp_path, venue(), sources=[Talker()]))
    assert played.of(Event) == [Event(NOW_NS, "warning", "source_lost", "signal source talker: the cable is out")]


@in_virtual_time
async def test_what_one_source_brought_is_not_taken_from_another_after_a_restart(tmp_path: Path) -> None:
    market = venue()
    await play(deployment(tmp_path, market, sources=[live(complete(ONE))]))
    again = evolve(ONE, id="webhook:7", source="webhook")
    played = await play(deployment(tmp_path, venue(), sources=[live(complete(again))]))
    assert played.of(SignalReceived) == []
    assert [each.bad.code for each in played.of(SignalRefused)] == ["duplicate"]


@in_virtual_time
async def test_the_journal_names_the_signals_that_were_taken_and_made_since_an_instant(tmp_path: Path) -> None:
    what = deployment(tmp_path, venue(), sources=[live(complete(ONE, evolve(ONE, id="one-2", account="nobody")))])
    await play(what)

    def taken(reader: JournalReader, since_ns: int) -> list[str | None]:
        return [row.signal_id for row in reader.signals_taken_since(since_ns)]

    with journal_of(what) as reader:
        assert taken(reader, ONE.created_ns) == ["one-1"]
        assert taken(reader, ONE.created_ns + 1) == []
