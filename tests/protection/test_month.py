"""A month of real minutes: the exits of the product and of a calculation over columns, trade for trade.

``python -m tests.protection.test_month`` opens a position every quarter of an hour instead of three times a week.
"""

from __future__ import annotations

import sys
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from framework import Side
from framework.core.protection import Holding
from framework.testing import make_rules
from framework.testing.walking_inputs import components
from framework.testing.walking_steps import Walker
from tests.protection.columns import Left, Rules, entries, left
from tests.protection.minutes import MONTH, Market, read

DOCUMENTED = Rules(stop=600, activation=200, distance=50)
NARROW = Rules(stop=80, activation=40, distance=15)
DAYS = 1440 * 30


def tables(rules: Rules) -> list[Any]:
    """The rules as a configuration has them."""
    stop, activation, distance = (str(Decimal(each) / 100) for each in (rules.stop, rules.activation, rules.distance))
    return [
        {"use": "stop-loss", "percent": stop},
        {"use": "trailing-stop", "activation_percent": activation, "distance_percent": distance},
    ]


def walked(protections: list[Any], market: Market, side: Side, start: int) -> Left | None:
    """What the product makes of a position that is opened at the close before `start`."""
    rules = make_rules(market.symbol, tick_size=market.tick)
    entry = market.closes[start - 1] * market.tick
    opened_ns = market.candle(start)[0]
    holding = Holding("walk", market.symbol, side, entry, Decimal(1), opened_ns, rules)
    walker = Walker.begun(holding, protections, trims=False)
    for minute in range(start, min(DAYS, len(market.opens))):
        time_ns, opened, high, low, closed = market.candle(minute)
        one, other = (low, high) if side is Side.LONG else (high, low)
        walker.candle(minute, time_ns, (opened, one, other, closed))
        if walker.exited is not None:
            return Left(minute, int(walker.exited.price / market.tick), walker.exited.reason)
    return None


def trades(rules: Rules, every: int) -> list[tuple[str, Left | None, Left | None]]:
    """Every trade's name with its exit by the product and by the columns."""
    protections, found = components(tables(rules)), []
    for market in read(MONTH):
        columns = tuple(column[:DAYS] for column in (market.opens, market.highs, market.lows, market.closes))
        for start in entries(len(columns[0]), every):
            for side in Side:
                one = walked(protections, market, side, start)
                other = left(rules, side is Side.LONG, market.closes[start - 1], columns, start)  # type: ignore[arg-type]
                found.append((f"{market.symbol} {side.value} {start}", one, other))
    return found


@pytest.mark.parametrize(("rules", "every"), [(DOCUMENTED, 5000), (NARROW, 900)], ids=["documented", "narrow"])
def test_every_trade_of_the_month_ends_where_the_columns_say(rules: Rules, every: int) -> None:
    found = trades(rules, every)

    assert [each for each in found if each[1] != each[2]] == []
    reasons = Counter("open" if one is None else one.reason for _, one, _ in found)
    assert reasons["stop-loss"] > 50
    assert reasons["trailing-stop"] > 50


def test_the_month_holds_thirty_days_of_sixteen_markets() -> None:
    assert [len(market.opens) >= DAYS - 1 for market in read(MONTH)] == [True] * 16


if __name__ == "__main__":
    for name, rules in (("documented", DOCUMENTED), ("narrow", NARROW)):
        compared = trades(rules, 15 if rules is NARROW else 360)
        differing = sum(one != other for _, one, other in compared)
        reasons = Counter("open" if one is None else one.reason for _, one, _ in compared)
        sys.stdout.write(f"{name}: {len(compared)} trades, {differing} differ; {dict(reasons)}\n")
