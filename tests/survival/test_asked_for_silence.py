"""A venue that wants silence gets it, to the letter; the stops rest there, and everything goes on afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.survival import ledger
from tests.survival.house import SYMBOLS, House, built, play, running

FIRST, SECOND, THIRD = SYMBOLS[:3]
MOVE = {"binance": {"method": "POST", "path": "/fapi/v1/algoOrder"}, "bybit": {"path": "/v5/position/trading-stop"}}
WANTED_S = 1
S = 1_000_000_000


def refused_at(house: House) -> int:
    """When the venue last said no, ns."""
    return int(ledger.of_kind(house.lines, "fault")[-1]["t"])


@pytest.mark.parametrize("answer", ["banned", "rate-limited"])
def test_nothing_reaches_binance_before_its_retry_after_has_passed(answer: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built("binance", tmp_path) as house:
            async with running(house) as run:
                await run.open(FIRST, SECOND, THIRD)
                await run.until_quiet()
                house.fault(answer, **MOVE["binance"], retry_after_s=WANTED_S, count=1)

                bid = house.price(FIRST, 3)  # the stop has to move, and that is refused
                await run.until(lambda: house.fired() == 1)
                house.price(SECOND, -5)  # meanwhile a stop acts: the venue needs nobody for that
                await run.until_state("closed", SECOND)
                await run.until_followed(FIRST, bid)

            told, again = refused_at(house), house.lines
            early = [one for one in ledger.requests(again) if told < one["t"] < told + WANTED_S * S]
            assert early == []
            assert set(house.held()) == {FIRST, THIRD}
            house.check(in_flight_ms=0)

    play(scenario)


def test_a_route_of_bybit_that_was_used_too_often_is_left_alone_until_it_opens_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built("bybit", tmp_path) as house:
            async with running(house) as run:
                await run.open(FIRST, SECOND, THIRD)
                await run.until_quiet()
                house.fault("rate-limited", **MOVE["bybit"], count=1)

                bid = house.price(FIRST, 3)
                await run.until(lambda: house.fired() == 1)
                house.price(SECOND, -5)
                await run.until_state("closed", SECOND)
                await run.until_followed(FIRST, bid)

            assert set(house.held()) == {FIRST, THIRD}
            house.check(in_flight_ms=0)

    play(scenario)


def test_a_forbidden_address_is_silent_until_the_end_while_the_stops_rest_and_the_streams_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bybit shuts an address out for ten minutes, and says so with a 403."""
    monkeypatch.setattr("framework.engine.session.REST_S", 0.5)  # what can't be read back is not waited for

    async def scenario() -> None:
        async with built("bybit", tmp_path) as house:
            async with running(house) as run:
                await run.open(FIRST, SECOND, THIRD)
                await run.until_quiet()
                house.fault("forbidden", **MOVE["bybit"], count=1)

                house.price(FIRST, 3)
                await run.until(lambda: house.fired() == 1)
                house.price(SECOND, -5)
                await run.until(lambda: any(one.summary.exit_price for one in run.steps(SECOND)), "the fill is known")
                await run.until_event("venue_silent")
                end = await run.stop()

            told = refused_at(house)
            assert [one for one in ledger.requests(house.lines) if one["t"] > told] == []
            assert {line.symbol for line in end.open_positions} >= {FIRST, THIRD}
            assert all(len(house.triggers(symbol)) == 1 for symbol in (FIRST, THIRD))
            house.check(in_flight_ms=0)

    play(scenario)


def test_a_position_that_was_opened_into_a_silence_is_protected_the_moment_it_ends(tmp_path: Path) -> None:
    """The silence is longer than a position may be naked otherwise: no try is spent, and nothing is closed."""

    async def scenario() -> None:
        async with built("binance", tmp_path) as house:
            async with running(house) as run:
                house.fault("banned", **MOVE["binance"], retry_after_s=4, count=1)
                await run.open(FIRST)

            told = refused_at(house)
            later = [one for one in ledger.requests(house.lines) if one["t"] > told]
            stops = [one["t"] for one in ledger.requests(later, "/fapi/v1/algoOrder")]
            assert told + 4 * S <= stops[0] < told + 4.5 * S
            assert ledger.requests(later, "/fapi/v1/order") == []
            house.check(in_flight_ms=0)

    play(scenario)


def test_a_silence_outlasts_the_process_that_was_told_of_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built("binance", tmp_path) as house:
            async with running(house) as run:
                await run.open(FIRST)
                await run.until_quiet()
                house.fault("banned", **MOVE["binance"], retry_after_s=4, count=1)
                bid = house.price(FIRST, 3)
                await run.until(lambda: house.fired() == 1)

            told = refused_at(house)
            async with running(house) as run:
                await run.until_followed(FIRST, bid)

            assert [one for one in ledger.requests(house.lines) if told < one["t"] < told + 4 * S] == []
            house.check(in_flight_ms=0)

    play(scenario)


def test_a_venue_that_is_unavailable_for_a_while_costs_nothing(venue: str, tmp_path: Path) -> None:
    """Every request is answered with 503 and nothing is carried out; the streams go on."""

    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await run.open(FIRST, SECOND, THIRD)
                await run.until_quiet()
                house.fault("unavailable-503")

                bid = house.price(FIRST, 3)
                house.price(SECOND, -5)
                await run.until(lambda: house.fired() >= 6, "several requests were refused")
                house.world.faults.clear()
                await run.until_state("closed", SECOND)
                await run.until_followed(FIRST, bid)

            assert set(house.held()) == {FIRST, THIRD}
            house.check()

    play(scenario)
