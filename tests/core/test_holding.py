"""What protections are told of an open position beyond its price: the fee of its entry, and the leverage."""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve

from framework.core.signal import Side
from tests.core.strategies import Life, entry_fill, plan, policy

D = Decimal


def test_before_its_first_execution_a_position_knows_no_fee() -> None:
    assert Life(policy(), plan()).it.holding(D(100)).fee_rate == 0


def test_the_fee_rate_is_what_all_executions_of_the_entry_cost_together() -> None:
    it = Life(policy(), plan()).it
    for number, (quantity, fee) in enumerate([("0.5", "0.02"), ("0.5", "0.04")]):
        it = it.with_fill(evolve(entry_fill(it, quantity, "100", number), fee_usd=D(fee)))

    assert it.holding(D(100)).fee_rate == D("0.0006")


def test_a_maker_rebate_is_no_fee() -> None:
    it = Life(policy(), plan()).it

    assert it.with_fill(evolve(entry_fill(it), fee_usd=D("-0.01"))).holding(D(100)).fee_rate == 0


def test_the_leverage_is_that_of_the_decision() -> None:
    assert Life(policy(), evolve(plan(Side.SHORT), leverage=D(7))).it.holding(D(100)).leverage == 7
    assert Life(policy(), plan()).it.holding(D(100)).leverage is None
