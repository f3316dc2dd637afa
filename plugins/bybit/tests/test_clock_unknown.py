"""A start without the venue's time: what is open is looked after, nothing is entered until the clock was read."""

from __future__ import annotations

import pytest

from framework import Refusal

from .rig import at, emulated, entry, run, until


def test_while_the_venues_clock_cannot_be_read_nothing_is_entered_and_what_is_open_is_protected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("framework_venue.exchange.FIRST_CLOCK_PAUSE_S", 0.02)

    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("unavailable-503", path="/v5/market/time")
            async with at(venue) as rig:
                refused = await rig.exchange.place_entry(entry())
                assert isinstance(refused, Refusal)
                assert (refused.code, refused.for_good) == ("clock", False)
                assert rig.requests("/v5/order/create") == []
                assert rig.notices("clock_unknown")
                assert await rig.exchange.positions() == ()

                venue.world.faults.clear()
                await until(lambda: rig.notices("clock_known"))
                await rig.buy()
                assert len(await rig.exchange.positions()) == 1

    run(scenario)


def test_a_clock_that_turns_out_far_off_keeps_entries_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework_venue.exchange.FIRST_CLOCK_PAUSE_S", 0.02)

    async def scenario() -> None:
        async with emulated() as venue:
            venue.fault("unavailable-503", path="/v5/market/time")
            async with at(venue) as rig:
                venue.world.faults.clear()
                venue.world.skew("bybit", 3_600_000_000_000)
                await until(lambda: rig.notices("clock"))
                refused = await rig.exchange.place_entry(entry())
                assert isinstance(refused, Refusal)
                assert "set it by NTP" in refused.message

    run(scenario)


def test_entries_are_sent_again_once_the_clock_was_set_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework_venue.exchange.FIRST_CLOCK_PAUSE_S", 0.02)

    async def scenario() -> None:
        async with emulated() as venue:
            venue.world.skew("bybit", 3_600_000_000_000)
            async with at(venue) as rig:
                assert isinstance(await rig.exchange.place_entry(entry()), Refusal)
                venue.world.skew("bybit", 0)
                await until(lambda: rig.notices("clock_known"))
                await rig.buy()
                assert len(rig.notices("clock")) == 1

    run(scenario)
