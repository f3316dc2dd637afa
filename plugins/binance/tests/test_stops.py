"""Stops: conditional orders for a quantity, reduce-only, by client id; what each refusal of the venue leads to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from attrs import evolve

from framework import PriceSource, Refusal, StopAnswer, StopReport, StopSeen, Unknown
from framework_binance import orders
from framework_venue.budget import Purpose
from framework_venue.client import TRIES

from .rig import STOP, SYMBOL, Rig, d, run, stop, trading

POST = {"method": "POST", "path": "/fapi/v1/algoOrder"}


def report(answer: StopAnswer) -> StopReport:
    assert isinstance(answer, StopReport), answer
    return answer


def refused(answer: StopAnswer) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


async def opened(rig: Rig, **fault: Any) -> StopAnswer:
    """The answer to the stop of a position that is open."""
    await rig.buy()
    if fault:
        rig.fault(**POST, **fault)
    return await rig.exchange.place_stop(stop())


# ── placing ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("trigger_by", "name"), [(PriceSource.LAST, "CONTRACT_PRICE"), (PriceSource.MARK, "MARK_PRICE")]
)
def test_a_stop_is_a_conditional_order_for_the_quantity_reduce_only(trigger_by: PriceSource, name: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            answer = report(await rig.exchange.place_stop(stop("49000.5", trigger_by=trigger_by)))
            assert (answer.client_id, answer.live) == (STOP, True)
            assert (answer.trigger_price, answer.quantity) == (d("49000.5"), d("0.010"))
            (sent,) = rig.requests("/fapi/v1/algoOrder", "POST")
            wanted = {
                "symbol": SYMBOL,
                "side": "SELL",
                "positionSide": "BOTH",
                "algoType": "CONDITIONAL",
                "type": "STOP_MARKET",
                "quantity": "0.01",
                "reduceOnly": "true",
                "triggerPrice": "49000.5",
                "workingType": name,
                "clientAlgoId": STOP,
            }
            assert {key: sent["params"].get(key) for key in wanted} == wanted

    run(scenario)


def test_an_attached_stop_is_refused_and_nothing_is_sent() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert refused(await rig.exchange.place_stop(stop(attached=True))).code == "not_supported"
            assert rig.requests("/fapi/v1/algoOrder") == []

    run(scenario)


def test_a_stop_is_never_moved_in_place() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert refused(await rig.exchange.move_stop(stop())).code == "not_supported"

    run(scenario)


def test_two_stops_rest_beside_one_another_while_one_replaces_the_other() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await opened(rig)
            second = "fw-aaaaaaaaaaaaaaaa-s1"
            assert report(await rig.exchange.place_stop(stop("49500", client_id=second))).live
            assert {one.client_id for one in await rig.exchange.stops(SYMBOL)} == {STOP, second}
            assert report(await rig.exchange.cancel_stop(SYMBOL, STOP)).reason == "cancelled"
            assert [one.client_id for one in await rig.exchange.stops(SYMBOL)] == [second]

    run(scenario)


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────


def test_2021_a_stop_whose_price_was_passed_is_crossed() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            answer = refused(await rig.exchange.place_stop(stop("50500")))
            assert (answer.code, answer.crossed, answer.for_good) == ("-2021", True, True)

    run(scenario)


def test_4142_the_older_text_of_it_is_crossed_too() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = refused(await opened(rig, name="refuse", code=-4142))
            assert (answer.code, answer.crossed) == ("-4142", True)

    run(scenario)


def test_2022_with_a_flat_position_is_a_stop_that_is_not_live() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", **POST, code=-2022)
            answer = report(await rig.exchange.place_stop(stop()))
            assert (answer.live, answer.reason) == (False, "-2022: the position is flat")

    run(scenario)


def test_2022_with_an_open_position_is_refused_but_not_for_good() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = refused(await opened(rig, name="refuse", code=-2022))
            assert (answer.code, answer.for_good, answer.crossed) == ("-2022", False, False)

    run(scenario)


@pytest.mark.parametrize("code", [-4509, -4129])
def test_4509_a_position_that_is_not_seen_yet_is_waited_for(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "RETRY_AFTER_S", (0.01, 0.01, 0.01))

    async def scenario() -> None:
        async with trading() as rig:
            assert report(await opened(rig, name="refuse", code=code, count=2)).live
            assert len(rig.requests("/fapi/v1/algoOrder", "POST")) == 3

    run(scenario)


def test_4509_ends_with_a_refusal_that_is_not_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "RETRY_AFTER_S", (0.01, 0.01))

    async def scenario() -> None:
        async with trading() as rig:
            answer = refused(await opened(rig, name="refuse", code=-4509))
            assert (answer.code, answer.for_good) == ("-4509", False)
            assert len(rig.requests("/fapi/v1/algoOrder", "POST")) == 3

    run(scenario)


def test_4509_is_waited_for_two_and_a_half_seconds_at_most_each_pause_longer_than_the_one_before() -> None:
    pauses = orders.RETRY_AFTER_S
    assert sum(pauses) <= 2.5
    assert list(pauses) == sorted(pauses)
    assert pauses[0] == 0.25


def test_4130_a_resting_stop_of_ours_is_taken_over() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await opened(rig)
            rig.fault("refuse", **POST, code=-4130)
            answer = report(await rig.exchange.place_stop(stop()))
            assert (answer.client_id, answer.live, answer.trigger_price) == (STOP, True, d(49000))

    run(scenario)


def test_4130_a_stop_of_somebody_else_is_named_and_not_touched() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.place_stop(stop("48000", client_id="by-hand"))
            rig.fault("refuse", **POST, code=-4130)
            answer = refused(await rig.exchange.place_stop(stop()))
            assert not answer.for_good
            assert "by-hand" in answer.message
            assert "48000" in answer.message
            assert [one.client_id for one in await rig.exchange.stops(SYMBOL)] == ["by-hand"]

    run(scenario)


def test_4130_is_unknown_when_the_stops_can_t_be_listed() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", path="/fapi/v1/openAlgoOrders", code=-1000)
            assert isinstance(await opened(rig, name="refuse", code=-4130), Unknown)

    run(scenario)


def test_4120_a_wrong_route_is_our_own_bug_and_told_aloud() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = refused(await opened(rig, name="refuse", code=-4120))
            assert (answer.code, answer.for_good) == ("-4120", True)
            (notice,) = rig.notices("venue_our_bug")
            assert notice.level == "error"
            assert "-4120" in notice.message

    run(scenario)


def test_4116_a_stop_that_exists_is_read_back() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await opened(rig)
            answer = report(await rig.exchange.place_stop(stop()))  # sent again with the same id
            assert (answer.client_id, answer.live) == (STOP, True)
            assert len(await rig.exchange.stops(SYMBOL)) == 1

    run(scenario)


def test_4116_of_a_stop_that_can_t_be_seen_is_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert isinstance(await opened(rig, name="refuse", code=-4116), Unknown)

    run(scenario)


def test_4164_of_a_stop_is_refused_for_good() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert refused(await opened(rig, name="refuse", code=-4164)).for_good

    run(scenario)


def test_4045_too_many_stops_is_refused_for_now() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert not refused(await opened(rig, name="refuse", code=-4045)).for_good

    run(scenario)


@pytest.mark.parametrize("name", ["ack-lost", "unknown-503", "backend-timeout", "gateway-504", "null-body"])
def test_a_stop_without_an_answer_is_sent_again_under_its_id_and_rests_once(name: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert report(await opened(rig, name=name, count=1)).live
            first, second = rig.requests("/fapi/v1/algoOrder", "POST")
            assert first["params"]["clientAlgoId"] == second["params"]["clientAlgoId"] == STOP
            assert [one.client_id for one in await rig.exchange.stops(SYMBOL)] == [STOP]

    run(scenario)


def test_a_stop_that_was_lost_on_its_way_is_sent_until_it_rests() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert report(await opened(rig, name="request-lost", count=2)).live
            assert [one.client_id for one in await rig.exchange.stops(SYMBOL)] == [STOP]

    run(scenario)


def test_a_stop_that_never_arrives_is_unknown_after_a_bounded_number_of_copies() -> None:
    async def scenario() -> None:
        async with trading(repeat_after_ms=50) as rig:
            assert isinstance(await opened(rig, name="request-lost"), Unknown)
            assert len(rig.requests("/fapi/v1/algoOrder", "POST")) <= TRIES[Purpose.PROTECT]

    run(scenario)


def test_a_late_answer_to_a_stop_is_not_waited_for() -> None:
    async def scenario() -> None:
        async with trading(repeat_after_ms=50) as rig:
            assert report(await opened(rig, name="slow-response", delay_ms=500, count=1)).live
            assert len(rig.requests("/fapi/v1/algoOrder", "POST")) == 2

    run(scenario)


def test_an_answer_within_the_time_that_is_set_is_waited_for() -> None:
    async def scenario() -> None:
        async with trading(repeat_after_ms=5_000) as rig:
            assert report(await opened(rig, name="slow-response", delay_ms=600, count=1)).live
            assert len(rig.requests("/fapi/v1/algoOrder", "POST")) == 1

    run(scenario)


def test_a_copy_that_is_refused_after_one_without_an_answer_says_what_the_venue_knows_of_the_stop() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("ack-lost", **POST, count=1)
            rig.fault("refuse", **POST, code=-4045)
            assert report(await rig.exchange.place_stop(stop())).live

    run(scenario)


def test_a_copy_that_is_refused_where_the_venue_knows_no_stop_leaves_it_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("request-lost", **POST, count=1)
            rig.fault("refuse", **POST, code=-4045)
            assert isinstance(await rig.exchange.place_stop(stop()), Unknown)

    run(scenario)


def test_a_copy_whose_price_was_passed_is_crossed_although_another_was_lost() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("request-lost", **POST, count=1)
            assert refused(await rig.exchange.place_stop(stop("50500"))).crossed

    run(scenario)


@pytest.mark.parametrize("name", ["failed-503", "unavailable-503"])
def test_a_stop_that_was_not_carried_out_may_be_sent_again(name: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert not refused(await opened(rig, name=name)).for_good
            assert await rig.exchange.stops(SYMBOL) == ()

    run(scenario)


def test_1021_a_stop_is_sent_again_once_the_clock_is_set() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.world.skew("binance", 60_000_000_000)
            assert report(await rig.exchange.place_stop(stop())).live

    run(scenario)


# ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────


def test_cancelling_what_is_not_there_counts_as_removed() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = report(await rig.exchange.cancel_stop(SYMBOL, STOP))
            assert (answer.live, answer.reason) == (False, "not found")

    run(scenario)


def test_cancelling_a_stop_that_acted_says_that_it_triggered() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await opened(rig)
            rig.price(48000)
            await rig.event(StopSeen, lambda seen: seen.report.reason == "triggered")
            answer = report(await rig.exchange.cancel_stop(SYMBOL, STOP))
            assert (answer.live, answer.reason) == (False, "triggered")

    run(scenario)


def test_4117_a_stop_that_is_triggering_has_acted_whatever_an_older_read_says() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await opened(rig)
            rig.fault("refuse", method="DELETE", path="/fapi/v1/algoOrder", code=-4117)
            answer = report(await rig.exchange.cancel_stop(SYMBOL, STOP))
            assert (answer.live, answer.reason) == (False, "triggered")

    run(scenario)


def test_2011_of_a_stop_that_a_read_still_shows_is_reported_as_it_rests() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await opened(rig)
            rig.fault("refuse", method="DELETE", path="/fapi/v1/algoOrder", code=-2011)
            assert report(await rig.exchange.cancel_stop(SYMBOL, STOP)).live

    run(scenario)


@pytest.mark.parametrize("fault", [{"name": "ack-lost"}, {"name": "refuse", "code": -1000}])
def test_a_cancellation_that_proves_nothing_is_unknown(fault: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await opened(rig)
            rig.fault(method="DELETE", path="/fapi/v1/algoOrder", **fault)
            assert isinstance(await rig.exchange.cancel_stop(SYMBOL, STOP), Unknown)

    run(scenario)


def test_a_cancellation_whose_read_back_fails_is_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", method="GET", path="/fapi/v1/algoOrder", code=-1000)
            answer = await rig.exchange.cancel_stop(SYMBOL, STOP)
            assert isinstance(answer, Unknown)
            assert "reading the stop back failed" in answer.message

    run(scenario)


# ── whose move goes first ───────────────────────────────────────────────────────────────────────────────────


def test_of_moves_that_wait_for_the_venues_limits_the_one_that_protects_most_arrives_first() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            worths = {"w0": d(1), "w1": d(30), "w2": None, "w3": d(5)}
            moves = [evolve(stop(client_id=name), worth_usd=worth) for name, worth in worths.items()]
            rig.exchange.line.client.budget.be_silent(0.2, "asked for")
            answers = await asyncio.gather(*(rig.exchange.place_stop(move) for move in moves))
            assert all(report(answer).live for answer in answers)
            arrived = [each["params"]["clientAlgoId"] for each in rig.requests("/fapi/v1/algoOrder", "POST")]
            assert arrived == ["w2", "w1", "w3", "w0"]

    run(scenario)
