"""Clients of Binance look at its spot side and at COIN-M futures when they start: both are alive, and empty."""

from __future__ import annotations

import pytest

from .virtual import Virtual


@pytest.mark.parametrize("root", ["/api/v3", "/dapi/v1"])
def test_the_other_sides_are_alive_and_list_nothing(root: str) -> None:
    venue = Virtual.start()
    told = venue.binance("GET", "/fapi/v1/time")["serverTime"]
    assert venue.binance("GET", f"{root}/ping") == {}
    assert venue.binance("GET", f"{root}/time") == {"serverTime": told}
    assert venue.binance("GET", f"{root}/exchangeInfo")["symbols"] == []
    assert venue.binance("GET", f"{root}/ticker/24hr") == []


def test_the_system_is_up() -> None:
    assert Virtual.start().binance("GET", "/sapi/v1/system/status") == {"status": 0, "msg": "normal"}


def test_perpetuals_were_never_delivered() -> None:
    assert Virtual.start().binance("GET", "/futures/data/delivery-price", pair="BTCUSDT") == []


def test_an_order_on_another_side_is_refused() -> None:
    answer = Virtual.start().binance("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="1")
    assert answer["code"] == -5000
