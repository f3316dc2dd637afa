from __future__ import annotations

from decimal import Decimal

import pytest

from framework import Ask, Guard, Percent, Side
from framework.testing import NOW_NS, Numeric, make_holding
from framework_protection import TimeExit

D = Decimal
HOUR_NS = 3_600_000_000_000
AGED = TimeExit(
    grace_hours=D(3),
    break_even_hours=D(2),
    loss_percent_per_hour=Percent(D(1)),
    max_loss_percent=Percent(D("2.5")),
)


def asked(rule: TimeExit, hours: Numeric, price: Numeric, side: Side = Side.LONG) -> Guard:
    """The answer so many hours after the entry at 100."""
    holding = make_holding(side)
    state = rule.start(holding).state
    return rule.on_price(holding, state, D(price), NOW_NS + int(D(hours) * HOUR_NS))


def test_within_its_grace_period_it_waits_for_its_end() -> None:
    guard = AGED.start(make_holding())

    assert (guard.stop, guard.close, guard.ask) == (None, None, Ask(at_ns=NOW_NS + 3 * HOUR_NS))
    assert asked(AGED, "2.999", 150).close is None


@pytest.mark.parametrize(
    ("hours", "price"),
    [("3", "100"), ("5", "100"), ("5.999", "100"), ("6", "99"), ("6.999", "99"), ("7", "98"), ("8", "97.5"),
     ("80", "97.5")],
)  # fmt: skip
def test_afterwards_the_price_that_is_asked_for_gives_way_by_the_hour_up_to_the_limit(hours: str, price: str) -> None:
    assert asked(AGED, hours, price).close == "aged_out"
    below = asked(AGED, hours, D(price) - D("0.01"))
    assert (below.close, below.ask.above) == (None, D(price))


@pytest.mark.parametrize(("hours", "price"), [("3", "100"), ("6", "101"), ("8", "102.5")])
def test_a_short_is_closed_at_or_below_its_price(hours: str, price: str) -> None:
    assert asked(AGED, hours, price, Side.SHORT).close == "aged_out"
    above = asked(AGED, hours, D(price) + D("0.01"), Side.SHORT)
    assert (above.close, above.ask.below) == (None, D(price))


def test_the_next_hour_is_asked_for_until_the_limit_is_reached() -> None:
    times = {hours: asked(AGED, hours, 50).ask.at_ns for hours in ("3", "5", "6.5", "7", "8")}

    hours = {start: None if at is None else (at - NOW_NS) / HOUR_NS for start, at in times.items()}
    assert hours == {"3": 6, "5": 6, "6.5": 7, "7": 8, "8": None}


def test_break_even_counts_fees() -> None:
    rule = TimeExit(grace_hours=D(1), fee_percent=Percent(D("0.1")))

    assert asked(rule, 1, "100.2").close is None
    assert asked(rule, 1, "100.21").close == "aged_out"


def test_at_its_maximum_age_it_is_closed_at_any_price() -> None:
    rule = TimeExit(max_age_hours=D("1.5"))

    assert rule.start(make_holding()).ask == Ask(at_ns=NOW_NS + 3 * HOUR_NS // 2)
    assert asked(rule, "1.4999", 10).close is None
    assert asked(rule, "1.5", 10).close == "too_old"


def test_without_a_tolerated_loss_it_waits_for_break_even() -> None:
    rule = TimeExit(grace_hours=D(0))

    assert asked(rule, 1000, "99.99").ask == Ask(above=D(100))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "set grace_hours, max_age_hours, or both"),
        ({"max_age_hours": D(1), "break_even_hours": D(1)}, "follow grace_hours"),
        ({"max_age_hours": D(1), "loss_percent_per_hour": Percent(D(1))}, "follow grace_hours"),
        ({"grace_hours": D(1), "loss_percent_per_hour": Percent(D(1))}, "belong together"),
        ({"grace_hours": D(1), "max_loss_percent": Percent(D(1))}, "belong together"),
        ({"grace_hours": D(-1)}, "must not be negative"),
        ({"max_age_hours": D(0)}, "must be greater than 0"),
        ({"grace_hours": D(1), "fee_percent": Percent(D(100))}, "below 100"),
    ],
)
def test_settings_that_make_no_sense_are_mistakes(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TimeExit(**settings)  # type: ignore[arg-type]
