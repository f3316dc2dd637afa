from __future__ import annotations

from decimal import Decimal

import pytest

from framework import EntryStep, EntryTry, OrderType, Side
from framework.testing import make_entry_plan
from framework_execution import Market


@pytest.mark.parametrize("side", list(Side))
def test_it_enters_with_one_market_order(side: Side) -> None:
    assert Market().first(make_entry_plan(side)) == EntryStep(OrderType.MARKET)


@pytest.mark.parametrize("filled", ["0", "0.4", "1"])
def test_it_is_content_with_whatever_was_filled(filled: str) -> None:
    plan = make_entry_plan(quantity=1)
    attempt = EntryTry(EntryStep(OrderType.MARKET), Decimal(1), Decimal(filled))

    assert Market().after(plan, (attempt,)) is None
