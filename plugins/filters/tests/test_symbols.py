from __future__ import annotations

import pytest

from framework import Passed, Rejection, Verdict
from framework.testing import make_signal, make_snapshot
from framework_filters import Symbols


def check(component: Symbols, symbol: str) -> Verdict:
    return component.check(make_signal(symbol), make_snapshot(symbol, needs=component.needs))


def test_without_patterns_every_symbol_passes() -> None:
    assert check(Symbols(), "BTCUSDT") == Passed()


def test_a_symbol_on_the_stop_list_is_refused_with_the_pattern_that_matched() -> None:
    verdict = check(Symbols(stop=("ETH*", "USDC*")), "USDCUSDT")

    assert isinstance(verdict, Rejection)
    assert verdict.code == "symbol_stopped"
    assert verdict.numbers == {"pattern": "USDC*"}


def test_a_symbol_off_the_stop_list_passes() -> None:
    assert check(Symbols(stop=("USDC*",)), "BTCUSDC") == Passed()


def test_with_an_allow_list_only_what_matches_passes() -> None:
    component = Symbols(allow=("BTC*", "ETHUSD?"))

    assert check(component, "ETHUSDT") == Passed({"pattern": "ETHUSD?"})
    verdict = check(component, "ETHBTCUSDT")
    assert isinstance(verdict, Rejection)
    assert verdict.code == "symbol_not_allowed"
    assert verdict.numbers == {"allow": "BTC*, ETHUSD?"}


def test_stop_wins_over_allow() -> None:
    verdict = check(Symbols(allow=("*",), stop=("BTC*",)), "BTCUSDT")

    assert isinstance(verdict, Rejection)
    assert verdict.code == "symbol_stopped"


def test_upper_and_lower_case_differ() -> None:
    assert check(Symbols(stop=("btc*",)), "BTCUSDT") == Passed()


@pytest.mark.parametrize("setting", ["allow", "stop"])
def test_an_empty_pattern_is_a_mistake(setting: str) -> None:
    with pytest.raises(ValueError, match="a pattern must not be empty"):
        Symbols(**{setting: ("BTC*", "")})
