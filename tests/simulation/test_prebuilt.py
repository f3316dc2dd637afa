"""ccxt's exchanges are built once and copied: a copy is as good as one that was built, and changes nothing of it."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from framework_simulator.simulation.drawing import draw
from framework_simulator.simulation.laboratory import Laboratory
from framework_simulator.simulation.prebuilt import SHARED, Prebuilt
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
def test_a_copy_is_like_what_was_built_and_shares_nothing_that_may_change(name: str) -> None:
    load(name)
    with Prebuilt().at_hand():
        built, copied = made(name, "first"), made(name, "second")

    assert (built.session_given, copied.session_given) == ("first", "second")
    assert vars(built).keys() == vars(copied).keys()
    assert copied.options == built.options
    assert copied.options is not built.options
    assert {name for name in SHARED if vars(copied)[name] == vars(built)[name]} == set(SHARED)
    changing = (dict, list, set)
    same = {name for name, value in vars(built).items() if isinstance(value, changing) and vars(copied)[name] is value}
    assert same <= set(SHARED)
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


def test_what_exchanges_share_is_as_it_was_after_runs_on_both_venues() -> None:
    with Laboratory() as laboratory:
        laboratory.run(draw(1))  # loads ccxt
        laboratory.run(draw(2))
        before = described(laboratory)
        for seed in range(3, 9):
            laboratory.run(draw(seed))

        assert len(before) == 2
        assert described(laboratory) == before


def described(laboratory: Laboratory) -> dict[str, bytes]:
    built = laboratory._prebuilt._built.items()
    return {key[0].__name__: pickle.dumps(kept.shared) for key, kept in built}
