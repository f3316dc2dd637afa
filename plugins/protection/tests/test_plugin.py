"""The plugin as a whole: what it offers, and that all of it keeps the contract."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import framework_protection
from framework import Percent, Protection, Side
from framework.testing import check_protection, check_readme
from framework_protection import (
    Atr,
    BreakEven,
    LiquidationGuard,
    StopLoss,
    TakeLevel,
    TakeProfit,
    TimeExit,
    TrailingStop,
)

HALF = Percent(Decimal("0.5"))
TWO = Percent(Decimal(2))
PROTECTIONS: list[Protection] = [
    StopLoss(percent=TWO),
    TrailingStop(distance_percent=HALF),
    TrailingStop(distance_percent=HALF, activation_percent=TWO),
    TrailingStop(distance_price=Decimal("0.7"), activation_percent=TWO),
    TrailingStop(distance_percent=TWO, step_percent=HALF),
    TrailingStop(distance_percent=HALF, min_improvement_ticks=3),
    TrailingStop(distance_percent=TWO, min_interval_s=180),
    TrailingStop(distance_percent=TWO, min_interval_s=600, urgent_percent=TWO),
    StopLoss(atr=Atr(Decimal(3))),
    TrailingStop(distance_atr=Atr(Decimal("4.5"), periods=3, interval="1h"), activation_percent=TWO),
    BreakEven(after_percent=TWO),
    BreakEven(after_percent=HALF, fee_percent=HALF),
    TakeProfit((TakeLevel(TWO, Decimal("0.5")), TakeLevel(Percent(Decimal(4)), Decimal("0.5")))),
    TimeExit(max_age_hours=Decimal(2)),
    TimeExit(
        grace_hours=Decimal("0.25"),
        break_even_hours=Decimal("0.5"),
        loss_percent_per_hour=TWO,
        max_loss_percent=Percent(Decimal(6)),
        max_age_hours=Decimal("2.2"),
    ),
    LiquidationGuard(leverage=Decimal(20)),
]


@pytest.mark.parametrize("component", PROTECTIONS, ids=repr)
def test_every_protection_keeps_the_contract(component: Protection) -> None:
    check_protection(component)


@pytest.mark.parametrize(("side", "price"), [(Side.LONG, 99), (Side.SHORT, 101)])
def test_a_stop_at_a_fixed_price_keeps_the_contract(side: Side, price: int) -> None:
    check_protection(StopLoss(price=Decimal(price)), sides=(side,))


def test_the_plugin_offers_every_protection_once() -> None:
    offered = framework_protection.protections()

    assert {type(component) for component in PROTECTIONS} == set(offered)
    assert len({component.name for component in offered}) == len(offered) == 6


def test_the_readme_describes_every_protection_and_setting() -> None:
    readme = Path(__file__).parent.parent / "README.md"

    check_readme(readme.read_text(encoding="utf-8"), framework_protection.protections())
