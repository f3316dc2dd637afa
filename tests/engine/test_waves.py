"""Waves at work: candidates are fetched, decided in order and opened concurrently until the target is reached."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import define, evolve, field, frozen

from framework import (
    Batch,
    Decision,
    EntryPlan,
    EntryStep,
    EntryTry,
    Event,
    ExchangeError,
    MarketSnapshot,
    Need,
    Passed,
    PositionChanged,
    Refusal,
    Rejection,
    Signal,
    SignalSettings,
    VenuePosition,
    Verdict,
    WaveDecided,
)
from framework.core.position import State
from framework.core.protection import named
from framework.engine.engine import Limits
from framework.testing import NOW_NS, SYMBOL, make_quote, make_signal
from tests.core.measures import Measures
from tests.core.strategies import AtMarket
from tests.engine.fakes import HANG, Arrived, Buys, D, Rig, S, complete, in_virtual_time, running, signals, venue

ABC = ("AUSDT", "BUSDT", "CUSDT")
FIVE = (*ABC, "DUSDT", "EUSDT")


@define
class Notes:
    """A filter that notes whom it was asked about and what it saw, and refuses some markets."""

    name: ClassVar[str] = "notes"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.POSITIONS})

    refuses: tuple[str, ...] = ()
    asked: list[str] = field(factory=list, init=False)
    open_then: list[int] = field(factory=list, init=False)

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        self.asked.append(signal.symbol)
        self.open_then.append(len(market.positions))
        return Rejection("refused", "refused") if signal.symbol in self.refuses else Passed()


def outcomes(rig: Rig) -> dict[str, list[str]]:
    """How each signal ended, by market: every final outcome."""
    ends: dict[str, list[str]] = {}
    for decision in rig.store.of(Decision):
        if decision.outcome != "planned":
            ends.setdefault(decision.symbol, []).append(f"{decision.outcome} {decision.code}".strip())
    return ends


# ── order and target ────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_the_best_candidates_are_opened_and_the_rest_is_not_attempted() -> None:
    notes = Notes()
    async with running(venue("one", *ABC), target=2, filters=[notes]) as rig:
        await rig.take(*reversed(signals("one", *ABC)))
        assert outcomes(rig) == {"AUSDT": ["opened"], "BUSDT": ["opened"], "CUSDT": ["not_attempted target_reached"]}
    assert notes.asked == ["AUSDT", "BUSDT"]


@in_virtual_time
async def test_a_candidate_that_a_filter_refuses_gives_its_place_to_the_next() -> None:
    async with running(venue("one", *FIVE), target=3, filters=[Notes(("AUSDT", "CUSDT"))]) as rig:
        await rig.take(*signals("one", *FIVE))
        ends = outcomes(rig)
    assert [symbol for symbol, end in ends.items() if end == ["opened"]] == ["BUSDT", "DUSDT", "EUSDT"]
    assert [symbol for symbol, end in ends.items() if end == ["rejected refused"]] == ["AUSDT", "CUSDT"]


@in_virtual_time
async def test_every_signal_ends_exactly_once_and_the_wave_says_what_it_opened() -> None:
    market = venue("one", *FIVE)
    market.twist("place_entry", ExchangeError("one", "reset"))
    async with running(market, venue("two", *FIVE), target=2, filters=[Notes(("BUSDT",))]) as rig:
        await rig.take(*signals("one", *FIVE), *signals("two", *FIVE))
        ends = outcomes(rig)
        (wave,) = rig.store.of(WaveDecided)
    assert all(len(end) == 2 for end in ends.values())  # each market has a signal for each account
    assert wave.targets == {"one": 2, "two": 2}
    assert wave.opened == {"one": 2, "two": 2}


@in_virtual_time
async def test_the_positions_of_a_wave_are_opened_concurrently() -> None:
    market = venue("one", *FIVE, latency_s=1.0)
    async with running(market) as rig:
        await rig.take(*signals("one", *FIVE))
        protected = [p.protected_ns for p in rig.positions.values()]
    assert len({each.time_ns for each in market.of("place_entry")}) == 1
    assert protected == [NOW_NS + 4 * S] * 5  # balance, market data, entry, stop: one second each


@in_virtual_time
@pytest.mark.parametrize(("attached", "left_by_then"), [(False, 1), (True, 5)], ids=["own request", "with its entry"])
async def test_entries_leave_one_by_one_only_where_their_stops_have_requests_of_their_own(
    attached: bool, left_by_then: int
) -> None:
    market = venue("one", *FIVE)
    market.capabilities = evolve(market.capabilities, attaches_stops=attached)
    left: list[int] = []

    def note(arrived: Arrived) -> None:
        if arrived.kind == "place_entry" and not left:
            left.append(0)
            asyncio.get_running_loop().call_soon(lambda: left.append(len(market.of("place_entry"))))

    market.at_request = note
    async with running(market) as rig:
        await rig.take(*signals("one", *FIVE))
        await rig.at_rest()

    assert left == [0, left_by_then]
    kinds = [each.kind for each in market.of("place_entry", "place_stop")]
    assert kinds.count("place_entry") == 5
    if not attached:
        assert kinds.index("place_stop") < 4, "of a wave, the first has its stop before the last has its entry"


@in_virtual_time
async def test_each_plan_counts_before_the_next_candidate_is_decided() -> None:
    notes = Notes()
    async with running(venue("one", *ABC), filters=[notes]) as rig:
        await rig.take(*signals("one", *ABC))
    assert notes.open_then == [0, 1, 2]


@in_virtual_time
async def test_the_margin_of_each_plan_is_missing_from_the_next() -> None:
    seen: list[Decimal] = []

    class Margin(Buys):
        """Buys a fixed quantity, and notes the free margin."""

        def size(self, request: Any) -> Any:
            seen.append(request.account.available_usd)
            return super().size(request)

    async with running(venue("one", *ABC), sizer=Margin()) as rig:
        await rig.take(*signals("one", *ABC))
    assert seen == [D(1000), D(1000) - D("10.001"), D(1000) - D("20.002")]


@in_virtual_time
async def test_a_second_signal_for_a_market_that_is_taken_is_refused() -> None:
    async with running(venue("one", *ABC)) as rig:
        twice = [make_signal("AUSDT", id=f"s{n}", account="one", score=90 - n) for n in range(2)]
        await rig.take(*twice)
        assert outcomes(rig)["AUSDT"] == ["rejected already_open", "opened"]


@in_virtual_time
async def test_a_position_that_was_closed_before_it_was_ever_protected_frees_its_place() -> None:
    market = venue("one", *ABC)
    market.twist("place_stop", Refusal("-4045", "too many stops"))
    async with running(market, target=1) as rig:
        await rig.take(*signals("one", "AUSDT"))
        assert rig.positions["AUSDT"].state is State.CLOSED
        assert outcomes(rig)["AUSDT"] == ["rejected never_protected"]
    assert market.held == {}


@in_virtual_time
async def test_only_a_protected_position_counts_as_opened() -> None:
    market = venue("one", *ABC, latency_s=1.0)
    async with running(market, target=1) as rig:
        await rig.engine.submit(complete(*signals("one", *ABC)))
        await asyncio.sleep(3.5)
        assert rig.positions["AUSDT"].state is State.UNPROTECTED
        assert "AUSDT" not in outcomes(rig)
        await rig.engine.idle()
        assert outcomes(rig)["AUSDT"] == ["opened"]


# ── what can't be known ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("answer", [HANG, ExchangeError("one", "503"), KeyError("equity")])
def test_an_account_whose_balance_is_unknown_opens_nothing_and_the_other_goes_on(answer: object) -> None:
    @in_virtual_time
    async def scenario() -> None:
        one, two = venue("one", *ABC), venue("two", *ABC)
        one.twist("balance", answer)
        async with running(one, two) as rig:
            await rig.take(*signals("one", "AUSDT", "BUSDT"), *signals("two", "CUSDT"))
            assert outcomes(rig) == {
                "AUSDT": ["rejected account_unknown"],
                "BUSDT": ["rejected account_unknown"],
                "CUSDT": ["opened"],
            }
        assert one.of("place_entry") == []

    scenario()


@pytest.mark.parametrize("answer", [HANG, ExchangeError("one", "503"), TypeError("no list")])
def test_a_market_whose_data_cannot_be_had_refuses_its_signal_alone(answer: object) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue("one", *ABC)
        market.twist("market_data", answer)
        async with running(market, target=2) as rig:
            await rig.take(*signals("one", *ABC))
            assert outcomes(rig) == {"AUSDT": ["rejected data_missing"], "BUSDT": ["opened"], "CUSDT": ["opened"]}
            assert [e.code for e in rig.store.of(Event)] == ["market_data_failed"]

    scenario()


@pytest.mark.parametrize(("timeout_s", "end"), [(2, "rejected data_missing"), (4, "opened")])
def test_how_long_market_data_may_take_is_a_setting(timeout_s: int, end: str) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()

        def slow(arrived: Any) -> None:
            market.latency_s = 3.0 if arrived.kind == "market_data" else 0.0

        market.at_request = slow
        async with running(market, limits=Limits(30, timeout_s, 2)) as rig:
            await rig.take(make_signal(account="one"))
            assert outcomes(rig)[SYMBOL] == [end]

    scenario()


@pytest.mark.parametrize(("age_s", "end"), [(30, "opened"), (31, "rejected data_missing")])
def test_how_old_a_quote_may_be_is_a_setting(age_s: int, end: str) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        market.quotes[SYMBOL] = make_quote(time_ns=NOW_NS - age_s * S)
        async with running(market, limits=Limits(30, 10, 2)) as rig:
            await rig.take(make_signal(account="one"))
            assert outcomes(rig)[SYMBOL] == [end]

    scenario()


@in_virtual_time
async def test_a_market_that_the_venue_does_not_list_is_refused_and_not_asked_for() -> None:
    market = venue("one", "AUSDT")
    async with running(market) as rig:
        await rig.take(*signals("one", "ZUSDT", "AUSDT"))
        assert outcomes(rig) == {"ZUSDT": ["rejected not_listed"], "AUSDT": ["opened"]}
    assert [each.what[0] for each in market.of("market_data")] == ["AUSDT"]


@in_virtual_time
async def test_the_market_of_all_candidates_is_fetched_at_one_time_with_the_union_of_what_filters_need() -> None:
    market = venue("one", *ABC, latency_s=1.0)
    async with running(market, filters=[Hours(1), Hours(3)]) as rig:
        await rig.take(*signals("one", *ABC))
    fetched = market.of("market_data")
    assert [each.what for each in fetched] == [(symbol, {Need.BOOK_TOP, Need.candles("1h", 3)}) for symbol in ABC]
    assert {each.time_ns for each in fetched} == {NOW_NS + S}


@frozen
class Hours:
    """A filter that needs so many candles."""

    name: ClassVar[str] = "hours"

    count: int

    @property
    def needs(self) -> frozenset[Need]:
        return frozenset({Need.candles("1h", self.count)})

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        return Passed()


@in_virtual_time
async def test_what_protections_measure_is_fetched_with_it() -> None:
    market = venue("one", "AUSDT")
    async with running(market, filters=[Hours(1)], protections=[*named([Measures(2), Measures(5)])]) as rig:
        await rig.take(*signals("one", "AUSDT"))
    (fetched,) = market.of("market_data")
    assert fetched.what == ("AUSDT", {Need.BOOK_TOP, Need.candles("1h", 5)})


@in_virtual_time
async def test_without_the_candles_that_a_protection_measures_nothing_is_opened() -> None:
    market = venue("one", "AUSDT")
    async with running(market, protections=[Measures(2)]) as rig:
        await rig.take(*signals("one", "AUSDT"))
        assert outcomes(rig) == {"AUSDT": ["rejected data_missing"]}
    assert market.of("place_entry") == []


# ── what stops entries ──────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_while_entries_are_stopped_nothing_is_opened_and_the_reason_is_told() -> None:
    market = venue("one", *ABC)
    async with running(market) as rig:
        rig.engine.entries_stopped = "the journal failed"
        await rig.take(*signals("one", *ABC))
        decisions = rig.store.of(Decision)
    assert {(d.outcome, d.code, d.message) for d in decisions} == {
        ("rejected", "entries_stopped", "the journal failed")
    }
    assert market.of("place_entry") == []


@define
class Broken(AtMarket):
    """An execution that raises."""

    def first(self, plan: EntryPlan) -> EntryStep:
        raise LookupError("no step")

    def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None:
        return None


@in_virtual_time
async def test_a_broken_execution_opens_nothing_and_stops_no_wave() -> None:
    market = venue("one", *ABC)
    async with running(market, execution=Broken()) as rig:
        await rig.take(*signals("one", *ABC))
        assert set(map(tuple, outcomes(rig).values())) == {("rejected component_failed",)}
        assert len(rig.store.of(WaveDecided)) == 1
    assert market.of("place_entry") == []


# ── when a wave is decided ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("settle_s", [1, 5])
def test_a_wave_that_nobody_called_complete_settles_first(settle_s: int) -> None:
    @in_virtual_time
    async def scenario() -> None:
        async with running(venue("one", *ABC), limits=Limits(30, 10, settle_s)) as rig:
            first, second, third = signals("one", *ABC)
            await rig.engine.submit(Batch((first,)))
            await asyncio.sleep(settle_s - 0.5)
            await rig.engine.submit(Batch((second,)))  # the wave waits anew
            await asyncio.sleep(settle_s - 0.1)
            assert rig.positions == {}
            await asyncio.sleep(0.2)
            assert set(rig.positions) == {"AUSDT", "BUSDT"}
            await rig.engine.submit(Batch((third,)))
            await rig.engine.idle()
            assert set(rig.positions) == {"AUSDT", "BUSDT"}  # too late

    scenario()


@in_virtual_time
async def test_waves_of_two_bars_are_decided_apart() -> None:
    async with running(venue("one", *ABC), target=1) as rig:
        early = make_signal("AUSDT", id="a", account="one", bar_time_ns=NOW_NS - 1800 * S)
        late = make_signal("BUSDT", id="b", account="one", bar_time_ns=NOW_NS - 900 * S)
        await rig.take(early, late)
        assert outcomes(rig) == {"AUSDT": ["opened"], "BUSDT": ["opened"]}
        assert len(rig.store.of(WaveDecided)) == 2


@pytest.mark.parametrize(("may_set", "opened"), [((), 3), (("max_positions",), 1)])
def test_a_target_that_signals_carry_counts_only_where_they_may_set_it(may_set: tuple[str, ...], opened: int) -> None:
    @in_virtual_time
    async def scenario() -> None:
        carried = SignalSettings(max_positions=1)
        async with running(venue("one", *ABC), may_set=may_set) as rig:
            await rig.take(*(make_signal(symbol, id=symbol, account="one", settings=carried) for symbol in ABC))
            assert len(rig.positions) == opened

    scenario()


@in_virtual_time
async def test_what_is_planned_is_written_down_before_what_becomes_of_it() -> None:
    async with running(venue()) as rig:
        await rig.take(make_signal(account="one"))
        kinds = [type(r) for r in rig.store.records if isinstance(r, Decision | PositionChanged)]
        assert kinds[:2] == [Decision, PositionChanged]
        assert [d.outcome for d in rig.store.of(Decision)] == ["planned", "opened"]


# ── what others hold ────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_a_market_in_which_somebody_else_has_just_opened_a_position_is_not_entered() -> None:
    market = venue("one", *ABC)
    async with running(market, target=2) as rig:
        market.held["AUSDT"] = VenuePosition("AUSDT", D(-7), D(10))
        await rig.take(*signals("one", "AUSDT", "BUSDT"))
        assert outcomes(rig)["AUSDT"] == ["rejected already_open"]
        assert outcomes(rig)["BUSDT"] == ["opened"]
    assert market.held["AUSDT"].quantity == D(-7)
