"""A private stream that is dead is given away by a position that it has not told; a quiet one is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal

from attrs import define, field

from framework import ExchangeError
from framework_venue.watching import PositionWatch

from .rig import run_skipping

SILENCE_S = 20.0
LONG, MORE, NOTHING = Decimal(1), Decimal(2), Decimal(0)


@define
class Account:
    """What the venue shows, and what was said of the stream."""

    shows: Mapping[str, Decimal] = field(factory=dict)
    fails: bool = False
    dead: list[str] = field(factory=list)
    reads: int = 0

    async def read(self) -> Mapping[str, Decimal]:
        self.reads += 1
        if self.fails:
            raise ExchangeError("account", "no answer")
        return dict(self.shows)

    def watch(self) -> PositionWatch:
        return PositionWatch(self.read, self.dead.append, SILENCE_S, asyncio.get_running_loop().time)


def test_a_position_that_changed_without_a_word_gives_the_stream_away() -> None:
    async def scenario() -> None:
        account = Account({"AUSDT": LONG, "BUSDT": LONG})
        watch = account.watch()
        await watch.look()
        account.shows = {"AUSDT": LONG}
        await watch.look()
        assert account.dead == ["the position in BUSDT has changed without a word"]

    run_skipping(scenario)


def test_what_the_stream_told_is_compared_from_the_first_look_on() -> None:
    async def scenario() -> None:
        account = Account({"BUSDT": LONG})
        watch = account.watch()
        watch.told("AUSDT", LONG)
        await asyncio.sleep(SILENCE_S + 1)
        await watch.look()
        assert account.dead == ["the position in AUSDT has changed without a word"]

    run_skipping(scenario)


def test_a_position_that_the_stream_told_is_no_surprise() -> None:
    async def scenario() -> None:
        account = Account({"AUSDT": LONG})
        watch = account.watch()
        await watch.look()
        account.shows = {"AUSDT": MORE}
        watch.told("AUSDT", MORE)
        await asyncio.sleep(SILENCE_S + 1)
        await watch.look()
        assert account.dead == []

    run_skipping(scenario)


def test_news_that_arrives_a_moment_after_the_read_is_waited_for() -> None:
    async def scenario() -> None:
        account = Account({"AUSDT": LONG})
        watch = account.watch()
        await watch.look()
        account.shows = {}
        asyncio.get_running_loop().call_later(0.5, watch.told, "AUSDT", NOTHING)
        await watch.look()
        assert account.dead == []

    run_skipping(scenario)


def test_a_read_that_trails_behind_what_was_just_told_proves_nothing() -> None:
    async def scenario() -> None:
        account = Account({"AUSDT": LONG})
        watch = account.watch()
        await watch.look()
        watch.told("AUSDT", NOTHING)
        await watch.look()
        assert account.dead == []

    run_skipping(scenario)


def test_a_read_that_fails_proves_nothing() -> None:
    async def scenario() -> None:
        account = Account({"AUSDT": LONG})
        watch = account.watch()
        await watch.look()
        account.fails = True
        await watch.look()
        account.fails = False
        await watch.look()
        assert (account.dead, account.reads) == ([], 3)

    run_skipping(scenario)


def test_after_a_new_connection_it_begins_anew() -> None:
    async def scenario() -> None:
        account = Account({"AUSDT": LONG})
        watch = account.watch()
        await watch.look()
        watch.forget()
        account.shows = {}
        await watch.look()
        await watch.look()
        assert account.dead == []

    run_skipping(scenario)
