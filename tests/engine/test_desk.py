"""A desk keeps count of one account: what is planned is set against its money until the venue has counted it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from framework import Balance, OrderReport, OrderStatus, Side
from framework.core.happenings import EntryAnswered
from framework.core.lifecycle import advance, begin
from framework.core.position import Position
from framework.core.steering import Policy
from framework.engine.desk import Desk
from framework.testing import make_plan
from tests.core.strategies import AtMarket, FixedStop

POLICY = Policy(protections=(FixedStop(),), execution=AtMarket(), attaches_stops=False, amends_stops=True)
MONEY = Balance(Decimal(1000), Decimal(1000), leverage=Decimal(10))


def desk_with(position: Position) -> Desk:
    nobody: Any = None
    desk = Desk(position.account, 1, nobody, POLICY)
    desk.keep(position)
    return desk


def entering() -> Position:
    return begin(make_plan(Side.LONG), "wave", POLICY, 0)[0]


def filled(position: Position) -> Position:
    report = OrderReport(
        position.entry.client_id, position.symbol, OrderStatus.FILLED, position.plan.quantity, position.planned_price
    )
    return advance(position, EntryAnswered(report.client_id, report), POLICY, 0)[0]


def test_the_margin_of_an_entry_under_way_is_set_aside_from_a_new_balance() -> None:
    position = entering()
    desk = desk_with(position)
    desk.new_balance(MONEY)
    margin = position.plan.quantity * position.planned_price / 10
    assert desk.as_account(0).available_usd == 1000 - margin


def test_the_margin_of_a_filled_entry_is_in_the_balance_already() -> None:
    desk = desk_with(filled(entering()))
    desk.new_balance(MONEY)
    assert desk.as_account(0).available_usd == 1000


def test_what_is_reserved_since_counts_until_the_next_balance() -> None:
    desk = desk_with(filled(entering()))
    desk.new_balance(MONEY)
    desk.reserve(Decimal(500))
    assert desk.as_account(0).available_usd == 950
    desk.new_balance(MONEY)
    assert desk.as_account(0).available_usd == 1000
