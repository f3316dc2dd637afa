"""The plugin as a whole: what it offers, and that all of it keeps the contract."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import framework_sizing
from framework import Percent, Sizer
from framework.testing import check_readme, check_sizer
from framework_sizing import FixedRisk, FixedUsd, PercentOfEquity

TEN = Percent(Decimal(10))
SIZERS: list[Sizer] = [
    FixedUsd(position_usd=Decimal(6)),
    FixedUsd(position_usd=Decimal(6), tolerance_percent=TEN),
    FixedUsd(position_usd=Decimal("1e9")),
    PercentOfEquity(percent=TEN),
    FixedRisk(risk_usd=Decimal(5)),
    FixedRisk(risk_percent=TEN, max_notional_usd=Decimal(50), tolerance_percent=Percent(Decimal(500))),
]


@pytest.mark.parametrize("component", SIZERS, ids=repr)
def test_every_sizer_keeps_the_contract(component: Sizer) -> None:
    check_sizer(component)


def test_the_plugin_offers_every_sizer_once() -> None:
    offered = framework_sizing.sizers()

    assert {type(component) for component in SIZERS} == set(offered)
    assert len({component.name for component in offered}) == len(offered) == 3


def test_the_readme_describes_every_sizer_and_setting() -> None:
    readme = Path(__file__).parent.parent / "README.md"

    check_readme(readme.read_text(encoding="utf-8"), framework_sizing.sizers())
