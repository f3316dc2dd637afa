"""The venue's rules of its markets, its limits, and what requests cost of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from framework import Percent
from framework_binance import limits
from framework_binance.limits import ORDERS_1M, ORDERS_10S, WEIGHT, told
from framework_binance.markets import market_rules
from framework_binance.strange import StrangeAnswerError
from framework_simulator.emulator.binance.params import Params
from framework_simulator.emulator.binance.routes import ROUTES
from framework_venue.budget import Purpose
from framework_venue.client import Route

from .rig import SYMBOL, d, run, trading

ALL = Percent(Decimal(100))

ROW: dict[str, Any] = {
    "symbol": SYMBOL,
    "contractType": "PERPETUAL",
    "status": "TRADING",
    "quoteAsset": "USDT",
    "marginAsset": "USDT",
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "556.80", "maxPrice": "4529764", "tickSize": "0.10"},
        {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.002", "maxQty": "120", "stepSize": "0.002"},
        {"filterType": "MIN_NOTIONAL", "notional": "100"},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.1500", "multiplierDown": "0.9000", "multiplierDecimal": "4"},
    ],
}
BRACKETS = [{"symbol": SYMBOL, "brackets": [{"initialLeverage": 125}, {"initialLeverage": 50}]}]


def without(name: str) -> dict[str, Any]:
    return {**ROW, "filters": [one for one in ROW["filters"] if one["filterType"] != name]}


def with_filter(name: str, **change: Any) -> dict[str, Any]:
    return {**ROW, "filters": [{**one, **change} if one["filterType"] == name else one for one in ROW["filters"]]}


# ── markets ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_market_has_the_stricter_of_the_rules_for_limit_and_market_orders() -> None:
    found, broken = market_rules({"symbols": [ROW]}, BRACKETS)
    rules = found[SYMBOL]
    assert broken == []
    assert (str(rules.tick_size), rules.step_size, rules.min_quantity) == ("0.1", d("0.002"), d("0.002"))
    assert (rules.max_quantity, rules.min_notional) == (d(120), d(100))
    assert (rules.min_price, rules.max_price, rules.price_band) == (d("556.8"), d(4529764), d("0.1"))
    assert rules.trigger_band is None  # PERCENT_PRICE is for limit orders: stops rest farther away
    assert rules.max_leverage == 125


@pytest.mark.parametrize(
    "change",
    [{"status": "SETTLING"}, {"contractType": "CURRENT_QUARTER"}, {"quoteAsset": "USDC"}, {"marginAsset": "USDC"}],
    ids=str,
)
def test_what_is_no_trading_perpetual_in_usdt_is_left_out(change: dict[str, Any]) -> None:
    assert market_rules({"symbols": [{**ROW, **change}]}, []) == ({}, [])


@pytest.mark.parametrize(
    "row",
    [
        {},
        None,
        [],
        without("PRICE_FILTER"),
        without("MARKET_LOT_SIZE"),
        without("MIN_NOTIONAL"),
        with_filter("PRICE_FILTER", tickSize="0"),
        with_filter("LOT_SIZE", stepSize="x"),
        with_filter("MARKET_LOT_SIZE", maxQty="NaN"),
    ],
    ids=lambda row: str(row)[:40],
)
def test_a_malformed_row_is_told_and_does_not_hide_the_others(row: Any) -> None:
    other = {**ROW, "symbol": "ETHUSDT"}
    found, broken = market_rules({"symbols": [row, other]}, BRACKETS)
    assert list(found) == ["ETHUSDT"]
    assert len(broken) == 1


def test_a_market_without_a_price_band_has_none() -> None:
    found, _ = market_rules({"symbols": [without("PERCENT_PRICE")]}, [])
    assert (found[SYMBOL].price_band, found[SYMBOL].max_leverage) == (None, None)


@pytest.mark.parametrize("answer", [{}, [], None, {"symbols": []}, {"symbols": {}}], ids=str)
def test_no_rows_at_all_is_no_answer(answer: Any) -> None:
    with pytest.raises(StrangeAnswerError):
        market_rules(answer, [])


@pytest.mark.parametrize("brackets", [None, {}, [{}], [{"symbol": SYMBOL, "brackets": []}], [3]], ids=str)
def test_strange_brackets_tell_nothing_and_break_nothing(brackets: Any) -> None:
    found, _ = market_rules({"symbols": [ROW]}, brackets)
    assert found[SYMBOL].max_leverage is None


def test_the_rules_are_those_that_the_paper_exchange_has_of_the_same_answer() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            ours = await rig.exchange.markets()
            theirs = {symbol: market.rules for symbol, market in rig.world.markets("binance").items()}
            assert {symbol: evolve(rules, max_leverage=None) for symbol, rules in ours.items()} == theirs
            assert all(rules.max_leverage for rules in ours.values())

    run(scenario)


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_limits_are_the_venue_s_own_with_a_share_kept_for_stops_and_closes() -> None:
    rows = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 400},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 2000},
    ]
    windows = {window.name: window for window in told(rows, Percent(Decimal(50)))}
    assert {name: (one.limit, one.length_s) for name, one in windows.items()} == {
        WEIGHT: (3000, 60.0),
        ORDERS_10S: (200, 10.0),
        ORDERS_1M: (1000, 60.0),
    }
    entries = windows[ORDERS_10S].room(Purpose.ENTER)
    assert (entries, windows[ORDERS_10S].room(Purpose.PROTECT)) == (100, 200)


@pytest.mark.parametrize(
    "rows",
    [None, {}, [{}], [3], [{"rateLimitType": "RAW", "interval": "MINUTE", "intervalNum": 1, "limit": 9}]],
    ids=str,
)
def test_limits_that_are_not_understood_are_left_out(rows: Any) -> None:
    assert told(rows, ALL) == []


def test_a_limit_of_nothing_is_not_believed() -> None:
    row = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 0}
    assert told([row], ALL) == []


def routes() -> dict[str, Route]:
    return {name: route for name, route in vars(limits).items() if isinstance(route, Route)}


PATHS = {
    "fapiPublicGetTickerBookTicker": ("GET", "/fapi/v1/ticker/bookTicker"),
    "fapiPublicV2GetTickerPrice": ("GET", "/fapi/v2/ticker/price"),
    "fapiPrivateV3GetAccount": ("GET", "/fapi/v3/account"),
    "fapiPrivateV3GetPositionRisk": ("GET", "/fapi/v3/positionRisk"),
    "fapiPrivatePostPositionSideDual": ("POST", "/fapi/v1/positionSide/dual"),
}


@pytest.mark.parametrize("name", sorted(name for name in routes() if name not in ("KEY_RIGHTS", "STOPS")))
def test_every_request_costs_what_the_venue_counts(name: str) -> None:
    route = routes()[name]
    found = PATHS.get(route.method)
    if found is None:
        words = route.method.removeprefix("fapiPublic").removeprefix("fapiPrivate")
        verb = next(one for one in ("Get", "Post", "Put", "Delete") if words.startswith(one))
        noun = words.removeprefix(verb)
        found = (verb.upper(), f"/fapi/v1/{noun[0].lower()}{noun[1:]}")
    venue = ROUTES[found]
    symbol = (
        {}
        if name in ("BEST_PRICES", "LAST_PRICES", "MARK_PRICES", "OPEN_ORDERS", "ALL_OPEN_STOPS")
        else {"symbol": SYMBOL}
    )
    assert route.costs.get(WEIGHT, 0) == venue.weigh(Params(symbol))
    assert (route.costs.get(ORDERS_10S, 0), route.costs.get(ORDERS_1M, 0)) == (venue.orders, venue.orders)


def test_fifty_entries_and_their_stops_are_not_held_back() -> None:
    windows = {window.name: window for window in limits.windows(ALL)}
    assert windows[ORDERS_10S].room(Purpose.ENTER) >= 50
    assert windows[ORDERS_10S].room(Purpose.PROTECT) >= 200
