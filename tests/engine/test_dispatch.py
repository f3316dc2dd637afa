"""Requests: written down before they are sent, sent once, and silence is never taken for an answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from attrs import evolve

from framework import Event, Intent, OrderReport, OrderStatus, Outcome, Refusal, Unknown
from framework.core.legs import LegState
from framework.core.position import State
from framework.errors import ExchangeError
from framework.journal import Journal, JournalReader, WriterKind
from framework.testing import SYMBOL, make_signal
from tests.engine.fakes import HANG, Arrived, D, Kept, S, complete, in_virtual_time, running, signals, venue

ONE = make_signal(id="one-1", account="one")
REQUESTS = ("place_entry", "place_stop", "move_stop", "cancel_stop", "close_position", "cancel_entry")


@in_virtual_time
async def test_the_intent_of_every_request_is_on_the_disk_before_the_request_arrives(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal.open(path, writer=WriterKind.INLINE)
    known: dict[str, bool] = {}

    def look(arrived: Arrived) -> None:
        if arrived.kind in REQUESTS:
            identifier = getattr(arrived.what, "client_id", arrived.what)
            with JournalReader.open(path) as reader:
                known[arrived.kind] = identifier in {order.client_id for order in reader.orders()}

    market = venue()
    market.at_request = look
    async with running(market, store=journal) as rig:
        await rig.take(ONE)
        rig.engine.close_all("operator")
        await rig.at_rest()
    await journal.aclose()
    assert known == {"place_entry": True, "place_stop": True, "close_position": True, "cancel_stop": True}


@in_virtual_time
async def test_every_intent_is_followed_by_its_outcome() -> None:
    market = venue(latency_s=0.25)
    async with running(market) as rig:
        await rig.take(ONE)
        await rig.at_rest()
        intents, outcomes = rig.store.of(Intent), rig.store.of(Outcome)
    assert [(i.action, i.client_id) for i in intents] == [(o.action, o.client_id) for o in outcomes]
    assert [i.action for i in intents] == ["entry", "stop"]
    assert {(o.result, o.took_ns) for o in outcomes} == {("accepted", 250_000_000)}


# ── a journal that is broken ────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_an_entry_that_would_not_be_remembered_is_not_sent() -> None:
    market, store = venue(latency_s=0.1), Kept()
    async with running(market, store=store) as rig:
        await rig.engine.submit(complete(ONE))
        store.broken = True
        await rig.engine.idle()
        assert rig.positions[SYMBOL].state is State.ABORTED
    assert market.of("place_entry") == []


@in_virtual_time
async def test_a_stop_is_placed_and_a_position_closed_although_the_journal_is_broken() -> None:
    market, store = venue(latency_s=0.1), Kept()

    def fail(arrived: Arrived) -> None:
        store.broken = store.broken or arrived.kind == "place_entry"

    market.at_request = fail
    async with running(market, store=store) as rig:
        await rig.take(ONE)
        assert rig.positions[SYMBOL].state is State.PROTECTED
        assert len(market.rests) == 1
        rig.engine.close_all("operator")
        await rig.at_rest()
    assert (market.held, market.rests) == ({}, {})
    assert len(market.of("close_position")) == 1


# ── an entry is sent at most once ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("answer", [HANG, Unknown("reset"), ConnectionError("reset"), ExchangeError("one", "reset")])
@pytest.mark.parametrize("done", [True, False], ids=["carried out", "lost"])
def test_an_entry_of_unknown_outcome_is_looked_for_and_never_sent_again(answer: object, done: bool) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        market.twist("place_entry", answer, done=done)
        async with running(market) as rig:
            await rig.take(ONE)
            position = rig.positions[SYMBOL]
            assert len(market.of("place_entry")) == 1
            assert position.state is (State.PROTECTED if done else State.ABORTED)
            assert [o.result for o in rig.store.of(Outcome) if o.action == "entry"] == ["unknown"]
            assert "outcome_unknown" in {event.code for event in rig.store.of(Event)}

    scenario()


@in_virtual_time
async def test_an_exchange_that_raises_has_not_refused() -> None:
    market = venue()
    market.twist("place_stop", RuntimeError("a bug of the plugin"), done=True)
    async with running(market) as rig:
        await rig.take(ONE)
        assert rig.positions[SYMBOL].state is State.PROTECTED
    assert len(market.of("place_stop")) == 1


@in_virtual_time
async def test_an_entry_that_the_journal_held_up_beyond_its_deadline_is_not_sent() -> None:
    market, store = venue(), SlowStore()
    async with running(market, store=store) as rig:
        await rig.engine.submit(complete(ONE))
        store.delay_s = 31
        await rig.engine.idle()
        assert rig.positions[SYMBOL].state is State.ABORTED
        assert "too_late" in rig.positions[SYMBOL].failure
    assert market.of("place_entry") == []


class SlowStore(Kept):
    """A store that takes its time."""

    delay_s = 0.0

    def append(self, *records: object) -> asyncio.Future[None]:
        written = super().append(*records)  # type: ignore[arg-type]
        if not self.delay_s:
            return written
        loop = asyncio.get_running_loop()
        later: asyncio.Future[None] = loop.create_future()
        loop.call_later(self.delay_s, later.set_result, None)
        return later


# ── silence ─────────────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_an_exchange_that_hangs_does_not_delay_the_other_account() -> None:
    stuck, well = venue("one", latency_s=0.1), venue("two", latency_s=0.1)
    stuck.twist("place_entry", HANG)
    async with running(stuck, well) as rig:
        await rig.engine.submit(complete(ONE, make_signal(id="two-1", account="two")))
        await asyncio.sleep(1)
        by_account = {name: desk.holder_of(SYMBOL) for name, desk in rig.engine.desks.items()}
        assert by_account["two"] is not None
        assert by_account["two"].state is State.PROTECTED
        assert by_account["one"] is not None
        assert by_account["one"].state is State.ENTERING


@in_virtual_time
async def test_a_request_without_an_answer_within_the_time_is_of_unknown_outcome() -> None:
    market = venue()
    market.twist("place_entry", HANG)
    async with running(market) as rig:
        await rig.engine.submit(complete(ONE))
        await asyncio.sleep(9.9)
        assert rig.store.of(Outcome) == []
        await asyncio.sleep(0.2)
        (outcome,) = rig.store.of(Outcome)
        assert (outcome.result, outcome.message, outcome.took_ns) == (
            "unknown",
            "no answer within 10 s",
            10_000_000_000,
        )


@pytest.mark.parametrize("read", ["positions", "stops", "fills", "entry_report"])
@pytest.mark.parametrize("answer", [HANG, ExchangeError("one", "503"), KeyError("qty")])
def test_a_read_that_fails_is_repeated_and_concludes_nothing(read: str, answer: object) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        market.twist("place_entry", Unknown("reset"), done=True)
        async with running(market) as rig:
            await rig.engine.submit(complete(ONE))
            while not market.of("place_entry"):  # noqa: ASYNC110 - time is virtual, and nobody sets an event
                await asyncio.sleep(0.001)
            market.twist(read, answer, answer)
            await rig.engine.idle()
            await asyncio.sleep(30)  # what is protected meanwhile is read again later
            position = rig.positions[SYMBOL]
            assert position.state is State.PROTECTED
            assert position.failed_reads == 0
            assert [e.code for e in rig.store.of(Event) if e.code == "read_failed"] == ["read_failed"]
        assert len(market.of("place_entry")) == 1

    scenario()


@in_virtual_time
async def test_all_that_a_read_asks_for_is_asked_at_once_and_executions_after_it() -> None:
    market = venue()
    market.twist("place_entry", Unknown("reset"), done=True)
    market.latency_s = 2
    async with running(market) as rig:
        await rig.engine.submit(complete(ONE))
        await rig.engine.idle()
    begun_ns = market.of("stops")[0].time_ns
    assert begun_ns in [arrived.time_ns for arrived in market.of("positions")]
    assert (market.of("entry_report")[0].time_ns, market.of("fills")[0].time_ns) == (begun_ns, begun_ns + 2 * S)


@pytest.mark.parametrize("rest", ["positions", "stops", "fills"])
@in_virtual_time
async def test_a_fill_that_a_read_shows_is_protected_within_seconds_although_the_rest_of_it_is_lost(rest: str) -> None:
    market = venue()
    market.twist("place_entry", Unknown("reset"), done=True)

    def report(arrived: Arrived) -> None:
        if arrived.kind == "place_entry":
            client_id = arrived.what.client_id
            market.reports[client_id] = OrderReport(client_id, SYMBOL, OrderStatus.FILLED, D(10), D("100.01"))
            market.twist(rest, HANG, HANG, HANG)

    async with running(market) as rig:
        market.at_request = report
        await rig.engine.submit(complete(ONE))
        await rig.engine.idle()
        assert rig.positions[SYMBOL].state is State.PROTECTED
    entered_ns, placed_ns = market.of("place_entry")[0].time_ns, market.of("place_stop")[0].time_ns
    assert placed_ns - entered_ns <= 2 * S


# ── what is said of a request ───────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_a_refused_entry_is_written_down_with_the_venues_code_and_frees_its_place() -> None:
    market = venue("one", "AUSDT", "BUSDT")
    market.twist("place_entry", Refusal("110007", "insufficient balance"))
    async with running(market, target=1) as rig:
        await rig.take(*signals("one", "AUSDT", "BUSDT"))
        states = {symbol: position.state for symbol, position in rig.positions.items()}
        assert states == {"AUSDT": State.ABORTED, "BUSDT": State.PROTECTED}
        refused = [o for o in rig.store.of(Outcome) if o.result == "refused"]
        assert [o.message for o in refused] == ["110007: insufficient balance"]


@in_virtual_time
async def test_a_market_order_that_was_only_acknowledged_is_asked_for_until_its_fills_are_known() -> None:
    market = venue()
    market.twist("place_entry", OrderReport("", SYMBOL, OrderStatus.NEW), done=True)

    def name(arrived: Arrived) -> None:
        if arrived.kind == "place_entry":
            acknowledged = OrderReport(arrived.what.client_id, SYMBOL, OrderStatus.NEW)
            market.twists["place_entry"][0] = evolve(market.twists["place_entry"][0], answer=acknowledged)

    market.at_request = name
    async with running(market) as rig:
        await rig.take(ONE)
        assert rig.positions[SYMBOL].state is State.PROTECTED
        assert rig.positions[SYMBOL].entry_price == D("100.01")
    assert market.of("entry_report")


@in_virtual_time
async def test_what_is_under_way_when_the_engine_closes_stays_an_intent_without_an_outcome() -> None:
    market = venue()
    market.twist("place_entry", HANG)
    async with running(market) as rig:
        await rig.engine.submit(complete(ONE))
        await asyncio.sleep(1)
        await rig.engine.aclose()
        await asyncio.sleep(60)
        assert [i.action for i in rig.store.of(Intent)] == ["entry"]
        assert rig.store.of(Outcome) == []
        assert rig.positions[SYMBOL].entry.state is LegState.SENT
