"""What is checked of a first stop before anything is opened: that it can be placed, live and close."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from framework import Guard, MarketRules, NoState, PriceSource, Quote, Side
from framework.core.stop_checks import flaw_of_close, flaw_of_stop
from framework.testing import make_quote, make_rules

D = Decimal


def flaw(
    side: Side, stop: str, *, quote: Quote | None = None, limit: str | None = None, rules: MarketRules | None = None
) -> str | None:
    guards = {} if limit is None else {"keeper": Guard(NoState(), None, limit=D(limit))}
    found = flaw_of_stop(side, D(stop), D(100), quote or make_quote(), rules or make_rules(), guards)
    return None if found is None else found.code


@pytest.mark.parametrize(("side", "stop"), [(Side.LONG, "94"), (Side.SHORT, "106")])
def test_a_stop_on_the_losing_side_is_fine(side: Side, stop: str) -> None:
    assert flaw(side, stop) is None


@pytest.mark.parametrize(("side", "stop"), [(Side.LONG, "100"), (Side.SHORT, "100"), (Side.LONG, "101")])
def test_a_stop_on_the_winning_side_is_not_possible(side: Side, stop: str) -> None:
    assert flaw(side, stop) == "stop_not_possible"


@pytest.mark.parametrize(
    ("side", "stop", "last", "code"),
    [
        (Side.LONG, "99", "99", "stop_crossed"),
        (Side.LONG, "99", "99.01", None),
        (Side.SHORT, "101", "101", "stop_crossed"),
        (Side.SHORT, "101", "100.99", None),
    ],
)
def test_a_stop_that_the_last_price_has_reached_would_act_at_once(
    side: Side, stop: str, last: str, code: str | None
) -> None:
    assert flaw(side, stop, quote=make_quote(last=last)) == code


def test_a_stop_that_the_mark_price_triggers_is_held_against_the_mark_price() -> None:
    quote = make_quote(last=100, mark="98.9")

    found = flaw_of_stop(Side.LONG, D(99), D(100), quote, make_rules(), {}, PriceSource.MARK)

    assert found is not None
    assert (found.code, found.numbers["mark"]) == ("stop_crossed", D("98.9"))
    assert flaw(Side.LONG, "99", quote=quote) is None


@pytest.mark.parametrize(
    ("side", "stop", "code"),
    [
        (Side.LONG, "95", None),
        (Side.LONG, "94.99", "stop_outside_band"),
        (Side.SHORT, "105", None),
        (Side.SHORT, "105.01", "stop_outside_band"),
    ],
)
def test_a_stop_lies_within_the_venues_band_around_the_mark_price(side: Side, stop: str, code: str | None) -> None:
    assert flaw(side, stop, quote=make_quote(mark=100), rules=make_rules(trigger_band="0.05")) == code


@pytest.mark.parametrize(
    ("side", "stop", "limit", "code"),
    [
        (Side.LONG, "92.01", "92", None),
        (Side.LONG, "92", "92", "stop_beyond_limit"),
        (Side.SHORT, "107.99", "108", None),
        (Side.SHORT, "109", "108", "stop_beyond_limit"),
    ],
)
def test_a_stop_lies_within_the_limits_that_protections_set(
    side: Side, stop: str, limit: str, code: str | None
) -> None:
    assert flaw(side, stop, limit=limit) == code


@pytest.mark.parametrize(("quantity", "fine"), [("0.05", False), ("0.053", False), ("0.054", True)])
def test_the_order_that_closes_at_the_stop_is_as_large_as_the_venue_asks(quantity: str, fine: bool) -> None:
    found: Any = flaw_of_close(D(94), D(quantity), make_rules(min_notional=5))

    assert (found is None) == fine
    assert fine or found.code == "close_below_minimum"


def test_where_the_venue_waives_its_minimum_for_closes_any_position_may_be_opened() -> None:
    assert flaw_of_close(D(94), D("0.001"), make_rules(min_notional=5, closes_any_notional=True)) is None
