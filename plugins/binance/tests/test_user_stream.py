"""The user stream: events at once, gaps told and read back, keys renewed, the dead told from the quiet."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from framework import (
    FillSeen,
    OrderSeen,
    OrderStatus,
    PositionSeen,
    StopSeen,
    StreamLost,
    StreamRestored,
    VenueNotice,
)
from framework_binance import stream

from .rig import ENTRY, STOP, SYMBOL, Rig, d, entry, kinds_of, run, stop, trading, until

SILENCE_S = Decimal("0.4")


async def restored(rig: Rig, times: int = 1) -> None:
    """Wait until the stream was lost and is back."""
    await until(lambda: len(rig.seen(StreamRestored)) >= times)
    assert len(rig.seen(StreamLost)) >= times


def user_sockets(rig: Rig) -> list[str]:
    return [path for path in rig.sockets() if path.startswith("/private")]


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fill_is_told_by_its_first_evidence_then_with_its_fee_then_by_its_order() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.event(OrderSeen, lambda seen: seen.report.status is OrderStatus.FILLED)
            assert kinds_of(rig.probe.events) == ["OrderSeen", "PositionSeen", "FillSeen", "OrderSeen"]
            early, done = rig.seen(OrderSeen)
            assert (early.report.client_id, early.report.filled) == (ENTRY, d("0.010"))
            assert early.report.status is OrderStatus.PARTIALLY_FILLED
            assert (done.report.status, done.report.average_price) == (OrderStatus.FILLED, d("50000.1"))
            (fill,) = rig.seen(FillSeen)
            assert (fill.fill.client_id, fill.fill.cause, fill.fill.fee_usd) == (ENTRY, "order", d("0.2500005"))

    run(scenario)


def test_a_stop_is_told_from_its_placing_to_its_execution() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.place_stop(stop())
            rig.price(48000)
            fill = await rig.event(FillSeen, lambda seen: seen.fill.cause == "stop")
            assert (fill.fill.client_id, fill.fill.quantity) == (STOP, d("0.010"))
            told = [(one.report.live, one.report.reason) for one in rig.seen(StopSeen)]
            assert told[0] == (True, "")
            assert set(told[1:]) == {(False, "triggered")}
            flat = await rig.event(PositionSeen, lambda seen: seen.position.quantity == 0)
            assert flat.position.symbol == SYMBOL
            # The order that a stop became is told by its executions alone.
            assert all(one.report.client_id == ENTRY for one in rig.seen(OrderSeen))

    run(scenario)


def test_a_stop_whose_order_fills_nothing_is_told_as_triggered() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.place_stop(stop())
            rig.fault("short-child", filled_percent=0)
            rig.price(48000)
            await until(lambda: [one for one in rig.seen(StopSeen) if one.report.reason == "triggered"])
            assert all(one.fill.cause == "order" for one in rig.seen(FillSeen))

    run(scenario)


def test_a_stop_that_the_venue_takes_away_is_told_at_once() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("stop-vanishes", after_ms=5)
            await rig.exchange.place_stop(stop())
            gone = await rig.event(StopSeen, lambda seen: not seen.report.live)
            assert (gone.report.client_id, gone.report.reason) == (STOP, "cancelled")

    run(scenario)


def test_what_somebody_else_trades_is_told_with_the_strangers_id() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("position-changed", at_ms=1, market=SYMBOL, qty="0.03")
            fill = await rig.event(FillSeen)
            held = await rig.event(PositionSeen)
            assert fill.fill.client_id not in ("", ENTRY)
            assert held.position.quantity == d("0.030")

    run(scenario)


def test_repeated_and_reversed_events_are_told_as_they_come_with_the_same_ids() -> None:
    async def scenario() -> None:
        async with trading({"reverse_events": True}) as rig:
            rig.fault("duplicate-event", event="*")
            await rig.buy()
            await until(lambda: len(rig.seen(FillSeen)) == 2)
            first, second = rig.seen(FillSeen)
            assert first == second
            early = [one for one in rig.seen(OrderSeen) if one.report.status is OrderStatus.PARTIALLY_FILLED]
            assert {one.report.filled for one in early} == {d("0.010")}  # counted by trade, not by message

    run(scenario)


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_listen_key_that_expires_is_followed_by_a_new_one_and_a_read_back() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            before = user_sockets(rig)
            rig.fault("listen-keys-expire", at_ms=1)
            await restored(rig)
            assert "listen key has expired" in rig.seen(StreamLost)[0].why
            assert len(rig.requests("/fapi/v1/listenKey", "POST")) == 2
            await rig.buy()
            await rig.event(FillSeen)
            assert len(user_sockets(rig)) == len(before) == 1

    run(scenario)


def test_the_listen_key_is_kept_alive_by_our_own_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEEP_KEY_S", 0.05)

    async def scenario() -> None:
        async with trading({"listen_key_ns": 300_000_000}) as rig:
            await until(lambda: len(rig.requests("/fapi/v1/listenKey", "PUT")) >= 12)  # twice the key's life
            assert rig.seen(StreamLost) == []
            await rig.buy()
            await rig.event(FillSeen)

    run(scenario)


def test_1125_a_key_that_the_venue_does_not_know_any_more_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEEP_KEY_S", 0.05)

    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", method="PUT", path="/fapi/v1/listenKey", code=-1125, count=1)
            await restored(rig)
            assert len(rig.requests("/fapi/v1/listenKey", "POST")) == 2

    run(scenario)


def test_a_renewal_that_fails_is_tried_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEEP_KEY_S", 0.05)
    monkeypatch.setattr(stream, "KEEP_KEY_AGAIN_S", 0.01)

    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", method="PUT", path="/fapi/v1/listenKey", code=-1000, count=1)
            await until(lambda: len(rig.requests("/fapi/v1/listenKey", "PUT")) >= 2)
            assert rig.seen(StreamLost) == []

    run(scenario)


def test_the_connection_is_renewed_before_a_day_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RENEW_S", 0.1)

    async def scenario() -> None:
        async with trading() as rig:
            await restored(rig)
            assert "almost a day old" in rig.seen(StreamLost)[0].why

    run(scenario)
    assert 0 < 86_400 - 23 * 3600


# ── gaps ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_connection_is_no_restoration() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert rig.seen(StreamRestored) == []

    run(scenario)


def test_a_connection_that_the_venue_closes_is_opened_again_and_told() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("streams-closed", at_ms=1, sockets="/private*", close_code=1001)
            await restored(rig)
            await rig.buy()
            await rig.event(FillSeen)

    run(scenario)


def test_what_fills_while_the_stream_is_away_is_found_by_a_read() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry(price="49900"))
            rig.fault("streams-closed", at_ms=1, sockets="/private*", for_ms=300)
            await until(lambda: rig.seen(StreamLost))
            rig.price(49800)
            await restored(rig)
            report = await rig.exchange.entry_report(SYMBOL, ENTRY)
            assert report is not None
            assert report.status is OrderStatus.FILLED
            assert rig.seen(FillSeen) == []

    run(scenario)


def test_a_stream_that_answers_pings_and_nothing_else_is_noticed_by_an_order_that_it_does_not_tell() -> None:
    async def scenario() -> None:
        async with trading(stream_silence_s=SILENCE_S) as rig:
            rig.fault("streams-silent", at_ms=0, sockets="/private*", for_ms=300)
            await asyncio.sleep(0.05)
            await rig.buy()
            await restored(rig)
            await asyncio.sleep(0.3)  # until the venue has found its voice again
            await rig.buy(client_id="fw-aaaaaaaaaaaaaaaa-e1")
            await rig.event(FillSeen)

    run(scenario)


def test_a_quiet_stream_is_left_alone() -> None:
    async def scenario() -> None:
        async with trading(stream_silence_s=Decimal("0.15")) as rig:
            await asyncio.sleep(0.6)  # four times the silence: pings are answered, nothing happens
            assert rig.seen(StreamLost) == []

    run(scenario)


def test_a_stream_that_says_nothing_of_an_order_that_was_filled_is_renewed() -> None:
    async def scenario() -> None:
        async with trading(stream_silence_s=SILENCE_S) as rig:
            rig.fault("lose-event", event="*", topic="*")
            await rig.buy()
            await restored(rig)
            assert f"{ENTRY} was filled" in rig.seen(StreamLost)[0].why

    run(scenario)


def test_a_stream_that_speaks_of_its_orders_is_not_renewed() -> None:
    async def scenario() -> None:
        async with trading(stream_silence_s=SILENCE_S) as rig:
            await rig.buy()
            await asyncio.sleep(0.3)
            assert rig.seen(StreamLost) == []

    run(scenario)


def test_a_frame_that_can_t_be_understood_makes_the_kernel_read() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            client = rig.exchange.line.streams[0]._link.client  # type: ignore[union-attr]
            client.on_message_callback(client, {"e": "ORDER_TRADE_UPDATE", "o": {"c": "x"}})
            assert kinds_of(rig.probe.events) == ["VenueNotice", "StreamLost", "StreamRestored"]
            assert rig.notices("strange_frame")[0].level == "error"

    run(scenario)


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("leverage", [10, 20])
def test_a_leverage_that_somebody_changed_is_set_again(leverage: int) -> None:
    """Whether it had to be set at the start, or was so already (the emulator's own is 20)."""

    async def scenario() -> None:
        async with trading(leverage=leverage) as rig:
            before = len(rig.requests("/fapi/v1/leverage", "POST"))
            rig.fault("leverage-changed", at_ms=1, market=SYMBOL, leverage=5)
            await until(lambda: len(rig.requests("/fapi/v1/leverage", "POST")) > before)
            await until(lambda: SYMBOL in rig.exchange.line.preparing.ready_now)
            assert rig.world.venues["binance"].leverage("demo", SYMBOL) == leverage

    run(scenario)


def test_a_margin_call_is_told_aloud() -> None:
    async def scenario() -> None:
        async with trading(leverage=20) as rig:
            await rig.buy("3.5")
            rig.price("47450")
            notice = await rig.event(VenueNotice, lambda seen: seen.code == "margin_call")
            assert (notice.level, SYMBOL in notice.message) == ("error", True)

    run(scenario)
