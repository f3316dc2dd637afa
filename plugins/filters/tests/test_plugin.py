"""The plugin as a whole: what it offers, and that all of it keeps the contract."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import framework_filters
from framework import Filter, Percent
from framework.testing import check_filter, check_readme
from framework_filters import (
    CooldownAfterLoss,
    Listed,
    OnePerSymbol,
    OpenInterest,
    PriceMove,
    Score,
    SignalAge,
    Spread,
    Symbols,
    Volume1h,
)

ONE = Percent(Decimal(1))

FILTERS: list[Filter] = [
    Listed(),
    Symbols(),
    Symbols(allow=("BTC*",), stop=("ETH*",)),
    OnePerSymbol(),
    SignalAge(max_age_minutes=30),
    Score(minimum={"week": Decimal(60)}),
    Spread(max_percent=ONE),
    Spread(max_percent=ONE, action="warn"),
    Volume1h(min_usd=Decimal(20_000)),
    OpenInterest(min_usd=Decimal(500_000)),
    PriceMove(max_percent=ONE),
    PriceMove(max_percent=ONE, window="1h"),
    CooldownAfterLoss(minutes=60),
    CooldownAfterLoss(minutes=60, scope="account"),
]


@pytest.mark.parametrize("component", FILTERS, ids=repr)
def test_every_filter_keeps_the_contract(component: Filter) -> None:
    check_filter(component)


def test_the_plugin_offers_every_filter_once() -> None:
    offered = framework_filters.filters()

    assert {type(component) for component in FILTERS} == set(offered)
    assert len({component.name for component in offered}) == len(offered) == 10


def test_the_readme_describes_every_filter_and_setting() -> None:
    readme = Path(__file__).parent.parent / "README.md"

    check_readme(readme.read_text(encoding="utf-8"), framework_filters.filters())
