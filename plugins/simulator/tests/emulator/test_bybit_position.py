"""Bybit's positions on the wire, under virtual time: their stops, closed PnL, leverage and modes."""

from __future__ import annotations

from typing import Any

import pytest

from .test_bybit_orders import HERE, HISTORY, LIMIT, one, placed, rows
from .virtual import ME, Virtual

STOPS = "/v5/position/trading-stop"
POSITIONS = "/v5/position/list"
CLOSED = "/v5/position/closed-pnl"


def entered(side: str = "Buy", **stops: str) -> Virtual:
    v = Virtual.start()
    assert v.bybit_order(side=side, **stops)["retCode"] == 0
    return v


def move(v: Virtual, **wish: object) -> int:
    return int(v.bybit("POST", STOPS, **{**HERE, "tpslMode": "Full", "positionIdx": 0, **wish})["retCode"])


def position(v: Virtual) -> dict[str, Any]:
    (row,) = rows(v, POSITIONS)
    return row


def waiting(v: Virtual) -> dict[str, dict[str, Any]]:
    return {row["stopOrderType"]: row for row in rows(v, orderFilter="StopOrder")}


def test_a_flat_position_is_told_when_its_symbol_is_asked_for_and_left_out_otherwise() -> None:
    v = Virtual.start()
    row = position(v)
    assert (row["side"], row["size"], row["avgPrice"], row["liqPrice"]) == ("", "0", "0", "")
    answer = v.bybit("GET", POSITIONS, category="linear", settleCoin="USDT")
    assert answer["result"]["list"] == []
    assert v.bybit("GET", POSITIONS, category="linear")["retCode"] == 10001


def test_a_position_is_told_with_its_margins_and_what_it_would_win() -> None:
    v = entered("Sell")
    v.price("bybit", "49000", "49000", mark="49000")
    row = position(v)
    assert (row["side"], row["size"], row["avgPrice"]) == ("Sell", "0.01", "50000")
    assert (row["positionIM"], row["positionMM"], row["unrealisedPnl"]) == ("50", "2.45", "10")
    assert float(row["liqPrice"]) > 50000


def test_full_stops_cover_the_position_whatever_its_size_and_are_one_of_a_kind() -> None:
    v = entered(stopLoss="45000", takeProfit="55000")
    v.bybit_order(quantity="0.02")
    stops = waiting(v)
    assert {name: stop["qty"] for name, stop in stops.items()} == {"StopLoss": "0.03", "TakeProfit": "0.03"}
    v.bybit_order(quantity="0.01", stopLoss="46000")
    assert waiting(v)["StopLoss"]["triggerPrice"] == "46000"
    assert len(waiting(v)) == 2


def test_the_stop_that_triggers_ends_the_other_one() -> None:
    v = entered(stopLoss="45000", takeProfit="55000")
    stops = waiting(v)
    v.price("bybit", "55000")
    assert one(v, stops["TakeProfit"]["orderId"])["createType"] == "CreateByTakeProfit"
    other = one(v, stops["StopLoss"]["orderId"])
    assert (other["orderStatus"], other["cancelType"]) == ("Deactivated", "CancelByOCOSlCanceledByTpTriggered")
    assert position(v)["takeProfit"] == ""


def test_stops_go_when_the_position_is_closed_otherwise() -> None:
    v = entered(stopLoss="45000")
    stop_id = waiting(v)["StopLoss"]["orderId"]
    v.bybit_order(side="Sell", reduceOnly=True)
    row = one(v, stop_id)
    assert (row["orderStatus"], row["cancelType"]) == ("Deactivated", "CancelByTpSlTsClear")


def test_trading_stop_sets_moves_and_removes() -> None:
    v = entered()
    assert move(v, stopLoss="45000", takeProfit="55000", slTriggerBy="MarkPrice") == 0
    assert waiting(v)["StopLoss"]["triggerBy"] == "MarkPrice"
    assert move(v, stopLoss="45000", slTriggerBy="MarkPrice") == 34040
    assert move(v, stopLoss="46000", slTriggerBy="MarkPrice") == 0
    assert move(v, stopLoss="0") == 0
    assert (position(v)["stopLoss"], position(v)["takeProfit"]) == ("", "55000")
    assert move(v, stopLoss="0") == 34040
    assert move(v) == 34040


def test_trading_stop_on_a_flat_position_is_a_parameter_error_with_its_own_text() -> None:
    v = Virtual.start()
    answer = v.bybit("POST", STOPS, **HERE, tpslMode="Full", positionIdx=0, stopLoss="45000")
    assert (answer["retCode"], answer["retMsg"]) == (10001, "can not set tp/sl/ts for zero position")


@pytest.mark.parametrize(
    ("side", "wish", "text"),
    [
        ("Buy", {"stopLoss": "50001"}, "StopLoss:50001 set for Buy position should lower than base_price"),
        ("Sell", {"stopLoss": "49999"}, "StopLoss:49999 set for Sell position should higher than base_price"),
        ("Buy", {"takeProfit": "49999"}, "TakeProfit:49999 set for Buy position should higher than base_price"),
        ("Sell", {"takeProfit": "50001"}, "TakeProfit:50001 set for Sell position should lower than base_price"),
    ],
)
def test_a_stop_on_the_wrong_side_names_the_base_price(side: str, wish: dict[str, str], text: str) -> None:
    v = entered(side)
    answer = v.bybit("POST", STOPS, **HERE, tpslMode="Full", positionIdx=0, **wish)
    assert answer["retCode"] == 10001
    assert text in answer["retMsg"]
    before = v.held("bybit")
    assert text in v.bybit_order(side=side, **wish)["retMsg"]
    assert v.held("bybit") == before


def test_a_stop_can_be_moved_and_removed_by_its_orders_id_too() -> None:
    v = entered(stopLoss="45000")
    stop_id = waiting(v)["StopLoss"]["orderId"]
    assert v.bybit("POST", "/v5/order/amend", **HERE, orderId=stop_id, triggerPrice="46000")["retCode"] == 0
    assert position(v)["stopLoss"] == "46000"
    assert v.bybit("POST", "/v5/order/cancel", **HERE, orderId=stop_id)["retCode"] == 0
    assert position(v)["stopLoss"] == ""


def test_partial_stops_add_up_each_with_its_size_and_may_become_limit_orders() -> None:
    v = Virtual.start()
    v.bybit_order(quantity="0.03")
    part = {"tpslMode": "Partial", "slSize": "0.01"}
    assert move(v, **part, stopLoss="45000") == 0
    assert move(v, **part, stopLoss="46000", slOrderType="Limit", slLimitPrice="45900") == 0
    assert move(v, tpslMode="Partial", stopLoss="46000") == 10001
    stops = rows(v, orderFilter="StopOrder")
    assert {stop["stopOrderType"] for stop in stops} == {"PartialStopLoss"}
    assert sorted((stop["qty"], stop["orderType"], stop["price"]) for stop in stops) == [
        ("0.01", "Limit", "45900"),
        ("0.01", "Market", "0"),
    ]
    v.price("bybit", "45990")
    assert position(v)["size"] == "0.02"
    assert position(v)["stopLoss"] == ""


def test_no_more_than_twenty_partial_stops() -> None:
    v = Virtual.start()
    v.world.settings.rate_limits = False
    v.bybit_order(quantity="0.03")
    part = {"tpslMode": "Partial", "slSize": "0.001"}
    assert [move(v, **part, stopLoss=str(45000 + n)) for n in range(20)] == [0] * 20
    assert move(v, **part, stopLoss="45100") == 110061


def test_a_trailing_stop_follows_the_last_price_and_fires_from_the_best() -> None:
    v = entered()
    assert move(v, trailingStop="500", activePrice="51000") == 0
    assert waiting(v)["TrailingStop"]["triggerPrice"] == "50500"
    v.price("bybit", "49400")
    assert position(v)["size"] == "0.01"
    v.price("bybit", "51500")
    assert waiting(v)["TrailingStop"]["triggerPrice"] == "51000"
    v.price("bybit", "51000")
    assert position(v)["size"] == "0"
    assert rows(v, HISTORY)[0]["createType"] == "CreateByTrailingStop"


def test_the_closed_pnl_is_after_the_fees_of_opening_and_closing_and_sums_to_the_cash() -> None:
    v = Virtual.start()
    v.bybit_order(quantity="0.03")
    v.price("bybit", "51000")
    v.bybit_order(side="Sell", quantity="0.01", reduceOnly=True)
    v.price("bybit", "49000")
    v.bybit_order(side="Sell", quantity="0.02", reduceOnly=True)
    closed = rows(v, CLOSED)
    assert [row["closedSize"] for row in closed] == ["0.02", "0.01"]
    wallet = v.bybit("GET", "/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0]
    total = sum(float(row["closedPnl"]) for row in closed)
    assert float(wallet["totalWalletBalance"]) == pytest.approx(10_000 + total)


def test_a_position_mode_that_stays_is_refused_for_a_symbol_and_taken_for_a_coin() -> None:
    v = Virtual.start()
    switch = ("POST", "/v5/position/switch-mode")
    assert v.bybit(*switch, category="linear", symbol="BTCUSDT", mode=0)["retCode"] == 110025
    assert v.bybit(*switch, category="linear", coin="USDT", mode=0)["retCode"] == 0


def test_a_switch_of_the_position_mode_needs_an_account_without_orders_and_positions() -> None:
    v = Virtual.start()
    switch = ("POST", "/v5/position/switch-mode")
    placed(v, **LIMIT)
    assert v.bybit(*switch, category="linear", coin="USDT", mode=3)["retCode"] == 110028
    v.bybit("POST", "/v5/order/cancel-all", **HERE)
    v.bybit_order()
    assert v.bybit(*switch, category="linear", coin="USDT", mode=3)["retCode"] == 110024
    v.bybit_order(side="Sell", reduceOnly=True)
    assert v.bybit(*switch, category="linear", coin="USDT", mode=3)["retCode"] == 0
    assert v.bybit_order()["retMsg"] == "position idx not match position mode"


@pytest.mark.parametrize(
    ("buy", "sell", "code"), [("10", "10", 110043), ("20", "10", 10001), ("1000", "1000", 110013), ("20", "20", 0)]
)
def test_leverage_is_set_for_both_sides_at_once(buy: str, sell: str, code: int) -> None:
    v = Virtual.start()
    answer = v.bybit("POST", "/v5/position/set-leverage", **HERE, buyLeverage=buy, sellLeverage=sell)
    assert answer["retCode"] == code
    assert position(v)["leverage"] == ("20" if code == 0 else "10")


def test_the_margin_mode_is_the_accounts_and_says_why_it_cannot_be_changed() -> None:
    v = Virtual.start()
    change = ("POST", "/v5/account/set-margin-mode")
    assert v.bybit(*change, setMarginMode="REGULAR_MARGIN")["retCode"] == 110026
    v.bybit_order()
    answer = v.bybit(*change, setMarginMode="ISOLATED_MARGIN")
    assert answer["retCode"] == 110073
    assert answer["result"]["reasons"][0]["reasonCode"] == "110024"


def test_clients_tell_hedge_mode_by_the_rows_of_a_position() -> None:
    v = entered("Sell")
    assert position(v)["positionIdx"] == 0
    v.world.act("bybit", lambda venue, now_ns: venue.set_hedge_mode(ME, True, now_ns, by_force=True))
    told = [(row["positionIdx"], row["side"], row["size"]) for row in rows(v, POSITIONS)]
    assert told == [(1, "", "0"), (2, "Sell", "0.01")]
