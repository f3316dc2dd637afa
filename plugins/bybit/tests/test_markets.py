"""Market rules from the venue's own answer; what is malformed is left out and told."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import framework_simulator
from framework_bybit.markets import rules_of
from framework_simulator.markets import read_markets

from .rig import SYMBOL, at, d, emulated, run

SHIPPED = Path(framework_simulator.__file__).parent / "emulator" / "data" / "bybit.json"


def row(**changes: Any) -> dict[str, Any]:
    found = next(one for one in listed() if one["symbol"] == SYMBOL)
    return {**found, **changes}


def listed() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(SHIPPED.read_text(encoding="utf-8"))["result"]["list"]
    return rows


def test_the_rules_are_those_that_the_simulator_reads_from_the_same_answer() -> None:
    found, problems = rules_of(listed())

    assert found == {symbol: market.rules for symbol, market in read_markets(SHIPPED, "bybit").items()}
    assert problems == []


def test_the_largest_quantity_is_that_of_a_market_order() -> None:
    lot = {**row()["lotSizeFilter"], "maxMktOrderQty": "7", "maxOrderQty": "900", "postOnlyMaxOrderQty": "900"}
    found, _ = rules_of([row(lotSizeFilter=lot)])

    assert found[SYMBOL].max_quantity == 7


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "PreLaunch"},
        {"status": "Settling"},
        {"contractType": "LinearFutures"},
        {"settleCoin": "USDC"},
        {"isPreListing": True},
    ],
)
def test_what_is_no_usdt_perpetual_that_is_traded_is_left_out_silently(changes: dict[str, Any]) -> None:
    assert rules_of([row(**changes)]) == ({}, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"priceFilter": None},
        {"priceFilter": {"tickSize": "x", "minPrice": "1", "maxPrice": "2"}},
        {"priceFilter": {"tickSize": "0", "minPrice": "1", "maxPrice": "2"}},
        {"lotSizeFilter": {}},
        {"lotSizeFilter": {"qtyStep": "NaN"}},
        {"leverageFilter": []},
        {"symbol": ""},
    ],
)
def test_a_malformed_row_is_left_out_and_told_and_the_others_stay(changes: dict[str, Any]) -> None:
    other = next(one for one in listed() if one["symbol"] != SYMBOL)
    found, problems = rules_of([row(**changes), other])

    assert list(found) == [other["symbol"]]
    assert len(problems) == 1


def test_a_market_that_tells_no_band_has_none() -> None:
    found, _ = rules_of([row(riskParameters=None)])

    assert found[SYMBOL].price_band is None


def test_the_exchange_tells_the_rules_of_all_markets() -> None:
    async def scenario() -> None:
        async with emulated() as venue, at(venue) as rig:
            markets = await rig.exchange.markets()
            assert len(markets) == 10
            assert (markets[SYMBOL].tick_size, markets[SYMBOL].step_size) == (d("0.1"), d("0.001"))
            assert isinstance(markets[SYMBOL].max_leverage, Decimal)

    run(scenario)
