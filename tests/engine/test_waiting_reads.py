"""Of all reads that a position asks for one waits at most: the earliest, for all that anybody wants to know."""

from __future__ import annotations

import asyncio

from attrs import define, field

from framework import Fill, OrderReport, StopReport, VenuePosition
from framework.core.happenings import Happening, ReadVenue, VenueRead
from framework.core.lifecycle import begin
from framework.core.position import Position
from framework.core.records import Record
from framework.engine.desk import Desk
from framework.engine.dispatch import Dispatcher
from framework.testing import make_plan
from tests.core.strategies import policy
from tests.engine.fakes import S, in_virtual_time, virtual_clock

POLICY = policy()


@define
class Reads:
    """A venue that can only be read, and tells when it was."""

    times_s: list[float] = field(factory=list)

    async def entry_report(self, symbol: str, client_id: str) -> OrderReport | None:
        return None

    async def stops(self, symbol: str) -> tuple[StopReport, ...]:
        self.times_s.append(asyncio.get_running_loop().time())
        return ()

    async def positions(self) -> tuple[VenuePosition, ...]:
        return ()

    async def fills(self, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        return ()


@define
class Stage:
    """A dispatcher with nothing but that venue."""

    position: Position = field(factory=lambda: begin(make_plan(), "wave", POLICY, 0)[0])
    venue: Reads = field(factory=Reads)
    said: list[Happening] = field(factory=list)
    dispatcher: Dispatcher = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.dispatcher = Dispatcher(virtual_clock(), _keep, lambda _, happening: self.said.append(happening), 10)

    def look(self, delay_s: float, *orders: str) -> None:
        desk = Desk("paper", 1, self.venue, POLICY)  # type: ignore[arg-type]
        self.dispatcher.run(desk, self.position, (ReadVenue(round(delay_s * S), orders),))

    @property
    def asked(self) -> list[set[str]]:
        """The orders that each read asked for."""
        return [set(read.orders) for read in self.said if isinstance(read, VenueRead)]


async def _keep(*records: Record) -> None:
    """Nothing is written down here."""


@in_virtual_time
async def test_a_later_read_is_left_out_and_what_it_wanted_to_know_is_asked_by_the_earlier() -> None:
    stage = Stage()

    stage.look(1, "one")
    stage.look(5, "two")
    await asyncio.sleep(20)

    assert stage.venue.times_s == [1]
    assert stage.asked == [{"one", "two"}]


@in_virtual_time
async def test_an_earlier_read_takes_the_place_of_a_later_one() -> None:
    stage = Stage()

    stage.look(5, "one")
    stage.look(1, "two")
    await asyncio.sleep(20)

    assert stage.venue.times_s == [1]
    assert stage.asked == [{"one", "two"}]


@in_virtual_time
async def test_a_read_that_is_wanted_after_the_last_one_began_is_made() -> None:
    stage = Stage()

    stage.look(1)
    await asyncio.sleep(2)
    stage.look(1)
    await asyncio.sleep(20)

    assert stage.venue.times_s == [1, 3]


@in_virtual_time
async def test_a_thousand_wishes_at_one_instant_are_one_read() -> None:
    stage = Stage()

    for _ in range(1000):
        stage.look(0)
    await asyncio.sleep(1)

    assert stage.venue.times_s == [0]
