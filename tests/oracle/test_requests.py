"""Invariants 7, 9, 11, 12 and 14: what is left behind, named, asked for, and how often."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.oracle.story import ALGO, CREATE, MS, ORDER, P1, P2, START_NS, Story, broken, opened, told

E0, S0, X0 = f"fw-{P1}-e0", f"fw-{P1}-s0", f"fw-{P1}-x0"
WISH: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}
SELL: dict[str, Any] = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "1"}
STOP_WISH = {**SELL, "triggerPrice": "49000", "reduceOnly": "true"}


def refused(story: Story, path: tuple[str, str] = ORDER, code: int = -2019, **params: Any) -> Story:
    """A request that led to nothing."""
    with story.request(*path, 400, code, **params):
        pass
    return story


# ── 7: nothing left behind, nothing of others touched ───────────────────────────────────────────────────────


def test_a_stop_that_stays_behind_is_told_of_after_the_bound() -> None:
    story = opened().close()

    assert broken(story.wait(119_999).price().judged()) == []
    story.wait(1).price()
    assert told(story.judged(), 7) == [f"flat for 120 s, and stop {S0} still rests"]
    assert broken(story.judged(flat_bound_s=121)) == []


def test_a_stop_that_is_swept_in_time_is_none() -> None:
    assert broken(opened().close().wait(60_000).cancel_stop().wait(200_000).price().judged()) == []


def test_an_entry_that_rests_while_flat_has_its_own_time() -> None:
    story = Story().wait(300_000).price().order(E0, E0, "buy", "1", type="limit")

    assert broken(story.wait(100_000).price().judged()) == []
    assert broken(story.wait(30_000).price().judged()) == [7]


def test_time_begins_anew_when_the_market_was_not_flat_in_between() -> None:
    story = opened().close().wait(100_000).enter(P2).wait(100).close(position=P2)

    assert broken(story.wait(100_000).price().judged()) == []


def test_while_another_position_is_open_nothing_is_a_leftover() -> None:
    story = opened().close().wait(100_000).enter(P2).wait(100_000).close(position=P2)

    assert broken(story.judged(liveness_s=999, naked_max_ms_binance=99)) == []


def test_time_down_does_not_count() -> None:
    story = opened().close().wait(300_000).price()

    assert broken(story.judged(up=((0, 60_000), (250_000, 400_000)))) == []
    assert broken(story.judged(up=((0, 60_000), (230_000, 400_000)))) == [7]


def test_somebody_elses_order_may_stay() -> None:
    story = opened().order("7", "web_7", "sell", "1", reduce_only=True).close().cancel_stop().wait(300_000)

    assert broken(story.price().judged()) == []


@pytest.mark.parametrize("what", ["order", "stop"])
def test_somebody_elses_order_must_not_be_cancelled(what: str) -> None:
    story = opened()
    with story.request("DELETE", ORDER[1] if what == "order" else ALGO[1], symbol="BTCUSDT", origClientOrderId="web_7"):
        if what == "order":
            story.order("7", "web_7", "sell", "1", "cancelled")
        else:
            story.stop("7", "48000", client_id="web_7", status="cancelled")

    assert told(story.judged(), 7) == [f"{what} 7 (web_7) is not ours, and was cancelled by request 3"]


def test_what_the_venue_cancels_by_itself_is_nobodys_doing() -> None:
    story = opened().order("7", "web_7", "sell", "1").order("7", "web_7", "sell", "1", "cancelled")
    with story.request(*ORDER, symbol="BTCUSDT", side="SELL", reduceOnly="true", newClientOrderId=X0):
        story.order("8", "web_8", "sell", "1", "cancelled")

    assert broken(story.judged()) == []


def test_what_goes_with_a_position_that_a_race_closed_was_not_asked_for() -> None:
    story = opened().order("7", "web_7", "sell", "1", reduce_only=True)
    with story.request("DELETE", ALGO[1], 400, -2011, symbol="BTCUSDT", clientAlgoId=S0):
        story.fire().order("7", "web_7", "sell", "1", "cancelled", reduce_only=True)

    assert broken(story.judged()) == []


# ── 9: ids ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "client_id",
    ["fw-x", "fw-" + "A" * 16 + "-e0", "fw-" + "a" * 15 + "-e0", f"fw-{P1}-q0", f"fw-{P1}-e1234567", "x-cvBPrNm9abc"],
)
def test_an_id_that_does_not_follow_the_grammar_is_a_breach(client_id: str) -> None:
    story = refused(Story(), newClientOrderId=client_id, **WISH)

    assert told(story.judged(), 9) == [f"the client id {client_id!r} does not follow the grammar"]


def test_an_order_without_an_id_is_a_breach() -> None:
    assert broken(refused(Story(), **WISH).judged()) == [9]


def test_somebody_elses_ids_are_theirs() -> None:
    assert broken(refused(Story(), newClientOrderId="web-1", **WISH).judged()) == []


def test_a_stop_may_be_sent_again_with_the_same_parameters() -> None:
    story = opened()
    for timestamp in ("1", "2"):
        refused(story, ALGO, -4116, clientAlgoId=S0, timestamp=timestamp, recvWindow="5000", **STOP_WISH)

    assert told(story.judged(), 9) == []


@pytest.mark.parametrize(
    "change",
    [
        {"triggerPrice": "49001"},
        {"quantity": "2"},
        {"symbol": "ETHUSDT"},
        {"side": "BUY"},
        {"reduceOnly": "false"},
        {"workingType": "MARK_PRICE"},
    ],
)
def test_an_id_that_is_used_again_with_other_parameters_is_a_breach(change: dict[str, str]) -> None:
    story = refused(opened(), ALGO, -4116, clientAlgoId=S0, **{**STOP_WISH, **change})

    assert told(story.judged(), 9) == [f"{S0} is used again with other parameters"]


def test_a_position_id_for_two_symbols_is_a_breach() -> None:
    story = refused(opened(), ALGO, -4116, clientAlgoId=f"fw-{P1}-s1", **{**STOP_WISH, "symbol": "ETHUSDT"})

    assert told(story.judged(), 9) == [f"fw-{P1}-s1 is for buy ETHUSDT, its position for buy BTCUSDT"]


def test_an_exit_of_the_entrys_side_is_a_breach() -> None:
    story = refused(opened(), ORDER, -2022, newClientOrderId=X0, reduceOnly="true", **WISH)

    assert told(story.judged(), 9) == [f"{X0} is for sell BTCUSDT, its position for buy BTCUSDT"]


def test_the_orders_of_a_batch_count_one_by_one() -> None:
    batch = json.dumps([{**WISH, "newClientOrderId": E0}, WISH])
    assert broken(refused(Story(), ("POST", "/fapi/v1/batchOrders"), batchOrders=batch).judged()) == [9]

    items = [{"symbol": "BTCUSDT", "side": "Buy", "orderLinkId": "fw-1"}]
    story = refused(Story("bybit"), ("POST", "/v5/order/create-batch"), 110007, request=items)
    assert broken(story.judged()) == [9]


def test_an_order_of_ours_that_no_request_told_of_follows_the_grammar_too() -> None:
    assert broken(Story().order("1", "fw-1", "buy", "1").stop("2", "1", client_id="fw-2").judged()) == [9]


def test_a_strange_id_is_told_of_once() -> None:
    story = Story()
    with story.request(*ORDER, newClientOrderId="fw-1", **WISH):
        story.order("1", "fw-1", "buy", "1")

    assert [verdict.count for verdict in story.judged().verdicts if verdict.count] == [1]


# ── 11: limits ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("venue", "status", "code"), [("binance", 429, -1003), ("binance", 418, -1003), ("bybit", 200, 10006)]
)
def test_a_refusal_for_too_many_requests_is_a_breach_unless_allowed(venue: str, status: int, code: int) -> None:
    story = Story(venue).read("/fapi/v1/time" if venue == "binance" else "/v5/market/time", status, code)

    assert broken(story.judged()) == [11]
    assert broken(story.judged(refusals_max=1)) == []


def test_a_refusal_that_a_fault_made_is_none() -> None:
    story = Story()
    with story.request("GET", "/fapi/v1/time", 429, -1003):
        story.fault("rate-limited", parameters={"retry_after_s": 30})

    assert broken(story.judged()) == []
    assert broken(story.wait(30_000).read().judged()) == []


@pytest.mark.parametrize(("name", "status", "quiet_ms"), [("rate-limited", 429, 10_000), ("banned", 418, 120_000)])
def test_nothing_is_sent_before_retry_after_has_passed(name: str, status: int, quiet_ms: int) -> None:
    def story(wait_ms: float) -> Story:
        told_off = Story()
        with told_off.request("GET", "/fapi/v1/time", status, -1003):
            told_off.fault(name)
        return told_off.wait(wait_ms).read()

    assert broken(story(quiet_ms).judged()) == []
    assert broken(story(quiet_ms - 1).judged()) == [11]
    assert broken(story(1000).judged()) == [], "it was on its way"
    assert broken(story(1001).judged()) == [11]
    assert broken(story(1001).judged(in_flight_ms=1001)) == []


@pytest.mark.parametrize(
    ("venue", "status", "code"), [("binance", 429, -1003), ("binance", 418, -1003), ("bybit", 403, None)]
)
def test_after_a_refusal_of_the_venues_own_it_is_quiet_for_as_long_as_documented(
    venue: str, status: int, code: int | None
) -> None:
    path = "/fapi/v1/time" if venue == "binance" else "/v5/market/time"
    minute_ms = 60_000 - START_NS // MS % 60_000
    quiet_ms = {429: minute_ms, 418: 120_000, 403: 600_000}[status]

    def story(wait_ms: int) -> Story:
        return Story(venue).read(path, status, code).wait(wait_ms).read(path)

    assert broken(story(quiet_ms).judged(refusals_max=1)) == []
    assert broken(story(quiet_ms - 1).judged(refusals_max=1)) == [11]


def test_on_bybit_too_many_visits_concern_one_path_of_one_account_until_the_next_second() -> None:
    def story(path: str, wait_ms: int) -> Story:
        return Story("bybit").read("/v5/order/realtime", 200, 10006).wait(wait_ms).read(path)

    assert broken(story("/v5/order/realtime", 999).judged(refusals_max=1, in_flight_ms=100)) == [11]
    assert broken(story("/v5/order/realtime", 1000).judged(refusals_max=1, in_flight_ms=100)) == []
    assert broken(story("/v5/position/list", 500).judged(refusals_max=1, in_flight_ms=100)) == []


def test_a_process_that_started_after_the_answer_cannot_know_of_it() -> None:
    story = Story().read(status=418, code=-1003).wait(50_000).read()

    assert broken(story.judged(refusals_max=1, up=((0, 10_000), (20_000, 90_000)))) == []
    assert broken(story.judged(refusals_max=1, up=((0, 90_000),))) == [11]


# ── 12: reduce-only ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [ORDER, ALGO, ("WS", "order.place"), ("WS", "algoOrder.place")])
@pytest.mark.parametrize("client_id", [X0, S0, f"fw-{P1}-t0"])
def test_a_reducing_request_that_is_not_reduce_only_is_a_breach_even_if_refused(
    path: tuple[str, str], client_id: str
) -> None:
    key = "clientAlgoId" if "algo" in path[1] else "newClientOrderId"
    story = refused(Story(), path, **{**SELL, key: client_id})

    assert told(story.judged(), 12) == [f"{client_id} is to reduce a position, and is not reduce-only"]


@pytest.mark.parametrize("flag", [{"reduceOnly": "true"}, {"closePosition": "true"}, {"reduceOnly": True}])
def test_reduce_only_and_close_position_are_both_fine(flag: dict[str, Any]) -> None:
    assert broken(refused(Story(), newClientOrderId=X0, symbol="BTCUSDT", side="SELL", **flag).judged()) == []


def test_on_bybit_the_flag_is_a_truth_value() -> None:
    wish: dict[str, Any] = {"symbol": "BTCUSDT", "side": "Sell", "qty": "1", "orderLinkId": X0}

    assert broken(refused(Story("bybit"), CREATE, 110017, reduceOnly=True, **wish).judged()) == []
    assert broken(refused(Story("bybit"), CREATE, 110017, reduceOnly=False, **wish).judged()) == [12]


def test_what_the_venue_took_in_counts_without_a_request() -> None:
    assert broken(opened().order(X0, X0, "sell", "1").judged()) == [12]
    assert broken(opened().stop(f"fw-{P1}-s1", "48000", reduce_only=False).judged()) == [12]


def test_an_entry_against_an_open_position_is_a_reducing_order() -> None:
    story = opened().order("e", f"fw-{P2}-e0", "sell", "1")

    assert broken(story.judged()) == [12]


def test_an_order_that_is_not_reduce_only_is_told_of_once() -> None:
    story = opened()
    with story.request(*ORDER, newClientOrderId=X0, **SELL):
        story.order(X0, X0, "sell", "1").fill(X0, "sell", "1").order(X0, X0, "sell", "1", "filled")

    assert [(one.number, one.count) for one in story.judged().verdicts if one.count] == [(12, 1)]


def test_an_entry_that_came_before_the_position_that_it_is_against_is_none() -> None:
    story = Story().price().order(E0, E0, "sell", "1", type="limit").order("7", "web_7", "buy", "1")
    story.fill("7", "buy", "1").order("7", "web_7", "buy", "1", "filled").order(E0, E0, "sell", "1", "cancelled")

    assert broken(story.judged()) == []


# ── 14: paths and hosts ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("venue", "method", "path"),
    [
        ("binance", "POST", "/sapi/v1/capital/withdraw/apply"),
        ("binance", "POST", "/sapi/v1/asset/transfer"),
        ("binance", "POST", "/sapi/v1/futures/transfer"),
        ("binance", "DELETE", "/fapi/v1/allOpenOrders"),
        ("binance", "DELETE", "/fapi/v1/algoOpenOrders"),
        ("binance", "POST", "/fapi/v1/countdownCancelAll"),
        ("bybit", "POST", "/v5/asset/withdraw/create"),
        ("bybit", "POST", "/v5/asset/transfer/inter-transfer"),
        ("bybit", "POST", "/v5/order/cancel-all"),
        ("bybit", "GET", "/fapi/v1/time"),
        ("nowhere", "GET", "/fapi/v1/time"),
    ],
)
def test_what_there_is_no_reason_to_ask_for_is_a_breach_even_if_refused(venue: str, method: str, path: str) -> None:
    story = refused(Story(venue), (method, path), 400)

    assert told(story.judged(), 14) == [f"{method} {path} is nothing to ask for"]


def test_only_the_hosts_that_are_named_may_be_contacted() -> None:
    story = Story()
    with story.request("GET", "/fapi/v1/time", more={"host": "127.0.0.1:7"}):
        pass

    assert broken(story.judged()) == []
    assert broken(story.judged(hosts=("127.0.0.1:7",))) == []
    assert told(story.judged(hosts=("fapi.binance.com",)), 14) == ["a request went to the host 127.0.0.1:7"]
