"""The private stream: who we are, what happens on the account, and what becomes of it when the connection dies."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import Any

import pytest

from framework import (
    ExchangeEvent,
    FillSeen,
    OrderSeen,
    OrderStatus,
    PositionSeen,
    Secret,
    StopReport,
    StopSeen,
    StreamLost,
    StreamRestored,
)
from framework.testing import StillClock
from framework_bybit import stream
from framework_bybit.news import News
from framework_bybit.stream import Greeting, auth, refusal, subscribe
from framework_venue.clock import VenueClock

from .rig import CLOSE, ENTRY, POSITIONS, SYMBOL, at, close, d, emulated, entry, run, trading, until
from .test_translate import execution, order, position, stop_row, words

PRIVATE = "/v5/private"


# ── greeting ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_greeting_expires_in_the_venues_time_and_is_signed() -> None:
    frame = auth(Secret("key"), Secret("secret"), 1_700_000_000_000)

    key, expires, signed = frame["args"]
    assert (frame["op"], key, expires) == ("auth", "key", 1_700_000_010_000)
    assert signed == hmac.new(b"secret", b"GET/realtime1700000010000", hashlib.sha256).hexdigest()


class Deaf:
    """A stream that keeps what is sent on it; `answers` come back at once."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.sent: list[dict[str, Any]] = []
        self.answers = list(answers)
        self.greeting = Greeting(Secret("key"), Secret("secret"), VenueClock(StillClock()))

    async def send(self, frame: dict[str, Any]) -> None:
        self.sent.append(frame)
        if self.answers:
            self.greeting.heard(self.answers.pop(0))

    def greet(self) -> None:
        asyncio.run(self.greeting(self))  # type: ignore[arg-type]


YES = {"success": True, "ret_msg": ""}


def test_nothing_is_subscribed_to_before_the_key_was_taken() -> None:
    line = Deaf({**YES, "op": "auth"}, {**YES, "op": "subscribe"})
    line.greet()

    assert [frame["op"] for frame in line.sent] == ["auth", "subscribe"]
    assert line.sent[1]["args"] == ["order", "execution", "position"]


def test_a_refused_key_fails_the_greeting() -> None:
    line = Deaf({"success": False, "ret_msg": "Params Error", "op": "auth"})
    with pytest.raises(ConnectionError, match="auth: Params Error"):
        line.greet()

    assert [frame["op"] for frame in line.sent] == ["auth"]


def test_a_refused_subscription_fails_the_greeting() -> None:
    line = Deaf({**YES, "op": "auth"}, {"success": False, "ret_msg": "error:params", "op": "subscribe"})
    with pytest.raises(ConnectionError, match="subscribe: error:params"):
        line.greet()


def test_what_is_already_subscribed_is_fine() -> None:
    twice = {"success": False, "ret_msg": "error:already subscribed,topic:order", "op": "subscribe"}
    Deaf({**YES, "op": "auth"}, twice).greet()

    assert refusal(twice) is None


def test_a_greeting_without_an_answer_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "ANSWER_S", 0.01)
    with pytest.raises(ConnectionError, match="no answer to auth"):
        Deaf().greet()


def test_topics_are_split_before_a_frame_becomes_too_long() -> None:
    topics = [f"tickers.{number:0100}" for number in range(1000)]
    frames = subscribe(topics)

    assert [topic for frame in frames for topic in frame["args"]] == topics
    assert len(frames) > 1
    assert all(sum(map(len, frame["args"])) <= 20_000 for frame in frames)


# ── frames ──────────────────────────────────────────────────────────────────────────────────────────────────


class Told:
    """What the news of one frame were."""

    def __init__(self, *frames: Any) -> None:
        self.events: list[ExchangeEvent] = []
        self.doubts: list[StopReport] = []
        self.strange: list[str] = []
        news = News(words(), self.events.append, self.doubts.append, self.strange.append)
        for frame in frames:
            news.take(frame)


def push(topic: str, *rows: Any) -> dict[str, Any]:
    return {"id": "1", "topic": topic, "creationTime": 1, "data": list(rows)}


@pytest.mark.parametrize(
    "frame",
    [None, [], "x", {}, {"op": "pong"}, {"success": True, "op": "ping"}, push("wallet", {}), push("greeks", {})],
)
def test_frames_that_are_no_news_are_passed_over(frame: Any) -> None:
    told = Told(frame)

    assert (told.events, told.strange) == ([], [])


def test_one_message_may_hold_several_records() -> None:
    told = Told(push("execution", execution(), execution(execId="e2")))

    assert [event.fill.id for event in told.events if isinstance(event, FillSeen)] == ["e1", "e2"]


def test_an_order_is_told_twice_when_the_venue_tells_it_twice() -> None:
    again = order(cancelType="CancelByUser", rejectReason="EC_OrigClOrdIDDoesNotExist")
    first, second = Told(push("order", order(), again)).events

    assert first == second


def test_a_funding_is_no_news() -> None:
    assert Told(push("execution", execution(execType="Funding"))).events == []


def test_another_category_is_no_news() -> None:
    assert Told(push("order", order(category="spot"))).events == []


def test_a_strangers_order_and_fill_are_told_too() -> None:
    told = Told(push("order", order(orderLinkId="")), push("execution", execution(orderLinkId="mine")))

    assert [type(event) for event in told.events] == [OrderSeen, FillSeen]


def test_a_resting_stop_order_protects_at_once() -> None:
    assert Told(push("order", stop_row())).events == [
        StopSeen(StopReport(ENTRY, SYMBOL, True, d(49000), d("0.01"), attached=True))
    ]


def test_a_position_with_its_stop_protects_at_once() -> None:
    seen, held = Told(push("position", position())).events

    assert seen == StopSeen(StopReport("", SYMBOL, True, d(49000), d("0.010"), attached=True))
    assert isinstance(held, PositionSeen)


def test_a_position_without_a_stop_says_nothing_about_it() -> None:
    (event,) = Told(push("position", position(stopLoss=""))).events

    assert isinstance(event, PositionSeen)


def test_a_closed_position_has_an_empty_side() -> None:
    (event,) = Told(push("position", position(side="", size="0", avgPrice="0", stopLoss=""))).events

    assert isinstance(event, PositionSeen)
    assert event.position.quantity == 0


def test_an_attached_stop_that_is_gone_is_looked_at_before_it_is_told() -> None:
    told = Told(push("order", stop_row(orderStatus="Deactivated", cancelType="CancelByTpSlTsClear")))

    assert told.events == []
    assert [(report.live, report.reason) for report in told.doubts] == [(False, "CancelByTpSlTsClear")]


def test_a_triggered_stop_is_told_at_once() -> None:
    (event,) = Told(push("order", stop_row(orderStatus="Triggered"))).events

    assert isinstance(event, StopSeen)
    assert event.report.reason == "triggered"


@pytest.mark.parametrize("row", [order(orderStatus="Odd"), "no object", None, order(symbol=5)])
def test_a_strange_row_is_told_as_strange_and_the_others_still_count(row: Any) -> None:
    told = Told(push("order", row, order()))

    assert len(told.strange) == 1
    assert len(told.events) == 1


def test_a_frame_without_rows_is_strange() -> None:
    assert len(Told({"topic": "order", "data": None}).strange) == 1


# ── over real sockets ───────────────────────────────────────────────────────────────────────────────────────


def test_a_position_closed_by_us_takes_its_stop_along_without_an_alarm() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            read = len(rig.requests(POSITIONS))
            await rig.exchange.close_position(close())
            await rig.event(FillSeen, lambda event: event.fill.client_id == CLOSE)
            await until(lambda: len(rig.requests(POSITIONS)) > read)
            await until(lambda: not any(n.startswith("stop of") for n in rig.exchange.line.background.names))
            assert [event for event in rig.seen(StopSeen) if not event.report.live] == []
            assert [event.fill.client_id for event in rig.seen(FillSeen)] == [ENTRY, CLOSE]

    run(scenario)


def test_a_stop_that_vanishes_while_the_position_is_open_is_told() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("stop-vanishes", after_ms=20)
            await rig.exchange.place_entry(entry())
            seen = await rig.event(StopSeen, lambda event: not event.report.live)
            assert (seen.report.symbol, seen.report.attached) == (SYMBOL, True)
            assert seen.report.reason != "triggered"

    run(scenario)


def test_a_stop_that_vanishes_and_cant_be_looked_at_counts_as_gone() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("refuse", path=POSITIONS, code=10016)
            rig.exchange.session.news.take(push("order", stop_row(orderStatus="Deactivated")))
            assert (await rig.event(StopSeen, lambda event: not event.report.live)).report.attached

    run(scenario)


def test_a_stop_that_was_replaced_is_told_where_it_rests_now() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy("0.010", "49100")
            before = len(rig.seen(StopSeen))
            rig.exchange.session.news.take(push("order", stop_row(orderStatus="Deactivated")))
            await until(lambda: len(rig.seen(StopSeen)) > before)
            report = rig.seen(StopSeen)[-1].report
            assert (report.live, report.trigger_price) == (True, d(49100))

    run(scenario)


def test_duplicate_events_are_told_as_they_come() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("duplicate-event", topic="execution")
            await rig.exchange.place_entry(entry())
            await until(lambda: len(rig.seen(FillSeen)) == 2)
            first, second = rig.seen(FillSeen)
            assert first == second

    run(scenario)


def test_a_strange_event_makes_the_kernel_read_back() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.session.news.take(push("order", order(orderStatus="Odd")))
            assert [notice.level for notice in rig.notices("strange_event")] == ["error"]
            assert (len(rig.seen(StreamLost)), len(rig.seen(StreamRestored))) == (1, 1)

    run(scenario)


def test_the_first_connection_restores_nothing() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert rig.exchange.session.private.is_up
            assert rig.seen(StreamRestored) == []

    run(scenario)


def test_a_closed_stream_is_told_as_lost_then_as_restored_and_events_flow_again() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("streams-closed", sockets=PRIVATE, at_ms=1)
            await rig.event(StreamRestored)
            assert len(rig.seen(StreamLost)) == 1
            rig.heal()
            await rig.buy()
            assert [event.fill.client_id for event in rig.seen(FillSeen)] == [ENTRY]

    run(scenario)


def test_a_silent_stream_is_told_as_lost_and_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "ANSWER_S", 0.3)

    async def scenario() -> None:
        async with trading(stream_silence_s=d("0.3")) as rig:
            rig.fault("streams-silent", sockets=PRIVATE, at_ms=1, for_ms=600)
            await rig.event(StreamLost, lambda event: "private" in event.why)
            await rig.event(StreamRestored)

    run(scenario)


def test_what_happens_while_the_stream_is_down_is_read_back_by_query() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("streams-closed", sockets=PRIVATE, at_ms=1, for_ms=300)
            await rig.event(StreamLost)
            rig.price(48990)
            await rig.event(StreamRestored)
            assert await rig.exchange.positions() == ()
            assert [fill.cause for fill in await rig.exchange.fills(SYMBOL, rig.probe.clock.now_ns() - 10**10)] == [
                "order",
                "stop",
            ]

    run(scenario)


def test_a_quiet_account_keeps_its_stream() -> None:
    async def scenario() -> None:
        async with emulated() as venue, at(venue, stream_silence_s=d("0.3")) as rig:
            before = rig.sockets()
            await asyncio.sleep(0.8)  # several times the silence that a dead stream is allowed
            assert rig.sockets() == before
            assert rig.seen(StreamLost) == []

    run(scenario)


def test_an_order_that_is_cancelled_elsewhere_is_told() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry(price="49500"))
            await rig.exchange.cancel_entry(SYMBOL, ENTRY)
            seen = await rig.event(OrderSeen, lambda event: event.report.status.is_final)
            assert seen.report.status is OrderStatus.CANCELLED

    run(scenario)
