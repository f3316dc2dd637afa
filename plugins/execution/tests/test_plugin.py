"""The plugin as a whole: what it offers, and that all of it keeps the contract."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import framework_execution
from framework import Execution, Percent
from framework.testing import check_execution, check_readme
from framework_execution import LimitThenMarket, Market

EXECUTIONS: list[Execution] = [
    Market(),
    LimitThenMarket(wait_seconds=10),
    LimitThenMarket(wait_seconds=1, offset_percent=Percent(Decimal("99.9")), time_in_force="post-only"),
]


@pytest.mark.parametrize("component", EXECUTIONS, ids=repr)
def test_every_execution_keeps_the_contract(component: Execution) -> None:
    check_execution(component)


def test_the_plugin_offers_every_execution_once() -> None:
    offered = framework_execution.executions()

    assert {type(component) for component in EXECUTIONS} == set(offered)
    assert len({component.name for component in offered}) == len(offered) == 2


def test_the_readme_describes_every_execution_and_setting() -> None:
    readme = Path(__file__).parent.parent / "README.md"

    check_readme(readme.read_text(encoding="utf-8"), framework_execution.executions())
