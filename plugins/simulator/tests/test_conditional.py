"""Conditional orders as real venues have them: kinds, stages, time in force, pairs, trailing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework import OrderStatus, Refusal
from framework_simulator.engine.events import OrderChanged
from framework_simulator.engine.orders import StopKind, Trail
from framework_simulator.engine.style import BYBIT

from .emulated import MS, Emulated, emulated, wish
from .kit import ME, SYMBOL, d

LAG = 2000 * MS


def _code(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def _long(venue: Emulated, quantity: str = "1") -> Emulated:
    venue.order("buy", quantity)
    venue.wait(LAG)
    return venue


# ── Binance: an order of its own, with stages ───────────────────────────────────────────────────────────────


def test_a_triggered_stop_passes_through_its_stages_and_makes_an_order_with_another_id() -> None:
    venue = _long(emulated())
    stop = venue.stop("sell", "1", "95")
    venue.quote("94")
    assert (venue.stages(stop.id), venue.held) == (["untriggered", "triggering"], d(1))
    venue.wait(12 * MS)
    assert venue.stages(stop.id) == ["untriggered", "triggering", "triggered", "finished"]
    assert venue.held == 0
    child = venue.venue.order(ME, SYMBOL, stop.client_id)
    assert child is not None
    assert (child.id[0], child.parent is not None, child.status) == ("o", True, OrderStatus.FILLED)


def test_a_stop_that_is_being_triggered_can_not_be_cancelled() -> None:
    venue = _long(emulated())
    stop = venue.stop("sell", "1", "95")
    venue.quote("94")
    assert _code(venue.venue.cancel_stop_by_id(ME, SYMBOL, stop.id, venue.now_ns)) == "-4117"


def test_a_stop_without_a_position_is_rejected_when_it_triggers() -> None:
    venue = emulated()
    stop = venue.stop("sell", "1", "95")
    venue.quote("94")
    venue.wait(12 * MS)
    assert venue.stages(stop.id)[-1] == "rejected"


def test_a_conditional_entry_opens_a_position() -> None:
    venue = emulated()
    stop = venue.stop("buy", "1", "105", reduce_only=False)
    venue.quote("106")
    venue.wait(12 * MS)
    assert (venue.held, venue.stages(stop.id)[-1]) == (d(1), "finished")


def test_a_conditional_entry_without_margin_is_rejected_at_its_trigger() -> None:
    venue = emulated(cash="5")
    stop = venue.stop("buy", "1", "105", reduce_only=False)
    venue.quote("106")
    venue.wait(12 * MS)
    assert (venue.held, venue.stages(stop.id)[-1]) == (d(0), "rejected")


@pytest.mark.parametrize(("side", "trigger", "reached"), [("sell", "105", "105"), ("buy", "95", "95")])
def test_a_take_profit_looks_the_other_way(side: str, trigger: str, reached: str) -> None:
    venue = emulated()
    venue.order("buy" if side == "sell" else "sell", "1")
    stop = venue.stop(side, "1", trigger, kind="take-profit")
    venue.quote({"105": "104.9", "95": "95.1"}[trigger])
    assert venue.stages(stop.id) == ["untriggered"]
    venue.quote(reached)
    venue.wait(12 * MS)
    assert venue.held == 0


def test_a_take_profit_that_is_crossed_already_is_refused() -> None:
    assert _code(_long(emulated()).stop("sell", "1", "99", kind="take-profit")) == "-2021"


def test_a_stop_limit_rests_where_the_market_has_jumped_past_it() -> None:
    venue = _long(emulated())
    stop = venue.stop("sell", "1", "95", limit_price=d("94.5"))
    venue.quote("90")
    venue.wait(12 * MS)
    assert (venue.held, venue.stages(stop.id)[-1]) == (d(1), "triggered")
    venue.quote("94.6")
    assert (venue.held, venue.stages(stop.id)[-1]) == (d(0), "finished")


def test_mark_and_last_price_are_looked_at_apart() -> None:
    venue = _long(emulated())
    venue.stop("sell", "0.5", "95", by="mark", client_id="by-mark")
    venue.stop("sell", "0.5", "95", by="last", client_id="by-last")
    venue.quote("100", last="94", mark="99")
    assert [stop.client_id for stop in venue.venue.stops(ME, SYMBOL)] == ["by-mark"]


def test_price_protection_waits_while_last_and_mark_are_apart() -> None:
    venue = _long(emulated(trigger_protect=d("0.05")))
    venue.stop("sell", "1", "95", price_protect=True)
    venue.quote("90", last="90", mark="100")
    assert venue.resting == ["stop 95"]
    venue.quote("90", last="90", mark="94")
    assert venue.resting == []


def test_a_closing_stop_needs_a_position_that_the_venue_has_seen_for_a_while() -> None:
    venue = emulated()
    assert _code(venue.stop("sell", None, "95")) == "-4509"
    venue.order("buy", "1")
    assert _code(venue.stop("sell", None, "95")) == "-4509"
    venue.wait(LAG)
    assert not isinstance(venue.stop("sell", None, "95"), Refusal)


def test_a_closing_stop_takes_the_size_of_the_position_at_the_trigger() -> None:
    venue = _long(emulated())
    venue.stop("sell", None, "95")
    venue.order("buy", "0.5")
    venue.quote("94")
    venue.wait(12 * MS)
    assert venue.held == 0


def test_one_closing_stop_and_one_closing_take_profit_are_allowed_and_no_second() -> None:
    venue = _long(emulated())
    venue.stop("sell", None, "95")
    assert not isinstance(venue.stop("sell", None, "105", kind="take-profit"), Refusal)
    assert _code(venue.stop("sell", None, "94")) == "-4130"


def test_what_needs_a_position_expires_with_it_and_a_plain_stop_stays_behind() -> None:
    venue = _long(emulated())
    closing = venue.stop("sell", None, "95")
    gte = venue.stop("sell", "1", "94", ends_with_position=True)
    venue.stop("sell", "1", "93")
    venue.order("sell", "1", reduce_only=True)
    assert (venue.stages(closing.id)[-1], venue.stages(gte.id)[-1]) == ("expired", "expired")
    assert venue.resting == ["stop 93"]


def test_there_is_a_limit_on_conditional_orders() -> None:
    venue = emulated()
    answers = [venue.stop("buy", "0.1", "150", reduce_only=False) for _ in range(201)]
    assert not isinstance(answers[199], Refusal)
    assert _code(answers[200]) == "-4045"


def test_a_resting_reduce_only_order_uses_up_the_position() -> None:
    venue = _long(emulated())
    venue.order("sell", "1", "110", reduce_only=True)
    assert _code(venue.order("sell", "1", reduce_only=True)) == "-4118"


def test_a_resting_reduce_only_order_leaves_the_rest_of_the_position_to_a_smaller_one() -> None:
    venue = _long(emulated())
    taken = []
    for price, quantity in (("110", "0.5"), ("120", "0.3"), ("130", "0.4")):
        order = venue.order("sell", quantity, price, reduce_only=True)
        assert not isinstance(order, Refusal)
        taken.append(order.quantity)
    assert taken == [d("0.5"), d("0.3"), d("0.2")]
    assert _code(venue.order("sell", "0.1", "140", reduce_only=True)) == "-4118"


# ── trailing ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_trailing_stop_follows_the_best_price_and_never_goes_back() -> None:
    venue = _long(emulated())
    venue.stop("sell", "1", "0", kind="trailing", trail=Trail(percent=d(5)))
    seen = []
    for price in ("110", "105", "120", "115"):
        venue.quote(price)
        seen.append(str(venue.venue.stops(ME, SYMBOL)[0].trigger_price))
    assert seen == ["104.5", "104.5", "114.0", "114.0"]
    venue.quote("113.9")
    venue.wait(12 * MS)
    assert venue.held == 0


def test_a_trailing_stop_waits_for_its_activation_price() -> None:
    venue = _long(emulated())
    venue.stop("sell", "1", "0", kind="trailing", trail=Trail(percent=d(1), activation_price=d(110)))
    venue.quote("109")
    venue.quote("100")
    assert (venue.held, len(venue.resting)) == (d(1), 1)
    venue.quote("110")
    venue.quote("108")
    venue.wait(12 * MS)
    assert venue.held == 0


@pytest.mark.parametrize(
    ("trail", "code"),
    [
        (Trail(percent=Decimal("0.05")), "-2007"),
        (Trail(percent=Decimal(11)), "-2007"),
        (Trail(percent=Decimal(1), activation_price=Decimal(99)), "-2021"),
    ],
)
def test_a_trailing_stop_that_makes_no_sense_is_refused(trail: Trail, code: str) -> None:
    assert _code(_long(emulated()).stop("sell", "1", "0", kind="trailing", trail=trail)) == code


# ── Bybit: the same order, and stops of the position ────────────────────────────────────────────────────────


def test_on_bybit_a_triggered_stop_goes_on_under_its_id() -> None:
    venue = emulated(BYBIT)
    venue.order("buy", "1")
    stop = venue.stop("sell", "1", "95")
    venue.quote("94")
    orders = [event.order for event in venue.events if isinstance(event, OrderChanged) and event.order.id == stop.id]
    assert [order.status for order in orders] == [OrderStatus.NEW, OrderStatus.FILLED]
    assert venue.stages(stop.id) == ["untriggered", "triggered"]


def test_an_entry_brings_its_stop_and_its_take_profit() -> None:
    venue = emulated(BYBIT)
    venue.order("buy", "1", stop=wish("95"), take_profit=wish("110", "take-profit"))
    assert sorted(venue.resting) == ["stop 95", "take-profit 110"]
    venue.quote("111")
    assert (venue.held, venue.resting) == (d(0), [])
    reasons = [line for line in venue.lines if line["kind"] == "stop"]
    assert reasons[-1]["status"] == "cancelled"


def test_a_take_profit_on_the_wrong_side_refuses_the_entry_as_a_whole() -> None:
    venue = emulated(BYBIT)
    assert _code(venue.order("buy", "1", take_profit=wish("99", "take-profit"))) == "10001"
    assert venue.held == 0


def test_several_stops_are_set_and_taken_away_in_one_call() -> None:
    venue = emulated(BYBIT)
    venue.order("buy", "1", stop=wish("95"))
    assert venue.attach(wish("110", "take-profit"), removed=(StopKind.STOP,)) is None
    assert venue.resting == ["take-profit 110"]


def test_a_call_that_changes_nothing_says_so() -> None:
    venue = emulated(BYBIT)
    venue.order("buy", "1", stop=wish("95"))
    assert _code(venue.attach(wish("95"))) == "34040"
    assert _code(venue.attach(removed=(StopKind.TAKE_PROFIT,))) == "34040"


def test_one_wrong_stop_refuses_the_whole_call() -> None:
    venue = emulated(BYBIT)
    venue.order("buy", "1", stop=wish("95"))
    assert _code(venue.attach(wish("96"), wish("90", "take-profit"))) == "10001"
    assert venue.resting == ["stop 95"]


def test_partial_stops_are_added_and_end_each_other_in_pairs() -> None:
    venue = emulated(BYBIT)
    venue.order("buy", "1")
    venue.attach(wish("95", quantity="0.4"), wish("110", "take-profit", quantity="0.4"))
    venue.attach(wish("90", quantity="0.3"))
    assert len(venue.resting) == 3
    venue.quote("111")
    assert (venue.held, venue.resting) == (d("0.6"), ["stop 90"])


def test_a_partial_stop_in_an_entry_covers_each_fill() -> None:
    venue = emulated(BYBIT)
    venue.quote("100", depth="0.4")
    venue.order("buy", "1", "100", stop=wish("95", quantity="1"))
    venue.quote("100", depth="5")
    assert [stop.quantity for stop in venue.venue.stops(ME, SYMBOL)] == [d("0.4"), d("0.6")]


def test_an_attached_trailing_stop_keeps_its_distance() -> None:
    venue = emulated(BYBIT)
    venue.order("buy", "1")
    venue.attach(wish("0", "trailing", trail=Trail(distance=d(5))))
    venue.quote("120")
    assert venue.resting == ["trailing 115.0"]
    venue.quote("115")
    assert venue.held == 0


def test_a_resting_conditional_order_is_amended_by_its_id() -> None:
    venue = emulated(BYBIT)
    venue.order("buy", "1")
    stop = venue.stop("sell", "1", "95")
    moved = venue.venue.change_stop(ME, SYMBOL, stop.id, venue.now_ns, trigger_price=d("96"))
    assert not isinstance(moved, Refusal)
    assert (moved.id, venue.resting) == (stop.id, ["stop 96"])
    assert _code(venue.venue.change_stop(ME, SYMBOL, stop.id, venue.now_ns, trigger_price=d("101"))) == "110093"


def test_ten_conditional_orders_rest_in_a_market_and_no_more() -> None:
    venue = emulated(BYBIT)
    answers = [venue.stop("buy", "0.1", "150", reduce_only=False) for _ in range(11)]
    assert not isinstance(answers[9], Refusal)
    assert isinstance(answers[10], Refusal)
