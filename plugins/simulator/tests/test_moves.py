"""The market jumps or walks, and what lies on its way happens."""

from __future__ import annotations

import pytest

from framework import Percent
from framework_simulator.engine.ledger import Ledger
from framework_simulator.engine.style import BINANCE, BYBIT
from framework_simulator.engine.venue import Venue

from .kit import MARKET, ME, SYMBOL, attached, bench, d, new_account, quote, stop_request


@pytest.mark.parametrize(
    ("side", "exit_side", "trigger", "to"), [("buy", "sell", "94", "90"), ("sell", "buy", "106", "110")]
)
def test_a_jump_over_a_stop_fills_it_at_the_new_market(side: str, exit_side: str, trigger: str, to: str) -> None:
    venue = bench()
    venue.order(side, "1")
    venue.stop(exit_side, "1", trigger)
    venue.quote(to)
    assert venue.fill_prices[-1] == f"{to}.0"


def test_a_stop_in_a_gap_pays_the_spread_of_the_new_market() -> None:
    venue = bench()
    venue.order("buy", "1")
    venue.stop("sell", "1", "94")
    venue.quote("89.8", "90.2", last="90")
    assert venue.fill_prices[-1] == "89.8"


@pytest.mark.parametrize(
    ("side", "exit_side", "trigger", "to"), [("buy", "sell", "94", "90"), ("sell", "buy", "106", "110")]
)
def test_a_walk_through_a_stop_fills_it_at_its_trigger_price(side: str, exit_side: str, trigger: str, to: str) -> None:
    venue = bench()
    venue.order(side, "1")
    venue.stop(exit_side, "1", trigger)
    venue.walk(to)
    assert venue.fill_prices[-1] == f"{trigger}.0"


@pytest.mark.parametrize(
    ("side", "exit_side", "trigger", "to", "price"),
    [("buy", "sell", "94", "90", "93.7"), ("sell", "buy", "106", "110", "106.3")],
)
def test_slippage_makes_a_triggered_stop_worse(side: str, exit_side: str, trigger: str, to: str, price: str) -> None:
    venue = bench(slippage="0.25")
    venue.order(side, "1")
    venue.stop(exit_side, "1", trigger)
    venue.walk(to)
    assert venue.fill_prices[-1] == price


def test_a_walk_away_from_a_stop_leaves_it_alone() -> None:
    venue = bench()
    venue.order("buy", "1")
    venue.stop("sell", "1", "94")
    venue.walk("120")
    venue.walk("94.1")
    assert venue.held == 1


def test_several_stops_trigger_in_the_order_in_which_the_walk_meets_them() -> None:
    venue = bench()
    venue.order("buy", "3")
    for trigger in ("93", "95", "94"):
        venue.stop("sell", "1", trigger, f"s{trigger}")
    venue.walk("90")
    assert venue.fill_prices[1:] == ["95.0", "94.0", "93.0"]


def test_several_stops_in_a_gap_trigger_nearest_first_all_at_the_new_market() -> None:
    venue = bench()
    venue.order("buy", "3")
    for trigger in ("93", "95", "94"):
        venue.stop("sell", "1", trigger, f"s{trigger}")
    venue.quote("90")
    triggered = [line["trigger_price"] for line in venue.of_kind("stop") if line["status"] == "triggered"]
    assert (triggered, venue.fill_prices[1:]) == (["95", "94", "93"], ["90.0"] * 3)


def test_equal_stops_trigger_in_the_order_of_their_placement() -> None:
    venue = bench()
    venue.order("buy", "2")
    venue.stop("sell", "1", "94", "first")
    venue.stop("sell", "1", "94", "second")
    venue.walk("90")
    triggered = [line["client_id"] for line in venue.of_kind("stop") if line["status"] == "triggered"]
    assert triggered == ["first", "second"]


def test_a_limit_order_and_its_attached_stop_both_happen_on_one_walk() -> None:
    venue = bench(BYBIT)
    venue.order("buy", "1", "97", stop=attached("95"))
    venue.walk("90")
    assert (venue.fill_prices, venue.held) == (["97.0", "95.0"], d(0))


def test_a_walk_starts_from_the_last_price_with_unlimited_depth() -> None:
    venue = bench()
    venue.quote("99", "101", last="100", ask_quantity="0.1")
    venue.walk("102")
    assert venue.order("buy", "9").average_price == d(102)


def test_stops_on_the_mark_price_ignore_the_last_price_and_the_reverse() -> None:
    venue = bench()
    venue.order("buy", "2")
    venue.stop("sell", "1", "94", "on-last", "last")
    venue.stop("sell", "1", "94", "on-mark", "mark")
    venue.quote("90", last="90", mark="95")
    assert [stop.client_id for stop in venue.venue.stops(ME, SYMBOL)] == ["on-mark"]
    venue.quote("95", last="95", mark="94")
    assert venue.venue.stops(ME, SYMBOL) == ()


def test_a_move_of_one_market_triggers_nothing_in_another() -> None:
    venue = Venue.open(BINANCE, {SYMBOL: MARKET, "BUSDT": MARKET}, ledger=Ledger("binance"), slippage=Percent("0"))
    venue.open_account(new_account(ME))
    venue.quote(SYMBOL, quote("100"), 0)
    venue.quote("BUSDT", quote("100"), 0)
    venue.place_stop(ME, stop_request("sell", "1", "94"), 0)
    venue.walk("BUSDT", d("90"), 0)
    venue.quote("BUSDT", quote("80"), 0)
    assert len(venue.stops(ME, SYMBOL)) == 1


def test_a_walk_without_a_distance_changes_nothing() -> None:
    venue = bench()
    venue.order("buy", "1")
    lines = len(venue.lines)
    venue.walk("100")
    assert len(venue.lines) == lines
