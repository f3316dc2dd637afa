"""Stops: orders of their own, and the one that is attached to a position."""

from __future__ import annotations

import pytest

from framework import OrderSide, OrderStatus, Refusal, Side
from framework_simulator.engine.style import BINANCE, BYBIT, VenueStyle

from .kit import ME, SYMBOL, Bench, attached, bench, d, stop_request

STYLES = pytest.mark.parametrize("style", [BINANCE, BYBIT], ids=lambda style: style.name)
SIDES = pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)


def _entered(style: VenueStyle, side: Side = Side.LONG, *, stop: str | None = None, **bench_settings: str) -> Bench:
    venue = bench(style, **bench_settings)
    wish = None if stop is None else attached(stop)
    assert not isinstance(venue.order(side.entry.value, "1", stop=wish), Refusal)
    return venue


@SIDES
@STYLES
def test_a_stop_order_triggers_exactly_at_its_price_and_closes_the_position(style: VenueStyle, side: Side) -> None:
    venue = _entered(style, side)
    trigger = {Side.LONG: "94", Side.SHORT: "106"}[side]
    venue.stop(side.exit.value, "1", trigger)
    venue.walk({Side.LONG: "94.1", Side.SHORT: "105.9"}[side])
    assert venue.held == side.sign
    venue.walk(trigger)
    assert (venue.held, venue.fill_prices[-1]) == (d(0), f"{trigger}.0")


@pytest.mark.parametrize(
    ("style", "side", "trigger", "code"),
    [
        (BINANCE, Side.LONG, "100", "-2021"),
        (BINANCE, Side.SHORT, "100", "-2021"),
        (BYBIT, Side.LONG, "101", "110093"),
        (BYBIT, Side.SHORT, "99", "110092"),
    ],
)
def test_a_stop_that_is_crossed_already_is_refused(style: VenueStyle, side: Side, trigger: str, code: str) -> None:
    venue = _entered(style, side)
    answer = venue.stop(side.exit.value, "1", trigger)
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.crossed) == (code, True)
    assert venue.venue.stops(ME, SYMBOL) == ()


@pytest.mark.parametrize(
    ("quantity", "trigger", "code"),
    [("1", "94.05", "-4014"), ("1", "0", "-4013"), ("0.0005", "94", "-4004"), ("51", "94", "-4005")],
)
def test_a_stop_order_keeps_the_rules_of_the_market(quantity: str, trigger: str, code: str) -> None:
    answer = _entered(BINANCE).stop("sell", quantity, trigger)
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.crossed) == (code, False)


def test_a_stop_in_an_unknown_market_or_one_without_a_price_is_refused() -> None:
    answer = bench(BINANCE, at=None).stop("sell", "1", "94")
    assert isinstance(answer, Refusal)
    assert answer.code == "-1112"


@STYLES
def test_a_stop_order_stays_behind_when_the_position_goes_and_expires_when_it_triggers(style: VenueStyle) -> None:
    venue = _entered(style)
    venue.stop("sell", "1", "94")
    venue.order("sell", "1", reduce_only=True)
    assert [stop.client_id for stop in venue.venue.stops(ME, SYMBOL)] == ["s1"]
    venue.walk("90")
    assert venue.venue.stops(ME, SYMBOL) == ()
    assert [line["status"] for line in venue.of_kind("stop")] == ["untriggered", "expired"]
    assert venue.held == 0


def test_an_orphan_stop_acts_on_the_next_position() -> None:
    venue = _entered(BINANCE)
    venue.stop("sell", "1", "94")
    venue.order("sell", "1", reduce_only=True)
    venue.order("buy", "0.4")
    venue.walk("90")
    assert (venue.held, venue.fill_prices[-1]) == (d(0), "94.0")


def test_an_orphan_stop_never_opens_or_enlarges_a_position() -> None:
    venue = _entered(BINANCE)
    venue.stop("sell", "1", "94")
    venue.order("sell", "1", reduce_only=True)
    venue.order("sell", "0.4")
    venue.walk("90")
    assert venue.held == d("-0.4")


def test_a_stop_order_covers_its_own_quantity_only() -> None:
    venue = _entered(BINANCE)
    venue.stop("sell", "0.4", "94")
    venue.walk("90")
    assert venue.held == d("0.6")


def test_two_stop_orders_that_both_trigger_do_not_turn_the_position() -> None:
    venue = _entered(BINANCE)
    venue.stop("sell", "1", "94", "s1")
    venue.stop("sell", "1", "95", "s2")
    venue.walk("90")
    assert (venue.held, venue.fill_prices[1:]) == (d(0), ["95.0"])


def test_binance_can_not_amend_a_stop() -> None:
    venue = _entered(BINANCE)
    venue.stop("sell", "1", "94")
    answer = venue.venue.amend_stop(ME, stop_request("sell", "1", "95"), 0)
    assert isinstance(answer, Refusal)
    assert answer.code == "-5025"
    assert venue.venue.stops(ME, SYMBOL)[0].trigger_price == d(94)


def test_bybit_amends_a_stop_order_in_place() -> None:
    venue = _entered(BYBIT)
    placed = venue.stop("sell", "1", "94")
    moved = venue.venue.amend_stop(ME, stop_request("sell", "0.5", "95"), 0)
    assert not isinstance(moved, Refusal)
    assert (moved.id, moved.trigger_price, moved.quantity) == (placed.id, d(95), d("0.5"))
    assert venue.venue.stops(ME, SYMBOL) == (moved,)


@pytest.mark.parametrize(
    ("quantity", "trigger", "client_id", "code", "crossed"),
    [
        ("1", "100", "s1", "110093", True),
        ("1", "95.05", "s1", "10001", False),
        ("0", "95", "s1", "10001", False),
        ("1", "95", "s2", "110001", False),
    ],
)
def test_an_amendment_that_can_not_be_leaves_the_stop_as_it_is(
    quantity: str, trigger: str, client_id: str, code: str, crossed: bool
) -> None:
    venue = _entered(BYBIT)
    placed = venue.stop("sell", "1", "94")
    answer = venue.venue.amend_stop(ME, stop_request("sell", quantity, trigger, client_id), 0)
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.crossed) == (code, crossed)
    assert venue.venue.stops(ME, SYMBOL) == (placed,)


def test_the_attached_stop_is_no_stop_order_that_could_be_amended() -> None:
    venue = _entered(BYBIT, stop="94")
    answer = venue.venue.amend_stop(ME, stop_request("sell", "1", "95"), 0)
    assert isinstance(answer, Refusal)
    assert answer.code == "110001"


def test_a_limit_entry_that_fills_beyond_its_own_stop_is_stopped_out_at_once() -> None:
    # The stop is valid against the limit price of 100, but the market is at 90 already.
    venue = bench(BYBIT, at="90")
    venue.order("buy", "1", "100", stop=attached("95"))
    assert (venue.held, venue.fill_prices) == (d(0), ["90.0", "90.0"])


def test_an_amendment_never_changes_the_side_of_a_stop() -> None:
    venue = _entered(BYBIT)
    venue.stop("sell", "1", "94")
    moved = venue.venue.amend_stop(ME, stop_request("buy", "1", "95"), 0)
    assert not isinstance(moved, Refusal)
    assert moved.side is OrderSide.SELL


@SIDES
def test_the_stop_inside_an_entry_is_attached_with_the_fill(side: Side) -> None:
    trigger = {Side.LONG: "94", Side.SHORT: "106"}[side]
    venue = _entered(BYBIT, side, stop=trigger)
    stop = venue.venue.attached_stop(ME, SYMBOL)
    assert stop is not None
    assert (stop.side, stop.trigger_price, stop.quantity) == (side.exit, d(trigger), None)


@pytest.mark.parametrize(
    ("side", "trigger", "code"),
    [(Side.LONG, "100", "10001"), (Side.SHORT, "99", "10001"), (Side.LONG, "94.05", "10001")],
)
def test_an_entry_with_an_invalid_stop_is_refused_as_a_whole(side: Side, trigger: str, code: str) -> None:
    venue = bench(BYBIT)
    answer = venue.order(side.entry.value, "1", stop=attached(trigger))
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.crossed, venue.held) == (code, False, d(0))


def test_the_stop_of_a_limit_entry_is_judged_by_the_limit_price() -> None:
    venue = bench(BYBIT)
    assert isinstance(venue.order("buy", "1", "95", stop=attached("95")), Refusal)
    assert not isinstance(venue.order("buy", "1", "95", stop=attached("94.9")), Refusal)


@pytest.mark.parametrize(("by", "refused"), [("last", True), ("mark", False)])
def test_the_base_price_of_a_stop_is_the_one_that_triggers_it(by: str, refused: bool) -> None:
    venue = bench(BYBIT)
    venue.quote("94", "94", last="94", mark="100")
    assert isinstance(venue.order("buy", "1", stop=attached("95", by=by)), Refusal) is refused


def test_binance_takes_no_stop_inside_an_entry_and_attaches_none() -> None:
    venue = bench(BINANCE)
    answer = venue.order("buy", "1", stop=attached("94"))
    assert isinstance(answer, Refusal)
    assert venue.held == 0
    venue.order("buy", "1")
    assert isinstance(venue.attach("94"), Refusal)


def test_the_attached_stop_follows_the_size_of_the_position() -> None:
    venue = _entered(BYBIT, stop="94")
    venue.order("buy", "1")
    venue.order("sell", "0.5", reduce_only=True)
    venue.walk("90")
    assert (venue.held, venue.of_kind("fill")[-1]["qty"]) == (d(0), "1.500")


def test_the_stop_of_a_resting_entry_covers_it_from_the_first_fill() -> None:
    venue = bench(BYBIT)
    venue.order("buy", "1", "99", stop=attached("94"))
    assert venue.venue.attached_stop(ME, SYMBOL) is None
    venue.quote("99", ask_quantity="0.2")
    assert venue.venue.attached_stop(ME, SYMBOL) is not None
    venue.walk("90")
    # On the way down the rest of the entry fills at 99 first, then the stop closes all of it.
    assert (venue.held, venue.fill_prices) == (d(0), ["99.0", "99.0", "94.0"])


def test_the_attached_stop_dies_with_its_position() -> None:
    venue = _entered(BYBIT, stop="94")
    venue.order("sell", "1", reduce_only=True)
    assert venue.venue.attached_stop(ME, SYMBOL) is None
    assert venue.of_kind("stop")[-1]["status"] == "cancelled"


def test_a_turned_position_does_not_inherit_the_attached_stop() -> None:
    venue = _entered(BYBIT, stop="94")
    venue.order("sell", "3")
    assert (venue.held, venue.venue.attached_stop(ME, SYMBOL)) == (d(-2), None)


def test_the_attached_stop_is_moved_in_place_under_its_label_and_replaced_under_another() -> None:
    venue = _entered(BYBIT, stop="94")
    before = venue.venue.attached_stop(ME, SYMBOL)
    assert before is not None
    assert venue.attach("95").id == before.id
    assert venue.attach("96", "s2").id != before.id
    assert [(stop.client_id, stop.trigger_price) for stop in venue.venue.stops(ME, SYMBOL)] == [("s2", d(96))]


def test_the_label_of_an_attached_stop_takes_no_client_id() -> None:
    venue = _entered(BYBIT, stop="94")
    assert not isinstance(venue.order("buy", "1", client_id="s1"), Refusal)


def test_a_second_entry_with_a_stop_replaces_the_first_stop() -> None:
    venue = _entered(BYBIT, stop="94")
    venue.order("buy", "1", stop=attached("95", "s2"))
    assert [(stop.client_id, stop.trigger_price) for stop in venue.venue.stops(ME, SYMBOL)] == [("s2", d(95))]


def test_a_second_entry_without_a_stop_keeps_the_first_one() -> None:
    venue = _entered(BYBIT, stop="94")
    venue.order("buy", "1")
    assert [stop.trigger_price for stop in venue.venue.stops(ME, SYMBOL)] == [d(94)]


def test_setting_the_attached_stop_to_what_it_is_says_not_modified() -> None:
    answer = _entered(BYBIT, stop="94").attach("94")
    assert isinstance(answer, Refusal)
    assert answer.code == "34040"


@pytest.mark.parametrize(("trigger", "crossed"), [("100", True), ("101", True), ("94.05", False)])
def test_an_attached_stop_on_the_wrong_side_is_refused_as_crossed(trigger: str, crossed: bool) -> None:
    venue = _entered(BYBIT, stop="94")
    answer = venue.attach(trigger)
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.crossed) == ("10001", crossed)
    assert [stop.trigger_price for stop in venue.venue.stops(ME, SYMBOL)] == [d(94)]


def test_a_flat_position_can_not_have_a_stop() -> None:
    answer = bench(BYBIT).attach("94")
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.crossed) == ("10001", False)


@pytest.mark.parametrize("own", [True, False])
def test_a_cancelled_stop_does_not_trigger(own: bool) -> None:
    venue = _entered(BYBIT, stop=None if own else "94")
    if own:
        venue.stop("sell", "1", "94")
    cancelled = venue.venue.cancel_stop(ME, SYMBOL, "s1", 0)
    assert not isinstance(cancelled, Refusal)
    assert cancelled.status is OrderStatus.CANCELLED
    venue.walk("90")
    assert venue.held == 1
    assert isinstance(venue.venue.cancel_stop(ME, SYMBOL, "s1", 0), Refusal)


@STYLES
def test_a_stop_that_finds_too_little_depth_fills_in_part_and_is_gone(style: VenueStyle) -> None:
    venue = _entered(style)
    venue.stop("sell", "1", "94")
    venue.quote("90", bid_quantity="0.4")
    assert (venue.held, venue.venue.stops(ME, SYMBOL)) == (d("0.6"), ())
    assert venue.of_kind("order")[-1]["status"] == style.unfilled_rest.value
