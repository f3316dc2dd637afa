"""What happens to an account without its doing, what it may choose, and orders beyond the plain ones."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve

from framework import OrderStatus, Refusal
from framework_simulator.engine.events import Filled, FundingPaid, OrderChanged
from framework_simulator.engine.ledger import replay
from framework_simulator.engine.realism import Rejection
from framework_simulator.engine.style import BINANCE, BYBIT

from .emulated import Emulated, emulated
from .kit import MARKET, ME, SYMBOL, d


def _code(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def _made_by(venue: Emulated) -> list[tuple[str, str]]:
    return [
        (line["client_id"].rstrip("0123456789"), line["created_by"]) for line in venue.lines if line["kind"] == "order"
    ]


# ── funding, transfers ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("side", "amount"), [("buy", "-0.1"), ("sell", "0.1")])
def test_longs_pay_a_positive_funding_rate_and_shorts_get_it(side: str, amount: str) -> None:
    venue = emulated()
    venue.order(side, "1")
    before = venue.venue.account(ME).cash
    venue.venue.settle_funding(SYMBOL, d("0.001"), venue.now_ns)
    (event,) = venue.venue.take_events()
    assert isinstance(event, FundingPaid)
    assert (event.amount, venue.venue.account(ME).cash - before) == (d(amount), d(amount))


def test_who_is_flat_pays_no_funding() -> None:
    venue = emulated()
    venue.venue.settle_funding(SYMBOL, d("0.001"), venue.now_ns)
    assert venue.venue.take_events() == ()


def test_payments_are_in_the_ledger_and_replay() -> None:
    venue = emulated()
    venue.order("buy", "1")
    venue.venue.settle_funding(SYMBOL, d("0.001"), venue.now_ns)
    venue.venue.transfer(ME, d("-50"), venue.now_ns)
    cash = replay(venue.lines)["binance", ME].cash
    assert 1000 + cash == venue.venue.account(ME).cash


# ── liquidation, ADL, others ────────────────────────────────────────────────────────────────────────────────


def test_an_account_at_its_maintenance_margin_is_liquidated() -> None:
    venue = emulated(cash="100")
    venue.order("buy", "9")
    venue.order("buy", "0.1", "50.5")
    venue.quote("88")
    assert venue.held == 0
    assert _made_by(venue)[-1] == ("autoclose-", "venue")
    fill = next(event for event in reversed(venue.events) if isinstance(event, Filled))
    assert fill.fill.cause == "liquidation"
    assert venue.venue.open_orders(ME) == ()


def test_the_price_that_liquidates_is_told_before() -> None:
    venue = emulated(cash="100")
    venue.order("buy", "9")
    price = venue.venue.liquidation_price(ME, SYMBOL)
    assert price is not None
    above = str((price + Decimal("0.2")).quantize(Decimal("0.1")))
    venue.quote(above)
    assert venue.held == 9
    venue.quote(str((price - Decimal("0.1")).quantize(Decimal("0.1"))))
    assert venue.held == 0


def test_auto_deleveraging_takes_a_part_at_the_mark_price() -> None:
    venue = emulated()
    venue.order("buy", "1")
    venue.quote("100", mark="103")
    order = venue.venue.deleverage(ME, SYMBOL, d("0.4"), venue.now_ns)
    assert order is not None
    assert (venue.held, order.average_price, order.client_id[:13]) == (d("0.6"), d(103), "adl_autoclose")


def test_somebody_else_changes_the_position_by_an_order_of_a_client() -> None:
    venue = emulated()
    venue.order("buy", "1")
    venue.venue.change_position(ME, SYMBOL, d("-0.5"), venue.now_ns)
    assert (venue.held, _made_by(venue)[-1]) == (d("-0.5"), ("web_", "client"))


def test_the_venue_can_end_orders_and_stops_by_itself() -> None:
    venue = emulated()
    order, stop = venue.order("buy", "1", "90"), venue.stop("buy", "1", "120", reduce_only=False)
    venue.venue.end_order(ME, SYMBOL, order.id, OrderStatus.EXPIRED, "delisted", venue.now_ns)
    venue.venue.end_stop(ME, SYMBOL, stop.id, OrderStatus.CANCELLED, "", venue.now_ns)
    assert (venue.venue.open_orders(ME), venue.resting) == ((), [])


def test_an_order_can_be_rejected_after_it_was_taken_in() -> None:
    venue = emulated(BYBIT)
    venue.venue.realism.order_rejection = lambda account, symbol: Rejection("EC_Others")
    assert venue.order("buy", "1").status is OrderStatus.REJECTED
    assert [event.order.status.value for event in venue.events if isinstance(event, OrderChanged)] == [
        "new",
        "rejected",
    ]


def test_the_order_of_a_stop_can_come_out_short() -> None:
    venue = emulated(BYBIT)
    venue.order("buy", "1")
    venue.stop("sell", "1", "95")
    venue.venue.realism.child_fill = lambda account, symbol: d("0.25")
    venue.quote("94")
    assert venue.held == d("0.75")


# ── what an account may choose ──────────────────────────────────────────────────────────────────────────────


def test_leverage_is_chosen_by_market_and_binds_margin() -> None:
    venue = emulated()
    assert venue.venue.set_leverage(ME, SYMBOL, d(20), venue.now_ns) is None
    venue.order("buy", "1")
    assert venue.venue.wallet(ME).position_margin == 5


@pytest.mark.parametrize(
    ("style", "leverage", "code"), [(BINANCE, "21", "-4028"), (BYBIT, "21", "110013"), (BYBIT, "10", "110043")]
)
def test_a_leverage_that_can_not_be_is_refused(style: object, leverage: str, code: str) -> None:
    venue = emulated(style)  # type: ignore[arg-type]
    assert _code(venue.venue.set_leverage(ME, SYMBOL, d(leverage), venue.now_ns)) == code


def test_binance_accepts_the_leverage_in_force_silently() -> None:
    venue = emulated()
    assert venue.venue.set_leverage(ME, SYMBOL, d(10), venue.now_ns) is None


def test_the_margin_type_changes_only_while_nothing_is_open() -> None:
    venue = emulated()
    assert _code(venue.venue.set_isolated(ME, SYMBOL, False, venue.now_ns)) == "-4046"
    order = venue.order("buy", "1", "90")
    assert _code(venue.venue.set_isolated(ME, SYMBOL, True, venue.now_ns)) == "-4047"
    venue.venue.cancel_order_by_id(ME, SYMBOL, order.id, venue.now_ns)
    venue.order("buy", "1")
    assert _code(venue.venue.set_isolated(ME, SYMBOL, True, venue.now_ns)) == "-4048"
    venue.order("sell", "1", reduce_only=True)
    assert venue.venue.set_isolated(ME, SYMBOL, True, venue.now_ns) is None
    assert SYMBOL in venue.venue.account(ME).isolated


def test_the_position_mode_changes_only_while_nothing_is_open_and_hedge_mode_takes_no_orders() -> None:
    venue = emulated()
    assert _code(venue.venue.set_hedge_mode(ME, False, venue.now_ns)) == "-4059"
    venue.order("buy", "1")
    assert _code(venue.venue.set_hedge_mode(ME, True, venue.now_ns)) == "-4068"
    venue.order("sell", "1", reduce_only=True)
    assert venue.venue.set_hedge_mode(ME, True, venue.now_ns) is None
    assert _code(venue.order("buy", "1")) == "-4061"
    assert _code(venue.stop("sell", "1", "95")) == "-4061"


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_limit_order_is_amended_in_place_and_meets_the_book_at_once() -> None:
    venue = emulated()
    order = venue.order("buy", "1", "90")
    amended = venue.venue.amend_order(ME, SYMBOL, order.id, venue.now_ns, price=d("101"), quantity=d("2"))
    assert not isinstance(amended, Refusal)
    assert (amended.id, amended.status, venue.held) == (order.id, OrderStatus.FILLED, d(2))


def test_an_amendment_that_can_not_be_is_refused() -> None:
    venue = emulated()
    order = venue.order("buy", "1", "90")
    change = venue.venue.amend_order
    assert _code(change(ME, SYMBOL, order.id, venue.now_ns)) == "-5027"
    assert _code(change(ME, SYMBOL, order.id, venue.now_ns, price=d("90.05"))) == "-4014"
    assert _code(change(ME, SYMBOL, "o99", venue.now_ns, price=d("91"))) == "-2011"


def test_fill_or_kill_is_refused_by_binance_and_cancelled_by_bybit() -> None:
    binance, bybit = emulated(), emulated(BYBIT)
    for venue in (binance, bybit):
        venue.quote("100", depth="0.5")
    assert _code(binance.order("buy", "1", "100", tif="ioc", all_or_nothing=True)) == "-5021"
    killed = bybit.order("buy", "1", "100", tif="ioc", all_or_nothing=True)
    assert (killed.status, killed.filled) == (OrderStatus.CANCELLED, 0)
    assert binance.order("buy", "0.5", "100", tif="ioc", all_or_nothing=True).status is OrderStatus.FILLED


def test_a_market_order_takes_nothing_too_far_from_the_mark_price() -> None:
    venue = emulated(take_bound=d("0.05"))
    venue.quote("100", "110", mark="100")
    assert venue.order("buy", "1").status is OrderStatus.EXPIRED
    assert venue.held == 0


def test_everything_open_is_cancelled_in_its_two_kinds() -> None:
    venue = emulated()
    venue.order("buy", "0.1", "90")
    venue.stop("buy", "1", "120", reduce_only=False)
    assert len(venue.venue.cancel_orders(ME, SYMBOL, venue.now_ns)) == 1
    assert (venue.venue.open_orders(ME), venue.resting) == ((), ["stop 120"])
    assert len(venue.venue.cancel_stops(ME, None, venue.now_ns)) == 1
    assert venue.resting == []


def test_new_rules_hold_for_what_comes_after() -> None:
    venue = emulated()
    venue.venue.change_market(evolve(MARKET, rules=evolve(MARKET.rules, step_size=d("0.01"))))
    assert _code(venue.order("buy", "0.125")) == "-4023"


def test_an_order_is_told_before_its_fill() -> None:
    venue = emulated()
    venue.order("buy", "1")
    names = [type(event).__name__ for event in venue.events]
    assert names == ["OrderChanged", "Filled", "OrderChanged", "PositionChanged"]
