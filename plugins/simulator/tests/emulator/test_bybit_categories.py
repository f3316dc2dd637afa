"""Clients look into every category of Bybit when they start: the others are there, and empty."""

from __future__ import annotations

import pytest

from .virtual import Virtual


@pytest.mark.parametrize("category", ["spot", "inverse", "option"])
@pytest.mark.parametrize(
    "path", ["/v5/market/instruments-info", "/v5/market/tickers", "/v5/position/list", "/v5/order/realtime"]
)
def test_nothing_is_listed_where_nothing_is_emulated(path: str, category: str) -> None:
    answer = Virtual.start().bybit("GET", path, category=category)
    assert (answer["retCode"], answer["result"]["list"]) == (0, [])


def test_an_order_in_another_category_is_refused() -> None:
    answer = Virtual.start().bybit("POST", "/v5/order/create", category="spot", symbol="BTCUSDT")
    assert answer["retCode"] == 10001


def test_the_ratio_of_accounts_is_a_list_that_stays_empty() -> None:
    answer = Virtual.start().bybit("GET", "/v5/market/account-ratio", category="linear", symbol="BTCUSDT", period="1h")
    assert (answer["retCode"], answer["result"]["list"]) == (0, [])
