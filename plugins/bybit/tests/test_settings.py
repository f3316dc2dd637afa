"""Settings: where the venue lives, what costs money, and what ccxt is made with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from framework import Endpoint, Percent, Secret
from framework_bybit.exchange import Bybit
from framework_bybit.settings import PRODUCTION, addresses, ccxt_config

KEYS = {"api_key": Secret("key"), "api_secret": Secret("secret")}


def bybit(**settings: Any) -> Bybit:
    return Bybit(**{**KEYS, **settings})


@pytest.mark.parametrize(
    ("rest", "public", "private", "real"),
    [
        (None, "wss://stream.bybit.com", "wss://stream.bybit.com", True),
        ("https://api.bybit.com/", "wss://stream.bybit.com", "wss://stream.bybit.com", True),
        ("https://api.bytick.com", "wss://stream.bytick.com", "wss://stream.bytick.com", True),
        ("https://api-testnet.bybit.com", "wss://stream-testnet.bybit.com", "wss://stream-testnet.bybit.com", False),
        ("https://api-demo.bybit.com", "wss://stream.bybit.com", "wss://stream-demo.bybit.com", False),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080", "ws://127.0.0.1:8080", False),
        ("http://localhost:8080", "ws://localhost:8080", "ws://localhost:8080", False),
    ],
)
def test_the_streams_follow_from_the_rest_server(rest: str | None, public: str, private: str, real: bool) -> None:
    place = addresses(rest, None)

    assert (place.public, place.private, place.real_money) == (public, private, real)
    assert place.rest == (rest or PRODUCTION).rstrip("/")


def test_given_streams_are_used_for_both() -> None:
    place = addresses(None, "wss://streams.example")

    assert (place.public, place.private, place.real_money) == ("wss://streams.example", "wss://streams.example", True)


def test_an_unknown_server_needs_its_streams_and_counts_as_real_money() -> None:
    with pytest.raises(ValueError, match="stream_url"):
        bybit(base_url="https://bybit.example")

    unknown = bybit(base_url="https://bybit.example", stream_url="wss://bybit.example")
    assert unknown.capabilities.real_money


def test_a_testnet_stays_one_with_other_streams() -> None:
    place = addresses("https://api-testnet.bybit.com", "wss://other.example")

    assert not place.real_money


def test_the_venue_attaches_and_amends_stops() -> None:
    capabilities = bybit().capabilities

    assert (capabilities.attaches_stops, capabilities.amends_stops, capabilities.simulated) == (True, True, False)
    assert capabilities.real_money


def test_ccxt_gets_the_addresses_and_nothing_of_its_own_waits_or_repeats() -> None:
    config = ccxt_config(bybit(base_url="http://127.0.0.1:1"))

    api = config["urls"]["api"]
    assert (api["public"], api["private"]) == ("http://127.0.0.1:1", "http://127.0.0.1:1")
    assert api["ws"]["private"]["contract"] == "ws://127.0.0.1:1/v5/private"
    assert (config["enableRateLimit"], config["number"]) == (False, str)
    assert (config["options"]["maxRetriesOnFailure"], config["options"]["unifiedMarginStatus"]) == (0, 6)


def test_a_stand_in_gets_other_addresses_and_keys_and_the_original_keeps_its_own() -> None:
    original = bybit(leverage=7, orders_per_s=20)
    other = original.at(Endpoint("http://127.0.0.1:1", "ws://127.0.0.1:2", Secret("k"), Secret("s")))

    assert isinstance(other, Bybit)
    assert (other.place.rest, other.place.private) == ("http://127.0.0.1:1", "ws://127.0.0.1:2")
    assert (other.api_key, other.leverage, other.orders_per_s) == (Secret("k"), 7, 20)
    assert not other.capabilities.real_money
    assert original.api_key == Secret("key")
    assert original.capabilities.real_money


def test_defaults_are_the_venues() -> None:
    assert bybit().taker_fee_percent == Percent(Decimal("0.055"))
    assert bybit().orders_per_s == 10


@pytest.mark.parametrize("value", [0, -1, 1201])
def test_orders_per_second_are_within_what_the_venue_has(value: int) -> None:
    with pytest.raises(ValueError, match="orders_per_s"):
        bybit(orders_per_s=value)


def test_no_secret_is_shown() -> None:
    assert "secret" not in repr(bybit(api_key=Secret("a-key"))).replace("api_secret", "")
    assert "a-key" not in repr(bybit(api_key=Secret("a-key")))


def test_what_is_no_setting_cant_be_set() -> None:
    settings = {field.name for field in attrs.fields(Bybit) if field.init}

    assert not {name for name in settings if name.startswith("_")}
    assert "capabilities" not in settings
