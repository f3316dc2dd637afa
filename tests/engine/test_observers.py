"""Observers: they see what is durable, in order, at their own pace, and nobody waits for them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from attrs import define, field

from framework import Event, MarketData, Quote, QuoteUpdate, Record
from framework.engine import observers as module
from framework.engine.observers import Gallery
from framework.journal import JournalReader, journal_path
from framework.testing import NOW_NS, SYMBOL, StillClock, make_quote, make_signal
from tests.engine.fakes import complete, in_virtual_time, venue
from tests.engine.staging import deployment, play, recording

ONE = make_signal(id="one-1", account="one")


def events(count: int) -> list[Event]:
    return [Event(NOW_NS, "info", f"e{number}", "text") for number in range(count)]


@define
class Sees:
    """An observer that takes its time over each record, and fails at some."""

    name: ClassVar[str] = "sees"

    slow_s: float = 0.0
    fails: bool = False
    seen: list[Record] = field(factory=list, init=False)

    async def observe(self, record: Record) -> None:
        await asyncio.sleep(self.slow_s)
        if self.fails:
            raise OSError("no disk")
        self.seen.append(record)


@define
class Rig:
    """A gallery, and what it has written down."""

    gallery: Gallery
    written: list[Record]


def showing(*watching: Sees) -> Rig:
    written: list[Record] = []
    gallery = Gallery(StillClock(), watching, written.append)
    gallery.start()
    return Rig(gallery, written)


@in_virtual_time
async def test_every_observer_sees_every_record_in_order() -> None:
    one, two = Sees(), Sees(slow_s=1)
    rig = showing(one, two)
    for event in events(5):
        rig.gallery.show(event)
    await rig.gallery.aclose(60)
    assert one.seen == two.seen == events(5)


@in_virtual_time
async def test_nobody_waits_for_a_slow_observer() -> None:
    slow, quick = Sees(slow_s=3600), Sees()
    rig = showing(slow, quick)
    began = asyncio.get_running_loop().time()
    for event in events(3):
        rig.gallery.show(event)
    await asyncio.sleep(0.001)
    assert quick.seen == events(3)
    await rig.gallery.aclose(2)
    assert asyncio.get_running_loop().time() - began < 2.1
    assert slow.seen == []


@in_virtual_time
async def test_what_a_slow_observer_cannot_take_is_dropped_for_it_alone_counted_and_told_once() -> None:
    stuck = Sees(slow_s=10**6)
    rig = showing(stuck)
    await asyncio.sleep(0)
    for event in events(module.LIMIT + 5):
        rig.gallery.show(event)
    assert rig.gallery.dropped == {"sees": 5}
    assert [record.code for record in rig.written if isinstance(record, Event)] == ["observer_slow"]
    await rig.gallery.aclose(0)


@in_virtual_time
async def test_an_observer_that_raises_goes_on_being_shown_records_and_is_told_of_once() -> None:
    broken, sound = Sees(fails=True), Sees()
    rig = showing(broken, sound)
    for event in events(3):
        rig.gallery.show(event)
    await rig.gallery.aclose(60)
    assert sound.seen == events(3)
    (told,) = rig.written
    assert isinstance(told, Event)
    assert (told.level, told.code) == ("warning", "observer_failed")
    assert told.message == "observer sees raised OSError: no disk"


def test_observers_see_a_session_from_its_start_to_its_end_and_only_what_is_durable(tmp_path: Path) -> None:
    durable: list[int] = []

    class Looks(Sees):
        """Counts what is in the journal when it is shown a record."""

        async def observe(self, record: Record) -> None:
            self.seen.append(record)
            with JournalReader.open(journal_path(tmp_path / "var")) as reader:
                durable.append(len(reader.facts()))

    @in_virtual_time
    async def scenario() -> None:
        looks = Looks()
        what = deployment(tmp_path, venue(), sources=[recording(complete(ONE))], observers=[looks])
        played = await play(what, recorded=True)
        assert looks.seen[:-1] == played.records[:-1]
        assert all(count > number for number, count in enumerate(durable))

    scenario()


def test_a_session_does_not_wait_for_an_observer_that_hangs_nor_fail_with_one_that_raises(tmp_path: Path) -> None:
    @in_virtual_time
    async def scenario() -> None:
        watching = [Sees(slow_s=10**6), Sees(fails=True)]
        what = deployment(tmp_path, venue(), sources=[recording(complete(ONE))], observers=watching)
        played = await play(what, recorded=True)
        assert not played.end.failed
        assert played.elapsed_s < 10

    scenario()


# ── the market ──────────────────────────────────────────────────────────────────────────────────────────────


@define
class Watcher(Sees):
    """An observer that sees the market as well."""

    name: ClassVar[str] = "watcher"

    market: list[str] = field(factory=list, init=False)

    def saw(self, account: str, data: MarketData) -> None:
        self._note(f"{account} {data.symbol}")

    def ticked(self, account: str, symbol: str, quote: Quote) -> None:
        self._note(f"{account} {symbol} {quote.last}")

    def _note(self, what: str) -> None:
        if self.fails:
            raise OSError("no disk")
        self.market.append(what)


@in_virtual_time
async def test_an_observer_of_the_market_sees_what_is_decided_on_and_prices_of_what_is_open(tmp_path: Path) -> None:
    watcher, market = Watcher(), venue()
    prices = [lambda: market.play(QuoteUpdate("one", SYMBOL, make_quote(101, 101, time_ns=NOW_NS)))]
    what = deployment(tmp_path, market, sources=[recording(complete(ONE), 1, *prices, 1)], observers=[watcher])
    await play(what, recorded=True)
    assert watcher.market[0] == f"one {SYMBOL}"
    assert f"one {SYMBOL} 101" in watcher.market


@in_virtual_time
async def test_an_observer_that_fails_at_the_market_costs_nothing_and_is_told_once(tmp_path: Path) -> None:
    watcher, market = Watcher(fails=True), venue()
    played = await play(
        deployment(tmp_path, market, sources=[recording(complete(ONE))], observers=[watcher]), recorded=True
    )
    assert [each.code for each in played.of(Event)] == ["observer_failed"]
    assert list(market.held) == [SYMBOL]


@in_virtual_time
async def test_where_nobody_watches_the_market_no_price_takes_longer() -> None:
    assert not showing(Sees()).gallery.sees_market
    assert showing(Watcher()).gallery.sees_market
