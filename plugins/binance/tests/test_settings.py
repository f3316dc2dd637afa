"""Settings: where the venue is, what costs money there, and what ccxt is made with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from framework import Endpoint, Percent, Rehearsable, Secret
from framework_binance.exchange import Binance
from framework_binance.limits import ORDERS_10S, WEIGHT


def made(**settings: Any) -> Binance:
    return Binance(**{"api_key": Secret("k"), "api_secret": Secret("s"), **settings})


def urls(exchange: Binance) -> dict[str, str]:
    found: dict[str, str] = exchange.api_config()["urls"]["api"]
    return found


def test_without_addresses_it_is_the_production_venue_where_orders_cost_money() -> None:
    exchange = made()
    assert exchange.capabilities.real_money
    assert urls(exchange)["fapiPrivate"] == "https://fapi.binance.com/fapi/v1"
    assert urls(exchange)["fapiPrivateV3"] == "https://fapi.binance.com/fapi/v3"
    assert urls(exchange)["sapi"] == "https://api.binance.com/sapi/v1"
    assert exchange.streams == "wss://fstream.binance.com"


@pytest.mark.parametrize("rest", ["https://demo-fapi.binance.com", "https://testnet.binancefuture.com/"])
def test_demo_and_testnet_are_known_and_cost_no_money(rest: str) -> None:
    exchange = made(base_url=rest)
    assert not exchange.capabilities.real_money
    assert exchange.streams == "wss://fstream.binancefuture.com"
    assert urls(exchange)["fapiPublicV2"] == f"{rest.rstrip('/')}/fapi/v2"
    assert "sapi" not in urls(exchange)


def test_on_this_machine_the_streams_are_on_the_same_port() -> None:
    exchange = made(base_url="http://127.0.0.1:1234")
    assert not exchange.capabilities.real_money
    assert exchange.streams == "ws://127.0.0.1:1234"
    assert urls(exchange)["sapi"] == "http://127.0.0.1:1234/sapi/v1"


def test_streams_may_be_somewhere_else() -> None:
    assert made(base_url="http://127.0.0.1:1", stream_url="ws://127.0.0.1:2").streams == "ws://127.0.0.1:2"


def test_an_unknown_address_costs_money_and_needs_to_say_where_its_streams_are() -> None:
    with pytest.raises(ValueError, match="stream_url must be set"):
        made(base_url="https://fapi.example.com")
    exchange = made(base_url="https://fapi.example.com", stream_url="wss://streams.example.com")
    assert exchange.capabilities.real_money


def test_an_address_that_is_not_encrypted_is_refused_unless_it_is_this_machine() -> None:
    with pytest.raises(ValueError, match="encrypted"):
        made(base_url="http://fapi.example.com")


def test_it_attaches_and_moves_no_stops_and_simulates_nothing() -> None:
    able = made().capabilities
    assert (able.simulated, able.attaches_stops, able.amends_stops) == (False, False, False)


def test_the_usual_taker_fee_is_binance_s() -> None:
    assert made().taker_fee_percent == Percent(Decimal("0.05"))


def test_secrets_are_not_shown() -> None:
    exchange = made(api_key=Secret("key-abc"), api_secret=Secret("secret-def"))
    assert "key-abc" not in repr(exchange)
    assert "secret-def" not in repr(exchange)


def test_ccxt_throttles_and_guesses_nothing() -> None:
    config = made().api_config()
    assert config["options"] == {"fetchCurrencies": False, "fetchMargins": False, "recvWindow": 5000}


def test_a_share_of_the_venue_s_limits_may_be_used() -> None:
    windows = {window.name: window for window in made(rate_budget_percent=Percent(Decimal(50))).windows()}
    assert (windows[WEIGHT].limit, windows[ORDERS_10S].limit) == (1200, 150)


def test_a_share_above_all_of_it_is_all_of_it() -> None:
    windows = {window.name: window for window in made(rate_budget_percent=Percent(Decimal(300))).windows()}
    assert windows[WEIGHT].limit == 2400


def test_it_can_be_pointed_at_a_rehearsal_and_the_original_stays_as_it_is() -> None:
    exchange = made(leverage=7)
    assert isinstance(exchange, Rehearsable)
    there = exchange.at(Endpoint("http://127.0.0.1:1", "ws://127.0.0.1:1", Secret("a"), Secret("b")))
    assert isinstance(there, Binance)
    assert (there.rest, there.streams, there.leverage) == ("http://127.0.0.1:1", "ws://127.0.0.1:1", 7)
    assert there.api_secret == Secret("b")
    assert not there.capabilities.real_money
    assert exchange.capabilities.real_money
    assert exchange.api_secret == Secret("s")
