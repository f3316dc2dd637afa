"""The venues' own market files become rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from framework import ConfigError, MarketRules, plain
from framework_simulator.markets import MarketsFileError, read_markets

from .kit import BINANCE_FILE, BYBIT_FILE, d

# symbol: tick, step, smallest, largest market order, largest limit order, least notional
BINANCE_RULES = {
    "HFTUSDT": ("0.00001", "1", "1", "700000", "10000000", "5"),
    "MANAUSDT": ("0.0001", "1", "1", "200000", "1000000", "5"),
    "AVAXUSDT": ("0.001", "1", "1", "5000", "100000", "5"),
    "C98USDT": ("0.0001", "1", "1", "300000", "2500000", "5"),
    "ARUSDT": ("0.001", "0.1", "0.1", "10000", "1000000", "5"),
}
BYBIT_RULES = {
    "CLOUDUSDT": ("0.00001", "1", "1", "40000", "200000", "5"),
    "CROUSDT": ("0.00001", "1", "1", "79800", "795400", "5"),
    "DOGUSDT": ("0.000001", "100", "100", "2000000", "10000000", "5"),
    "ETHBTCUSDT": ("0.000001", "10", "10", "400000", "2000000", "5"),
}


@pytest.mark.parametrize(
    ("venue", "path", "expected"), [("binance", BINANCE_FILE, BINANCE_RULES), ("bybit", BYBIT_FILE, BYBIT_RULES)]
)
def test_ticks_steps_and_bounds_are_those_of_the_file(
    venue: str, path: Path, expected: dict[str, tuple[str, ...]]
) -> None:
    markets = read_markets(path, venue)
    for symbol, numbers in expected.items():
        rules = markets[symbol].rules
        found = (rules.tick_size, rules.step_size, rules.min_quantity, rules.max_quantity)
        assert (*map(plain, found), plain(markets[symbol].max_limit_quantity), plain(rules.min_notional)) == numbers


def test_price_bands_and_leverage_are_read_where_the_venue_states_them() -> None:
    binance, bybit = read_markets(BINANCE_FILE, "binance"), read_markets(BYBIT_FILE, "bybit")
    assert (binance["BTCUSDT"].rules.price_band, binance["BTCUSDT"].rules.max_leverage) == (d("0.05"), None)
    assert (bybit["CLOUDUSDT"].rules.price_band, bybit["CLOUDUSDT"].rules.max_leverage) == (d("0.1"), d("12.5"))


def test_only_linear_usdt_perpetuals_that_are_traded_are_listed() -> None:
    binance, bybit = read_markets(BINANCE_FILE, "binance"), read_markets(BYBIT_FILE, "bybit")
    assert (len(binance), len(bybit)) == (378, 500)
    assert "BTCUSDC" not in binance  # another quote currency
    assert "FTMUSDT" not in bybit  # delisted
    assert not any("_" in symbol for symbol in binance)  # quarterly contracts
    assert not any("-" in symbol for symbol in bybit)


def test_a_tick_is_written_without_trailing_zeros_and_a_large_step_without_an_exponent() -> None:
    assert str(read_markets(BINANCE_FILE, "binance")["HFTUSDT"].rules.tick_size) == "0.00001"
    assert str(read_markets(BYBIT_FILE, "bybit")["DOGUSDT"].rules.step_size) == "100"


def _damaged(path: Path, tmp_path: Path, change: Any) -> Path:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    target = tmp_path / "markets.json"
    target.write_text(json.dumps(content), encoding="utf-8")
    return target


def _first(content: Any) -> Any:
    return content["symbols"][0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("symbols"), "lacks 'symbols'; is it the answer of GET /fapi/v1/exchangeInfo?"),
        (lambda c: c.update(symbols=[]), "lists no linear USDT perpetual that is being traded"),
        (lambda c: c.update(symbols=7), "has another shape than the answer of GET /fapi/v1/exchangeInfo"),
        (lambda c: c.update(symbols=[1]), "has another shape than the answer of GET /fapi/v1/exchangeInfo"),
        (lambda c: _first(c).update(filters=[]), "lacks 'PRICE_FILTER'"),
        (lambda c: _first(c)["filters"][0].update(tickSize="abc"), "has another shape"),
        (lambda c: _first(c)["filters"][0].update(tickSize="NaN"), "has another shape"),
        (lambda c: _first(c)["filters"][0].update(maxPrice="Infinity"), "has another shape"),
        (lambda c: _first(c)["filters"][0].update(tickSize="0"), "has another shape"),
        (lambda c: _first(c)["filters"][0].update(tickSize=0.1), "has another shape"),
    ],
)
def test_a_damaged_file_is_one_clear_line(tmp_path: Path, change: Any, message: str) -> None:
    path = _damaged(BINANCE_FILE, tmp_path, change)
    with pytest.raises(MarketsFileError) as caught:
        read_markets(path, "binance")
    assert str(caught.value).startswith(f"{path}: the market file {message}")
    assert "\n" not in str(caught.value)


def test_the_file_of_the_other_venue_is_refused() -> None:
    with pytest.raises(ConfigError, match="lacks 'result'; is it the answer of GET /v5/market/instruments-info"):
        read_markets(BINANCE_FILE, "bybit")


def test_what_is_no_json_or_not_there_is_said(tmp_path: Path) -> None:
    text = tmp_path / "text.json"
    text.write_text("no json", encoding="utf-8")
    with pytest.raises(ConfigError, match="is no JSON"):
        read_markets(text, "binance")
    with pytest.raises(ValueError, match="can't be read: No such file"):
        read_markets(tmp_path / "absent.json", "binance")


def test_the_stricter_of_the_two_lot_filters_holds(tmp_path: Path) -> None:
    def change(content: Any) -> None:
        for one in _first(content)["filters"]:
            if one["filterType"] == "MARKET_LOT_SIZE":
                one.update(minQty="0.005", stepSize="0.005")
            if one["filterType"] == "PERCENT_PRICE":
                one.update(multiplierUp="1.2", multiplierDown="0.97")

    rules: MarketRules = read_markets(_damaged(BINANCE_FILE, tmp_path, change), "binance")["BTCUSDT"].rules
    assert (rules.min_quantity, rules.step_size, rules.price_band) == (d("0.005"), d("0.005"), d("0.03"))
