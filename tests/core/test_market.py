"""What components need to know, asked for once, and quotes that are none. (Missing data: see test_screen.)"""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import INTERVALS_S, MissingDataError, Need, Side
from framework.core.market import union_of
from framework.testing import (
    NOW_NS,
    make_account,
    make_candles,
    make_closed_position,
    make_open_position,
    make_quote,
    make_rules,
    make_snapshot,
)

D = Decimal
PLAIN = (Need.BOOK_TOP, Need.OPEN_INTEREST, Need.POSITIONS, Need.CLOSED_POSITIONS)
NEEDS = st.sampled_from(PLAIN) | st.builds(Need.candles, st.sampled_from(list(INTERVALS_S)), st.integers(1, 50))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.frozensets(NEEDS, max_size=5), max_size=5))
def test_the_union_satisfies_every_need_and_asks_for_each_interval_once(groups: list[frozenset[Need]]) -> None:
    union = union_of(groups)
    wanted = {need for group in groups for need in group}
    for need in wanted:
        assert any(u.kind == need.kind and u.interval == need.interval and u.count >= need.count for u in union)
    assert union <= wanted
    assert len({(need.kind, need.interval) for need in union}) == len(union)


@pytest.mark.parametrize(("interval", "count"), [("7m", 1), ("1H", 1), ("", 1), ("1h", 0), ("1h", -1)])
def test_candles_that_no_venue_has_cannot_be_asked_for(interval: str, count: int) -> None:
    with pytest.raises(ValueError, match=r"unknown candle interval|count must be at least 1"):
        Need.candles(interval, count)


def test_a_need_is_named_as_people_say_it() -> None:
    assert [str(need) for need in (Need.BOOK_TOP, Need.candles("1h", 3))] == ["book_top", "3 candles of 1h"]


def test_a_larger_declared_count_covers_a_smaller_read_and_the_newest_candles_are_given() -> None:
    hours = make_candles("1h", 5)
    market = make_snapshot(needs=[Need.candles("1h", 3)], candles={"1h": hours})
    assert market.candles("1h", 2) == hours[-2:]
    assert market.candles("1h") == hours[-1:]
    with pytest.raises(MissingDataError, match="did not declare"):
        market.candles("1h", 4)
    with pytest.raises(MissingDataError, match="did not declare"):
        market.candles("5m", 1)


@pytest.mark.parametrize(("later_ns", "fresh"), [(0, True), (3_599_999_999_999, True), (3_600_000_000_000, False)])
def test_the_newest_candle_is_the_one_that_closed_last(later_ns: int, fresh: bool) -> None:
    hour_ns = NOW_NS - NOW_NS % 3_600_000_000_000
    candles = {"1h": make_candles("1h", 2, time_ns=hour_ns)}
    market = make_snapshot(needs=[Need.candles("1h", 2)], candles=candles, time_ns=hour_ns + later_ns)
    if fresh:
        assert len(market.candles("1h", 2)) == 2
    else:
        with pytest.raises(MissingDataError, match="not the last closed one"):
            market.candles("1h", 2)


def test_a_snapshot_shows_what_is_open_and_was_closed_on_its_account() -> None:
    held, closed = make_open_position(), make_closed_position()
    account = make_account(open=[held], closed=[closed])
    market = make_snapshot(needs=[Need.POSITIONS, Need.CLOSED_POSITIONS], account=account)
    assert (market.positions, market.closed_positions) == ((held,), (closed,))


def test_what_one_component_declared_is_not_seen_by_the_next() -> None:
    market = make_snapshot(needs=[Need.BOOK_TOP])
    assert market.quote == make_quote()
    with pytest.raises(MissingDataError, match="did not declare"):
        _ = market.seen_by(frozenset()).quote


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "sNaN", "Infinity"])
@pytest.mark.parametrize("name", ["bid", "ask", "last", "mark"])
def test_a_quote_with_a_price_that_is_none_is_not_sane(name: str, price: str) -> None:
    changed: dict[str, Decimal] = {name: D(price)}
    quote = make_quote()
    assert quote.is_sane
    assert not evolve(quote, **changed).is_sane  # type: ignore[arg-type]


def test_a_long_takes_the_ask_and_a_short_the_bid() -> None:
    quote = make_quote(99, 101)
    assert (quote.taken_by(Side.LONG), quote.taken_by(Side.SHORT), quote.middle) == (D(101), D(99), D(100))


def test_market_rules_keep_ticks_without_trailing_zeros() -> None:
    rules = make_rules(tick_size="0.0010", step_size="10.0")
    assert (str(rules.tick_size), str(rules.step_size)) == ("0.001", "10")
