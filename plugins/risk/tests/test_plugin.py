"""The plugin as a whole: what it offers, and that all of it keeps the contract."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import framework_risk
from framework import Percent, RiskRule
from framework.testing import check_readme, check_risk_rule
from framework_risk import MarginReserve, MaxDailyLoss, MaxExposure, MaxOpenPositions

TEN = Percent(Decimal(10))
RULES: list[RiskRule] = [
    MaxOpenPositions(total=20, per_account=10),
    MaxExposure(max_usd=Decimal(100)),
    MaxExposure(max_percent_of_equity=TEN, scope="account"),
    MaxDailyLoss(max_usd=Decimal(50)),
    MaxDailyLoss(max_percent_of_equity=TEN),
    MarginReserve(min_free_percent=TEN),
]


@pytest.mark.parametrize("component", RULES, ids=repr)
def test_every_rule_keeps_the_contract(component: RiskRule) -> None:
    check_risk_rule(component)


def test_the_plugin_offers_every_rule_once() -> None:
    offered = framework_risk.risk_rules()

    assert {type(component) for component in RULES} == set(offered)
    assert len({component.name for component in offered}) == len(offered) == 4


def test_the_readme_describes_every_rule_and_setting() -> None:
    readme = Path(__file__).parent.parent / "README.md"

    check_readme(readme.read_text(encoding="utf-8"), framework_risk.risk_rules())
