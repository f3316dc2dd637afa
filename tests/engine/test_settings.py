"""Each setting of ``[framework]`` acts in a session: two values, two outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from framework import Batch, Decision, EntryOrder, OrderType, Percent, Refusal, SignalRefused, SignalSettings
from framework.config.deployment import FrameworkSettings
from framework.testing import NOW_NS, SYMBOL, make_quote, make_signal
from tests.core.strategies import LimitFirst
from tests.engine.fakes import HANG, D, S, Venue, complete, in_virtual_time, venue
from tests.engine.staging import Played, deployment, play, recording

ONE = make_signal(id="one-1", account="one")


def end_of(played: Played) -> str:
    """How the only signal ended."""
    (decision,) = [d for d in played.of(Decision) if d.outcome != "planned"]
    return f"{decision.outcome} {decision.code}".strip()


async def played(tmp_path: Path, market: Venue, *lines: Any, execution: Any = None, **settings: Any) -> Played:
    source = recording(*(lines or (complete(ONE),)))
    what = deployment(tmp_path, market, sources=[source], settings=FrameworkSettings(**settings), execution=execution)
    return await play(what, recorded=True)


@pytest.mark.parametrize(("max_quote_age_s", "end"), [(5, "rejected data_missing"), (6, "opened")])
def test_max_quote_age_s(tmp_path: Path, max_quote_age_s: int, end: str) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        market.quotes[SYMBOL] = make_quote(time_ns=NOW_NS - 6 * S)
        assert end_of(await played(tmp_path, market, max_quote_age_s=max_quote_age_s)) == end

    scenario()


@pytest.mark.parametrize(("data_timeout_s", "end"), [(1, "rejected account_unknown"), (3, "opened")])
def test_data_timeout_s(tmp_path: Path, data_timeout_s: int, end: str) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue(latency_s=2.0)
        assert end_of(await played(tmp_path, market, data_timeout_s=data_timeout_s)) == end

    scenario()


@pytest.mark.parametrize(("entry_deadline_s", "types"), [(2, ["limit"]), (10, ["limit", "market"])])
def test_entry_deadline_s(tmp_path: Path, entry_deadline_s: int, types: list[str]) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        await played(tmp_path, market, execution=LimitFirst(), entry_deadline_s=entry_deadline_s)
        entries: list[EntryOrder] = [each.what for each in market.of("place_entry")]
        assert [order.type for order in entries] == [OrderType(value) for value in types]
        assert {order.send_before_ns for order in entries} == {NOW_NS + entry_deadline_s * S}
        assert len(market.of("cancel_entry")) == 1

    scenario()


@pytest.mark.parametrize("protect_within_s", [1, 4])
def test_protect_within_s(tmp_path: Path, protect_within_s: int) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        market.twist("place_stop", HANG)
        done = await played(tmp_path, market, protect_within_s=protect_within_s)
        assert [each.time_ns for each in market.of("close_position")] == [NOW_NS + protect_within_s * S]
        assert market.held == {}
        assert end_of(done) == "rejected never_protected"

    scenario()


@pytest.mark.parametrize("stop_tries", [1, 5])
def test_stop_tries(tmp_path: Path, stop_tries: int) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        market.twist("place_stop", *[Refusal("-4509", "not open yet", for_good=False)] * 9)
        done = await played(tmp_path, market, stop_tries=stop_tries)
        assert len(market.of("place_stop")) == stop_tries
        assert len(market.of("close_position")) == 1
        assert end_of(done) == "rejected never_protected"

    scenario()


@pytest.mark.parametrize("wave_settle_s", [1, 7])
def test_wave_settle_s(tmp_path: Path, wave_settle_s: int) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        await played(tmp_path, market, Batch((ONE,)), wave_settle_s=wave_settle_s)
        assert [each.time_ns for each in market.of("place_entry")] == [NOW_NS + wave_settle_s * S]

    scenario()


@pytest.mark.parametrize("wave_deadline_s", [2, 4])
def test_wave_deadline_s(tmp_path: Path, wave_deadline_s: int) -> None:
    @in_virtual_time
    async def scenario() -> None:
        symbols = [f"{letter}USDT" for letter in "ABCDEFG"]
        market = venue("one", *symbols)
        trickle = [each for s in symbols for each in (Batch((make_signal(s, id=s, account="one"),)), 1)]
        await played(tmp_path, market, *trickle, wave_settle_s=3, wave_deadline_s=wave_deadline_s)
        entries = market.of("place_entry")
        assert {each.time_ns for each in entries} == {NOW_NS + wave_deadline_s * S}
        assert len(entries) in (wave_deadline_s, wave_deadline_s + 1)  # whoever comes at that instant may be in time

    scenario()


@pytest.mark.parametrize(("max_signal_age_s", "code"), [(9, "stale"), (10, "")])
def test_max_signal_age_s(tmp_path: Path, max_signal_age_s: int, code: str) -> None:
    @in_virtual_time
    async def scenario() -> None:
        done = await played(tmp_path, venue(), max_signal_age_s=max_signal_age_s)
        assert [each.bad.code for each in done.of(SignalRefused)] == ([code] if code else [])

    scenario()


@pytest.mark.parametrize(("signal_may_set", "opened"), [((), 3), (("max_positions",), 1), (("stop",), 3)])
def test_signal_may_set(
    tmp_path: Path, signal_may_set: tuple[Literal["stop", "max_positions"], ...], opened: int
) -> None:
    @in_virtual_time
    async def scenario() -> None:
        carried = SignalSettings(max_positions=1, stop_percent=Percent(D(2)))
        symbols = ("AUSDT", "BUSDT", "CUSDT")
        market = venue("one", *symbols)
        wave = complete(*(make_signal(symbol, id=symbol, account="one", settings=carried) for symbol in symbols))
        await played(tmp_path, market, wave, signal_may_set=signal_may_set)
        assert len(market.held) == opened

    scenario()
