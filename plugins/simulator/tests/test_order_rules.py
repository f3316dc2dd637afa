"""An order that breaks a rule of its market is refused in the venue's own code."""

from __future__ import annotations

from typing import Any

import pytest

from framework import OrderSide, OrderStatus, OrderType, Refusal
from framework_simulator.engine.orders import OrderRequest
from framework_simulator.engine.style import BINANCE, BYBIT, VenueStyle

from .kit import Bench, bench, d

STYLES = pytest.mark.parametrize("style", [BINANCE, BYBIT], ids=lambda style: style.name)


@pytest.mark.parametrize(
    ("order", "binance", "bybit"),
    [
        ({"quantity": "0"}, "-4003", "10001"),
        ({"quantity": "0.0001"}, "-4004", "10001"),
        ({"quantity": "50.001"}, "-4005", "10001"),
        ({"quantity": "100.001", "price": "100"}, "-4005", "10001"),
        ({"quantity": "0.1005"}, "-4023", "10001"),
        ({"quantity": "0.049"}, "-4164", "110094"),
        ({"quantity": "1", "price": "100.05"}, "-4014", "10001"),
        ({"quantity": "1", "price": "0"}, "-4013", "110003"),
        ({"quantity": "1", "price": "10000.1"}, "-4002", "110003"),
        ({"quantity": "1", "price": "150.1"}, "-4016", "30208"),
        ({"quantity": "1", "price": "49.9", "side": "sell"}, "-4024", "30209"),
        ({"quantity": "1", "symbol": "NONEUSDT"}, "-1121", "10001"),
        ({"quantity": "1", "client_id": "a b"}, "-4015", "10001"),
        ({"quantity": "1", "client_id": "x" * 37}, "-4015", "10001"),
        ({"quantity": "1", "reduce_only": True}, "-2022", "110017"),
    ],
)
def test_each_rule_has_its_code(order: dict[str, Any], binance: str, bybit: str) -> None:
    for style, code in ((BINANCE, binance), (BYBIT, bybit)):
        venue = bench(style, cash="100000")
        answer = venue.order(order.get("side", "buy"), **{k: v for k, v in order.items() if k != "side"})
        assert isinstance(answer, Refusal)
        assert (answer.code, answer.for_good, answer.crossed) == (code, True, False)
        assert not venue.of_kind("order")


@pytest.mark.parametrize(
    "order",
    [
        {"quantity": "0.05"},  # exactly the least notional
        {"quantity": "50"},  # the largest market order
        {"quantity": "100", "price": "100"},  # the largest limit order
        {"quantity": "1", "price": "150"},  # the edge of the band
        {"quantity": "0.1", "price": "50", "side": "sell"},
    ],
)
@STYLES
def test_the_boundaries_themselves_are_allowed(style: VenueStyle, order: dict[str, Any]) -> None:
    venue = bench(style, cash="100000")
    answer = venue.order(order.get("side", "buy"), **{k: v for k, v in order.items() if k != "side"})
    assert not isinstance(answer, Refusal)


def test_a_limit_order_without_a_price_is_refused() -> None:
    request = OrderRequest("c1", "BTCUSDT", OrderSide.BUY, OrderType.LIMIT, d("1"))
    answer = bench().venue.place_order("main", request, 0)
    assert isinstance(answer, Refusal)
    assert answer.code == "-1102"


@STYLES
def test_without_a_market_price_nothing_can_be_ordered_yet(style: VenueStyle) -> None:
    answer = bench(style, at=None).order("buy", "1")
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.for_good) == ({"binance": "-1112", "bybit": "110118"}[style.name], False)


@STYLES
def test_the_least_notional_is_waived_for_reduce_only_orders(style: VenueStyle) -> None:
    venue = bench(style)
    venue.order("buy", "0.1")
    assert venue.order("sell", "0.001", reduce_only=True).status is OrderStatus.FILLED


def _with_a_large_position(style: VenueStyle) -> Bench:
    venue = bench(style, cash="100000")
    venue.order("buy", "50")
    venue.order("buy", "50")
    return venue


def test_binance_limits_the_size_of_a_market_close_and_bybit_splits_it() -> None:
    refused = _with_a_large_position(BINANCE).order("sell", "100", reduce_only=True)
    assert isinstance(refused, Refusal)
    assert refused.code == "-4005"
    assert _with_a_large_position(BYBIT).order("sell", "100", reduce_only=True).status is OrderStatus.FILLED


def test_a_market_order_is_valued_at_the_mark_price() -> None:
    venue = bench()
    venue.quote("100", last="100", mark="99")
    answer = venue.order("buy", "0.05")
    assert isinstance(answer, Refusal)
    assert answer.code == "-4164"


def test_a_limit_order_is_valued_at_its_own_price() -> None:
    answer = bench().order("buy", "0.05", "99.9")
    assert isinstance(answer, Refusal)
    assert answer.code == "-4164"


def test_binance_frees_a_client_id_with_the_end_of_its_order() -> None:
    venue = bench(BINANCE)
    venue.order("buy", "0.1", "90", client_id="same")
    taken = venue.order("buy", "0.1", client_id="same")
    assert isinstance(taken, Refusal)
    assert taken.code == "-4116"
    venue.venue.cancel_order("main", "BTCUSDT", "same", 0)
    assert venue.order("buy", "0.1", client_id="same").status is OrderStatus.FILLED
    assert venue.order("buy", "0.1", client_id="same").status is OrderStatus.FILLED


def test_bybit_never_takes_a_client_id_again() -> None:
    venue = bench(BYBIT)
    venue.order("buy", "0.1", client_id="same")
    taken = venue.order("buy", "0.1", client_id="same")
    assert isinstance(taken, Refusal)
    assert taken.code == "110072"
    taken = venue.stop("sell", "0.1", "90", client_id="same")
    assert isinstance(taken, Refusal)
    assert taken.code == "110072"


def test_on_binance_stops_have_client_ids_of_their_own() -> None:
    venue = bench(BINANCE)
    venue.order("buy", "0.1", "90", client_id="same")
    assert not isinstance(venue.stop("sell", "0.1", "90", client_id="same"), Refusal)
    taken = venue.stop("sell", "0.1", "91", client_id="same")
    assert isinstance(taken, Refusal)
    assert taken.code == "-4116"
    venue.venue.cancel_stop("main", "BTCUSDT", "same", 0)
    assert not isinstance(venue.stop("sell", "0.1", "91", client_id="same"), Refusal)
