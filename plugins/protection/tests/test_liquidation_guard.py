from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve

from framework import Ask, Percent, Side
from framework.testing import NOW_NS, make_holding
from framework_protection import LiquidationGuard

D = Decimal
GUARD = LiquidationGuard(
    buffer_percent=Percent(D(2)), maintenance_margin_percent=Percent(D(10)), leverage=D(4)
)  # a long at 90 is liquidated at 90 × (1 − 1/4) / (1 − 0.1) = 75; a short at 88 at 88 × (1 + 1/4) / (1 + 0.1) = 100


@pytest.mark.parametrize(("side", "entry", "limit"), [(Side.LONG, 90, "76.5"), (Side.SHORT, 88, "98")])
def test_the_limit_lies_before_the_liquidation_price_and_is_asked_for(side: Side, entry: int, limit: str) -> None:
    guard = GUARD.start(make_holding(side, entry_price=entry))

    assert (guard.stop, guard.limit, guard.close) == (None, D(limit), None)
    assert guard.ask == (Ask(below=D(limit)) if side is Side.LONG else Ask(above=D(limit)))
    assert guard.numbers["liquidation_price"] == (75 if side is Side.LONG else 100)


@pytest.mark.parametrize(
    ("side", "entry", "inside", "limit"), [(Side.LONG, 90, "76.51", "76.5"), (Side.SHORT, 88, "97.99", "98")]
)
def test_the_position_is_closed_at_the_limit(side: Side, entry: int, inside: str, limit: str) -> None:
    holding = make_holding(side, entry_price=entry)
    state = GUARD.start(holding).state

    assert GUARD.on_price(holding, state, D(inside), NOW_NS).close is None
    assert GUARD.on_price(holding, state, D(limit), NOW_NS).close == "near_liquidation"


def test_the_leverage_of_the_account_counts_unless_one_is_set() -> None:
    rule = LiquidationGuard(buffer_percent=Percent(D(2)), maintenance_margin_percent=Percent(D(10)))

    assert rule.start(make_holding(entry_price=90, leverage=4)).limit == D("76.5")
    assert GUARD.start(make_holding(entry_price=90, leverage=100)).limit == D("76.5")


def test_without_a_leverage_that_anybody_knows_there_is_no_answer() -> None:
    with pytest.raises(ValueError, match="set leverage"):
        LiquidationGuard().start(make_holding())


def test_a_long_without_leverage_is_never_liquidated() -> None:
    assert LiquidationGuard(leverage=D(1)).start(make_holding()).limit is None


def test_a_limit_that_leaves_no_room_refuses_the_plan() -> None:
    with pytest.raises(ValueError, match="of its liquidation"):
        LiquidationGuard(leverage=D(100)).start(make_holding())


@pytest.mark.parametrize("settings", [{"buffer_percent": 0}, {"maintenance_margin_percent": -1}, {"leverage": 0}])
def test_settings_that_make_no_sense_are_mistakes(settings: dict[str, int]) -> None:
    made = {name: D(value) if name == "leverage" else Percent(D(value)) for name, value in settings.items()}
    with pytest.raises(ValueError, match="must"):
        LiquidationGuard(**made)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("side", "entry", "told", "limit"), [(Side.LONG, 90, "80", "81.6"), (Side.SHORT, 88, "95", "93.1")]
)
def test_a_nearer_liquidation_price_of_the_venue_counts_and_the_stop_is_wanted_at_the_limit(
    side: Side, entry: int, told: str, limit: str
) -> None:
    holding = evolve(make_holding(side, entry_price=entry), liquidation_price=D(told))
    guard = GUARD.start(holding)

    assert (guard.stop, guard.limit, guard.numbers["liquidation_price"]) == (D(limit), D(limit), D(told))
    assert GUARD.on_price(holding, guard.state, D(limit), NOW_NS).close == "near_liquidation"


@pytest.mark.parametrize(
    ("side", "entry", "told", "limit"), [(Side.LONG, 90, "10", "76.5"), (Side.SHORT, 88, "500", "98")]
)
def test_a_farther_liquidation_price_of_the_venue_changes_nothing(
    side: Side, entry: int, told: str, limit: str
) -> None:
    guard = GUARD.start(evolve(make_holding(side, entry_price=entry), liquidation_price=D(told)))

    assert (guard.stop, guard.limit) == (None, D(limit))
