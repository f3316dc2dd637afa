"""Frames of the user stream as pure translation: documented shapes, and those that the real world adds."""

from __future__ import annotations

from typing import Any

import pytest

from framework import ExchangeEvent, FillSeen, OrderSeen, OrderStatus, Percent, PositionSeen, StopSeen, VenueNotice
from framework.testing import make_rules
from framework_binance.news import Names, News
from framework_binance.strange import StrangeAnswerError
from framework_venue.ids import OrderIds

from .rig import ENTRY, STOP, SYMBOL, d

UPDATE: dict[str, Any] = {
    "s": SYMBOL, "c": ENTRY, "S": "BUY", "o": "MARKET", "f": "GTC", "q": "0.010", "p": "0", "ap": "50000.1", "sp": "0",
    "x": "TRADE", "X": "FILLED", "i": 8886774, "l": "0.010", "z": "0.010", "L": "50000.1", "N": "USDT", "n": "0.25",
    "T": 1568879465650, "t": 1, "m": False, "R": False, "wt": "CONTRACT_PRICE", "ot": "MARKET", "ps": "BOTH", "rp": "0",
}  # fmt: skip
LITE: dict[str, Any] = {
    "e": "TRADE_LITE", "E": 1721895408092, "T": 1721895408214, "s": SYMBOL, "q": "0.010", "p": "0.00", "m": False,
    "c": ENTRY, "S": "BUY", "L": "50000.1", "l": "0.004", "t": 109100866, "i": 8886774,
}  # fmt: skip
ALGO: dict[str, Any] = {
    "caid": STOP, "aid": 2148719, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": SYMBOL, "S": "SELL", "ps": "BOTH",
    "f": "GTC", "q": "0.01", "X": "NEW", "ai": "", "tp": "49000", "p": "0", "wt": "CONTRACT_PRICE", "R": True, "tt": 0,
}  # fmt: skip


def news() -> News:
    rules = {SYMBOL: make_rules(SYMBOL, tick_size="0.1", step_size="0.001")}
    return News(lambda: rules, lambda: 50, OrderIds(), Percent(d("0.05")))


def order(**change: Any) -> dict[str, Any]:
    return {"e": "ORDER_TRADE_UPDATE", "E": 1, "T": 1, "o": {**UPDATE, **change}}


def algo(**change: Any) -> dict[str, Any]:
    return {"e": "ALGO_UPDATE", "E": 1, "T": 1, "o": {**ALGO, **change}}


def only(events: tuple[ExchangeEvent, ...]) -> Any:
    (event,) = events
    return event


def test_an_execution_comes_before_the_state_of_its_order() -> None:
    fill, state = news().events(order())
    assert isinstance(fill, FillSeen)
    assert isinstance(state, OrderSeen)
    assert (fill.fill.quantity, fill.fill.price, fill.fill.fee_usd) == (d("0.010"), d("50000.1"), d("0.25"))
    assert fill.fill.time_ns == (1568879465650 - 50) * 1_000_000
    assert (state.report.status, state.report.filled) == (OrderStatus.FILLED, d("0.010"))


def test_a_state_without_an_execution_is_no_fill() -> None:
    event = only(news().events(order(o="LIMIT", x="NEW", X="NEW", l="0", z="0", L="0", ap="0", t=0)))
    assert (event.report.status, event.report.average_price) == (OrderStatus.NEW, None)


def test_a_market_order_that_has_come_in_is_told_by_its_fill_or_its_end() -> None:
    assert news().events(order(o="MARKET", x="NEW", X="NEW", l="0", z="0", L="0", ap="0", t=0)) == ()


def test_a_fee_that_is_left_out_is_none() -> None:
    frame = order()
    del frame["o"]["n"], frame["o"]["N"]
    assert news().events(frame)[0].fill.fee_usd == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("known_by", ["its type", "its stop"])
def test_the_order_of_a_stop_is_told_by_its_executions_only(known_by: str) -> None:
    said = news()
    if known_by == "its stop":  # a venue may forget what the order was
        said.events(algo(X="TRIGGERED", ai="8886774"))
    frame = order(c=STOP, S="SELL", ot="STOP_MARKET" if known_by == "its type" else "MARKET")
    event = only(said.events(frame))
    assert (event.fill.cause, event.fill.client_id) == ("stop", STOP)


def test_a_liquidation_is_the_venue_s_doing() -> None:
    fill = news().events(order(c="autoclose-123", x="CALCULATED"))[0]
    assert isinstance(fill, FillSeen)
    assert fill.fill.cause == "liquidation"


def test_early_fills_add_up_by_trade_and_repetitions_do_not() -> None:
    said = news()
    assert only(said.events(LITE)).report.filled == d("0.004")
    assert only(said.events(LITE)).report.filled == d("0.004")
    second = only(said.events({**LITE, "t": 109100867, "l": "0.006", "L": "50001.1"}))
    assert (second.report.filled, second.report.status) == (d("0.010"), OrderStatus.PARTIALLY_FILLED)
    assert second.report.average_price == d("50000.7")


def test_an_early_fill_of_a_stop_says_nothing_of_an_order() -> None:
    said = news()
    said.events(algo())
    assert said.events({**LITE, "c": STOP}) == ()


def test_an_order_is_known_by_its_number_once_it_was_told() -> None:
    said = news()
    said.events(LITE)
    assert said.ids.client_id("8886774") == ENTRY
    assert ENTRY in said.seen


@pytest.mark.parametrize(
    ("status", "live", "reason"),
    [
        ("NEW", True, ""),
        ("TRIGGERING", False, "triggered"),
        ("TRIGGERED", False, "triggered"),
        ("FINISHED", False, "triggered"),
        ("CANCELED", False, "cancelled"),
        ("EXPIRED", False, "expired: Reduce Only reject"),
        ("REJECTED", False, "rejected: Reduce Only reject"),
    ],
)
def test_every_state_of_a_stop_has_its_meaning(status: str, live: bool, reason: str) -> None:
    told = {} if status in ("NEW", "CANCELED") else {"rm": "Reduce Only reject"}
    event = only(news().events(algo(X=status, **told)))
    assert isinstance(event, StopSeen)
    assert (event.report.live, event.report.reason) == (live, reason)


def test_a_finished_stop_may_lack_what_its_order_made() -> None:
    frame = algo(X="FINISHED")
    del frame["o"]["ai"]
    assert only(news().events(frame)).report.reason == "triggered"


def test_a_stop_that_closes_the_position_has_no_quantity_of_its_own() -> None:
    assert only(news().events(algo(q="0", cp=True))).report.quantity is None


def test_a_take_profit_is_no_stop() -> None:
    assert news().events(algo(o="TAKE_PROFIT_MARKET")) == ()


def test_positions_are_told_as_they_are_now() -> None:
    rows = [
        {"s": SYMBOL, "pa": "-0.010", "ep": "50000.1", "ps": "BOTH"},
        {"s": "ETHUSDT", "pa": "0", "ep": "0", "ps": "BOTH"},
    ]
    first, second = news().events({"e": "ACCOUNT_UPDATE", "a": {"m": "ORDER", "B": [], "P": rows}})
    assert isinstance(first, PositionSeen)
    assert isinstance(second, PositionSeen)
    assert (first.position.quantity, second.position.quantity) == (d("-0.010"), d(0))


def test_positions_of_hedge_mode_are_not_told() -> None:
    rows = [{"s": SYMBOL, "pa": "0.010", "ep": "50000.1", "ps": "LONG"}]
    assert news().events({"e": "ACCOUNT_UPDATE", "a": {"P": rows}}) == ()


def test_a_kind_that_nobody_knows_is_told_once() -> None:
    said = news()
    notice = only(said.events({"e": "BRAND_NEW"}))
    assert isinstance(notice, VenueNotice)
    assert "BRAND_NEW" in notice.message
    assert said.events({"e": "BRAND_NEW"}) == ()


@pytest.mark.parametrize(
    "frame", [{"result": None, "id": 1}, {"e": "STRATEGY_UPDATE"}, {"e": "listenKeyExpired"}], ids=str
)
def test_what_says_nothing_of_orders_is_passed_over(frame: dict[str, Any]) -> None:
    assert news().events(frame) == ()


@pytest.mark.parametrize(
    "frame",
    [
        order(i=None),
        order(X="ODD"),
        order(c=""),
        order(l="x"),
        algo(X="ODD"),
        algo(tp="0"),
        {**LITE, "t": None},
        {"e": "ALGO_UPDATE"},
    ],
    ids=lambda frame: str(frame)[:30],
)
def test_a_strange_frame_is_never_half_understood(frame: dict[str, Any]) -> None:
    with pytest.raises(StrangeAnswerError):
        news().events(frame)


def test_names_are_forgotten_oldest_first() -> None:
    names = Names(most=2)
    for name in ("a", "b", "a", "c"):
        names.add(name)
    assert ["a" in names, "b" in names, "c" in names] == [True, False, True]
