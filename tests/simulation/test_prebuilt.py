"""ccxt's exchanges are built once and copied: a copy is as good as one that was built, and shares nothing with it."""

from __future__ import annotations

from typing import Any

import pytest

from framework_simulator.simulation.prebuilt import Prebuilt
from framework_venue.loading import load

CONFIG = {"apiKey": "key", "options": {"recvWindow": 4_000}, "enableRateLimit": False, "ssl_context": False}


def made(name: str, session: object, **config: object) -> Any:
    class Tapped(load(name)):  # type: ignore[misc]
        def handle_errors(self, *arguments: Any) -> str:
            return "tapped"

    exchange = Tapped({**CONFIG, **config, "session": session})
    exchange.session_given, exchange.session = exchange.session, None  # ccxt complains of sessions that nobody closed
    return exchange


@pytest.mark.parametrize("name", ["binanceusdm", "bybit"])
def test_a_copy_is_like_what_was_built_and_shares_nothing_with_it(name: str) -> None:
    load(name)
    with Prebuilt().at_hand():
        built, copied = made(name, "first"), made(name, "second")

    assert (built.session_given, copied.session_given) == ("first", "second")
    assert vars(built).keys() == vars(copied).keys()
    assert copied.options == built.options
    assert copied.options is not built.options
    assert copied.handleErrors() == "tapped"
    assert copied.amountToPrecision.__func__ is built.amountToPrecision.__func__


def test_another_configuration_is_built_anew() -> None:
    load("bybit")
    with Prebuilt().at_hand():
        made("bybit", "first")
        assert made("bybit", "second", apiKey="other").apiKey == "other"


def test_outside_of_a_laboratory_ccxt_is_as_it_was() -> None:
    base = next(each for each in load("bybit").__mro__ if each.__module__ == "ccxt.async_support.base.exchange")
    before = base.__init__
    with Prebuilt().at_hand():
        assert base.__init__ is not before

    assert base.__init__ is before
