"""Entries and their cancellation: sent once, answered with what the venue said, never taken for refused in doubt."""

from __future__ import annotations

from typing import Any

import pytest

from framework import EntryAnswer, OrderReport, OrderSide, OrderStatus, Refusal, TimeInForce, Unknown

from .rig import ENTRY, SYMBOL, Rig, d, entry, run, trading


def posts(rig: Rig) -> list[dict[str, Any]]:
    return rig.requests("/fapi/v1/order", "POST")


async def placed(rig: Rig, **fault: Any) -> EntryAnswer:
    """The answer to an entry while a fault holds."""
    if fault:
        rig.fault(method="POST", path="/fapi/v1/order", **fault)
    return await rig.exchange.place_entry(entry())


def refused(answer: EntryAnswer) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def unknown(answer: EntryAnswer) -> Unknown:
    assert isinstance(answer, Unknown), answer
    return answer


def report(answer: EntryAnswer) -> OrderReport:
    assert isinstance(answer, OrderReport), answer
    return answer


# ── what is sent ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_market_entry_is_answered_with_its_final_state() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = report(await placed(rig))
            assert (answer.client_id, answer.status, answer.filled) == (ENTRY, OrderStatus.FILLED, d("0.010"))
            assert (answer.average_price, str(answer.filled)) == (d("50000.1"), "0.010")
            (sent,) = posts(rig)
            wanted = {
                "symbol": SYMBOL,
                "side": "BUY",
                "positionSide": "BOTH",
                "type": "MARKET",
                "quantity": "0.01",
                "newClientOrderId": ENTRY,
                "newOrderRespType": "RESULT",
            }
            assert {name: sent["params"].get(name) for name in wanted} == wanted
            assert "reduceOnly" not in sent["params"]

    run(scenario)


@pytest.mark.parametrize(
    ("time_in_force", "name"),
    [(TimeInForce.GTC, "GTC"), (TimeInForce.IOC, "IOC"), (TimeInForce.POST_ONLY, "GTX")],
)
def test_a_limit_entry_carries_its_price_and_its_time_in_force(time_in_force: TimeInForce, name: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            order = entry(price="49900.0", side=OrderSide.BUY, time_in_force=time_in_force)
            await rig.exchange.place_entry(order)
            (sent,) = posts(rig)
            assert (sent["params"]["type"], sent["params"]["price"]) == ("LIMIT", "49900")
            assert sent["params"]["timeInForce"] == name

    run(scenario)


def test_a_resting_entry_is_reported_as_new() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = report(await rig.exchange.place_entry(entry(price="49900")))
            assert (answer.status, answer.filled, answer.average_price) == (OrderStatus.NEW, d(0), None)

    run(scenario)


def test_an_entry_is_not_sent_after_its_deadline() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = refused(await rig.exchange.place_entry(entry(left_s=-1)))
            assert answer.code == "too_late"
            assert posts(rig) == []

    run(scenario)


def test_an_entry_that_would_wait_for_its_turn_past_its_deadline_is_not_sent() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.line.budget.be_silent(0.4, "a test")
            answer = refused(await rig.exchange.place_entry(entry(left_s=0.1)))
            assert (answer.code, answer.for_good) == ("rate_budget", False)
            assert posts(rig) == []

    run(scenario)


def test_a_market_that_can_t_be_brought_in_order_is_not_entered() -> None:
    async def scenario() -> None:
        async with trading(symbols=()) as rig:
            rig.exchange.line.preparing.changed(SYMBOL)
            rig.fault("refuse", method="POST", path="/fapi/v1/leverage", code=-4028)
            answer = refused(await placed(rig))
            assert answer.code == "not_in_order"
            assert posts(rig) == []

    run(scenario)


# ── refused ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_4164_an_entry_below_the_smallest_notional_is_refused_for_good() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = refused(await rig.exchange.place_entry(entry("0.001")))  # 50 USD, the market wants 100
            assert (answer.code, answer.for_good) == ("-4164", True)

    run(scenario)


async def not_carried_out(told: str, /, **fault: Any) -> None:
    async with trading() as rig:
        answer = refused(await placed(rig, **fault))
        assert (answer.code, answer.for_good) == (told, False)
        assert len(posts(rig)) == 1
        assert await rig.exchange.positions() == ()


def test_503_internal_error_was_not_carried_out_and_is_not_refused_for_good() -> None:
    run(lambda: not_carried_out("-1000", name="failed-503"))


def test_503_service_unavailable_was_not_carried_out_and_is_not_refused_for_good() -> None:
    run(lambda: not_carried_out("503-unavailable", name="unavailable-503"))


def test_1008_an_overloaded_venue_takes_the_entry_later() -> None:
    run(lambda: not_carried_out("-1008", name="overload"))


def test_1015_too_many_orders_are_refused_but_not_for_good() -> None:
    run(lambda: not_carried_out("-1015", name="refuse", code=-1015))


def test_1021_an_entry_is_not_sent_again_but_the_clock_is_set() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.world.skew("binance", 60_000_000_000)
            answer = refused(await placed(rig))
            assert (answer.code, answer.for_good) == ("-1021", False)
            assert len(posts(rig)) == 1
            assert 59_000 < rig.exchange.line.clock.skew_ms < 61_000
            assert report(await placed(rig)).status is OrderStatus.FILLED

    run(scenario)


def test_429_silences_everything_for_as_long_as_the_venue_says() -> None:
    async def scenario() -> None:
        async with trading(request_timeout_s=d("0.2")) as rig:
            assert refused(await placed(rig, name="rate-limited", retry_after_s=30)).code == "-1003"
            asked = len(rig.requests(""))
            answer = refused(await rig.exchange.place_entry(entry()))
            assert (answer.code, answer.for_good) == ("rate_budget", False)
            assert len(rig.requests("")) == asked
            assert 29 < rig.exchange.line.budget.silent_for_s <= 30

    run(scenario)


def test_418_is_a_ban_and_told_aloud() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = refused(await placed(rig, name="banned", retry_after_s=120))
            assert (answer.code, answer.for_good) == ("-1003", False)
            assert 119 < rig.exchange.line.budget.silent_for_s <= 120
            assert len(rig.notices("venue_banned")) == 1

    run(scenario)


def test_a_revoked_key_is_refused_and_told_aloud() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = refused(await placed(rig, name="refuse", code=-2015))
            assert (answer.code, answer.for_good) == ("-2015", True)
            assert len(rig.notices("venue_credentials")) == 1

    run(scenario)


# ── nobody knows ────────────────────────────────────────────────────────────────────────────────────────────


async def carried_out_perhaps(**fault: Any) -> None:
    """The order is executed; the answer does not tell."""
    async with trading() as rig:
        unknown(await placed(rig, **fault))
        assert len(posts(rig)) == 1
        rig.heal()
        found = report(await rig.exchange.entry_report(SYMBOL, ENTRY) or refused_by_nobody())
        assert found.status is OrderStatus.FILLED


def refused_by_nobody() -> EntryAnswer:
    raise AssertionError("the order was executed, and can't be found")


def test_503_unknown_error_is_unknown() -> None:
    run(lambda: carried_out_perhaps(name="unknown-503"))


def test_1007_a_backend_that_timed_out_is_unknown() -> None:
    run(lambda: carried_out_perhaps(name="backend-timeout"))


def test_504_a_gateway_that_gave_up_is_unknown() -> None:
    run(lambda: carried_out_perhaps(name="gateway-504"))


def test_1006_a_strange_answer_inside_the_venue_is_unknown() -> None:
    run(lambda: carried_out_perhaps(name="refuse", code=-1006, executed=True))


@pytest.mark.parametrize("name", ["ack-lost", "empty-body", "html-body", "list-body", "null-body", "truncated-body"])
def test_an_answer_that_can_t_be_read_is_unknown_and_the_entry_is_not_repeated(name: str) -> None:
    run(lambda: carried_out_perhaps(name=name))


def test_a_request_that_was_lost_on_its_way_is_unknown_too() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            unknown(await placed(rig, name="request-lost"))
            assert await rig.exchange.entry_report(SYMBOL, ENTRY) is None

    run(scenario)


def test_an_answer_that_takes_too_long_is_unknown_and_the_order_can_be_found() -> None:
    async def scenario() -> None:
        async with trading(request_timeout_s=d("0.2")) as rig:
            unknown(await placed(rig, name="slow-response", delay_ms=500))
            rig.heal()
            found = await rig.exchange.entry_report(SYMBOL, ENTRY)
            assert found is not None
            assert found.status is OrderStatus.FILLED

    run(scenario)


def test_an_entry_whose_answer_is_late_is_looked_for_and_never_sent_again() -> None:
    async def scenario() -> None:
        async with trading(repeat_after_ms=50) as rig:
            found = report(await placed(rig, name="slow-response", delay_ms=1_500))
            assert (found.status, found.client_id) == (OrderStatus.FILLED, ENTRY)
            assert len(posts(rig)) == 1

    run(scenario)


def test_a_success_without_an_order_id_is_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = unknown(await placed(rig, name="refuse", code=0, status=200, message="fine", executed=True))
            assert "strange" in answer.message

    run(scenario)


def test_a_connection_that_can_t_be_made_is_refused_not_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.emulator.stop()
            answer = await rig.exchange.place_entry(entry())
            assert isinstance(answer, (Refusal, Unknown))
            again = refused(await rig.exchange.place_entry(entry()))
            assert (again.code, again.for_good) == ("not_sent", False)

    run(scenario)


def test_4116_a_duplicate_is_answered_with_the_order_that_exists() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            first = report(await rig.exchange.place_entry(entry(price="49900")))
            again = report(await rig.exchange.place_entry(entry(price="49900")))
            assert again.order_id == first.order_id
            assert again.status is OrderStatus.NEW

    run(scenario)


def test_4116_without_an_order_that_can_be_seen_is_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert "-4116" in unknown(await placed(rig, name="refuse", code=-4116)).message

    run(scenario)


def test_4116_is_unknown_when_the_read_back_fails() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", method="GET", path="/fapi/v1/order", code=-1000)
            assert "reading the order back failed" in unknown(await placed(rig, name="refuse", code=-4116)).message

    run(scenario)


# ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cancelled_entry_reports_what_it_had_filled() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.price(50000, 50001, ask_quantity="0.004")
            await rig.exchange.place_entry(entry(price="50001"))
            answer = report(await rig.exchange.cancel_entry(SYMBOL, ENTRY))
            assert (answer.status, answer.filled) == (OrderStatus.CANCELLED, d("0.004"))

    run(scenario)


def test_cancelling_an_entry_that_has_ended_reports_its_end() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            answer = report(await rig.exchange.cancel_entry(SYMBOL, ENTRY))
            assert (answer.status, answer.filled) == (OrderStatus.FILLED, d("0.010"))

    run(scenario)


def test_cancelling_what_the_venue_does_not_know_is_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert "can't be seen" in unknown(await rig.exchange.cancel_entry(SYMBOL, ENTRY)).message

    run(scenario)


def test_a_cancellation_without_an_answer_is_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry(price="49900"))
            rig.fault("ack-lost", method="DELETE", path="/fapi/v1/order")
            unknown(await rig.exchange.cancel_entry(SYMBOL, ENTRY))

    run(scenario)
