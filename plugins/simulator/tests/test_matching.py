"""How orders fill against the recorded market."""

from __future__ import annotations

import pytest

from framework import OrderSide, OrderStatus, OrderType, Refusal
from framework_simulator.engine.orders import OrderRequest
from framework_simulator.engine.style import BINANCE, BYBIT, VenueStyle

from .kit import ME, SYMBOL, bench, d, new_account


def test_a_market_buy_takes_the_ask_and_a_market_sale_the_bid() -> None:
    venue = bench()
    venue.quote("99.9", "100.1")
    assert venue.order("buy", "1").average_price == d("100.1")
    assert venue.order("sell", "1").average_price == d("99.9")
    assert venue.fill_prices == ["100.1", "99.9"]


def test_the_fee_is_a_share_of_the_notional() -> None:
    venue = bench()
    venue.order("buy", "2")
    venue.order("buy", "1", "99")
    venue.quote("98.9")
    taker, maker = venue.venue.fills(ME, SYMBOL, 0)
    assert (taker.fee_usd, maker.fee_usd) == (d("0.1"), d("0.0198"))


@pytest.mark.parametrize(("side", "price"), [("buy", "100.4"), ("sell", "99.6")])
def test_slippage_works_against_the_taker_and_is_rounded_against_it(side: str, price: str) -> None:
    venue = bench(slippage="0.35")
    assert venue.order(side, "1").average_price == d(price)


def test_slippage_never_reaches_a_price_of_zero() -> None:
    venue = bench(slippage="99.9")
    venue.quote("0.2")
    assert venue.order("sell", "50").average_price == d("0.1")


def test_slippage_spares_limit_orders() -> None:
    venue = bench(slippage="0.35")
    assert venue.order("buy", "1", "101").average_price == d("100")


@pytest.mark.parametrize(("style", "end"), [(BINANCE, OrderStatus.EXPIRED), (BYBIT, OrderStatus.CANCELLED)])
def test_a_market_order_fills_what_the_depth_has_and_the_rest_ends(style: VenueStyle, end: OrderStatus) -> None:
    venue = bench(style)
    venue.quote("100", ask_quantity="0.4")
    order = venue.order("buy", "1")
    assert (order.status, order.filled, order.reason) == (end, d("0.4"), "no depth left at the best price")
    assert venue.held == d("0.4")


def test_depth_is_used_up_until_the_next_quote() -> None:
    venue = bench()
    venue.quote("100", ask_quantity="1", bid_quantity="1")
    venue.order("buy", "0.6")
    assert venue.order("buy", "0.6").filled == d("0.4")
    assert venue.order("buy", "0.6").filled == d("0")
    assert venue.order("sell", "0.6").filled == d("0.6")
    venue.quote("100", ask_quantity="1")
    assert venue.order("buy", "0.6").filled == d("0.6")


def test_depth_off_the_step_is_rounded_down() -> None:
    venue = bench()
    venue.quote("100", ask_quantity="0.40079")
    assert venue.order("buy", "1").filled == d("0.4")


def test_a_limit_order_rests_until_the_market_crosses_it_and_fills_at_its_price_as_a_maker() -> None:
    venue = bench()
    assert venue.order("buy", "1", "99").status is OrderStatus.NEW
    venue.quote("98.9", "99.1")
    assert venue.held == d(0)
    venue.quote("98.8", "98.9")
    assert venue.fill_prices == ["99.0"]
    assert venue.held == d(1)


def test_a_limit_order_that_crosses_takes_the_better_price() -> None:
    venue = bench()
    assert venue.order("sell", "1", "98").average_price == d("100")


def test_a_resting_order_fills_in_parts_as_depth_comes() -> None:
    venue = bench()
    venue.order("buy", "1", "99", client_id="rest")
    venue.quote("98", ask_quantity="0.3")
    part = venue.venue.order(ME, SYMBOL, "rest")
    assert part is not None
    assert (part.status, part.filled) == (OrderStatus.PARTIALLY_FILLED, d("0.3"))
    venue.quote("98", ask_quantity="5")
    whole = venue.venue.order(ME, SYMBOL, "rest")
    assert whole is not None
    assert (whole.status, whole.filled) == (OrderStatus.FILLED, d("1"))


def test_a_limit_order_that_takes_only_a_part_rests_with_what_is_left() -> None:
    venue = bench()
    venue.quote("100", ask_quantity="0.3")
    order = venue.order("buy", "1", "100")
    assert (order.status, order.filled) == (OrderStatus.PARTIALLY_FILLED, d("0.3"))
    assert venue.order("buy", "1", "100", tif="ioc").status is OrderStatus.EXPIRED


@pytest.mark.parametrize(("style", "end"), [(BINANCE, OrderStatus.EXPIRED), (BYBIT, OrderStatus.CANCELLED)])
def test_an_ioc_order_never_rests(style: VenueStyle, end: OrderStatus) -> None:
    venue = bench(style)
    order = venue.order("buy", "1", "99", tif="ioc")
    assert (order.status, order.filled) == (end, d(0))
    venue.quote("98")
    assert venue.held == d(0)


def test_a_post_only_order_that_would_take_is_refused_by_binance_and_cancelled_by_bybit() -> None:
    refused = bench(BINANCE).order("buy", "1", "100", tif="post-only")
    assert isinstance(refused, Refusal)
    assert refused.code == "-5022"
    cancelled = bench(BYBIT).order("buy", "1", "100", tif="post-only")
    assert (cancelled.status, cancelled.filled) == (OrderStatus.CANCELLED, d(0))


def test_a_post_only_order_that_would_not_take_rests() -> None:
    assert bench().order("buy", "1", "99.9", tif="post-only").status is OrderStatus.NEW


def test_a_reduce_only_order_is_cut_to_the_position() -> None:
    venue = bench()
    venue.order("buy", "0.5")
    order = venue.order("sell", "2", reduce_only=True)
    assert (order.status, order.filled) == (OrderStatus.FILLED, d("0.5"))
    assert venue.held == d(0)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_reduce_only_order_is_refused_when_flat_and_in_the_direction_of_the_position(side: str) -> None:
    venue = bench()
    assert isinstance(venue.order(side, "1", reduce_only=True), Refusal)
    venue.order(side, "1")
    assert isinstance(venue.order(side, "1", reduce_only=True), Refusal)


def test_a_resting_reduce_only_order_goes_with_its_position() -> None:
    venue = bench()
    venue.order("buy", "1")
    venue.order("sell", "1", "110", reduce_only=True, client_id="target")
    venue.order("sell", "1", reduce_only=True)
    target = venue.venue.order(ME, SYMBOL, "target")
    assert target is not None
    assert (target.status, target.reason) == (OrderStatus.CANCELLED, "position closed")


def test_a_resting_reduce_only_order_fills_no_more_than_is_left_of_the_position() -> None:
    venue = bench()
    venue.order("buy", "1")
    venue.order("sell", "1", "110", reduce_only=True, client_id="target")
    venue.order("sell", "0.7", reduce_only=True)
    venue.walk("111")
    target = venue.venue.order(ME, SYMBOL, "target")
    assert target is not None
    assert (target.status, target.filled, venue.held) == (OrderStatus.CANCELLED, d("0.3"), d(0))


def test_an_order_that_turns_the_position_round_fills_in_two_parts_that_meet_at_zero() -> None:
    venue = bench()
    venue.order("buy", "1")
    venue.order("sell", "3")
    assert [line["qty"] for line in venue.of_kind("fill")] == ["1.000", "1.000", "2.000"]
    assert [line["qty"] for line in venue.of_kind("position")] == ["1.000", "0", "-2.000"]


def test_an_entry_needs_its_margin_and_its_fee() -> None:
    # 10x: 100 USD of cash carry 1000 USD less the fee of 0.05 %, that is 995.02 USD.
    venue = bench(cash="100")
    refused = venue.order("buy", "9.951")
    assert isinstance(refused, Refusal)
    assert refused.code == "-2019"
    assert venue.order("buy", "9.95").status is OrderStatus.FILLED
    assert isinstance(venue.order("buy", "1"), Refusal)


def test_bybit_names_a_short_margin_in_its_own_code() -> None:
    refused = bench(BYBIT, cash="1").order("buy", "1")
    assert isinstance(refused, Refusal)
    assert refused.code == "110007"


def test_a_market_allows_no_more_leverage_than_its_own_maximum() -> None:
    # The account chose 50x, the market allows 20x: 2000 USD need 100 USD.
    venue = bench(cash="100", leverage="50")
    assert isinstance(venue.order("buy", "20"), Refusal)
    assert venue.order("buy", "19").status is OrderStatus.FILLED
    assert venue.venue.available(ME) == d("100") - d("0.95") - d("95")


def test_resting_orders_and_losses_bind_margin_and_reduce_only_orders_need_none() -> None:
    venue = bench(cash="100")
    venue.order("buy", "5")
    venue.order("buy", "4", "99")
    assert venue.venue.available(ME) == d("100") - d("0.25") - d("50") - d("39.6")
    venue.quote("90")
    assert venue.held == d(9)
    assert isinstance(venue.order("buy", "1"), Refusal)
    assert venue.order("sell", "9", reduce_only=True).status is OrderStatus.FILLED


def test_a_resting_reduce_only_order_binds_no_margin() -> None:
    venue = bench(cash="100")
    venue.order("buy", "5")
    before = venue.venue.available(ME)
    venue.order("sell", "5", "110", reduce_only=True)
    assert venue.venue.available(ME) == before


def test_a_market_order_that_reduces_needs_no_margin_even_without_the_flag() -> None:
    venue = bench(cash="100")
    venue.order("buy", "9.9")
    assert venue.order("sell", "9.9").status is OrderStatus.FILLED


def test_a_cancelled_order_does_not_fill_and_is_unknown_to_a_second_cancel() -> None:
    venue = bench()
    venue.order("buy", "1", "99", client_id="rest")
    cancelled = venue.venue.cancel_order(ME, SYMBOL, "rest", 0)
    assert not isinstance(cancelled, Refusal)
    assert cancelled.status is OrderStatus.CANCELLED
    venue.quote("98")
    assert venue.held == d(0)
    again = venue.venue.cancel_order(ME, SYMBOL, "rest", 0)
    assert isinstance(again, Refusal)
    assert again.code == "-2011"


def test_an_order_is_known_in_its_own_market_only() -> None:
    venue = bench()
    venue.order("buy", "1", client_id="mine")
    assert venue.venue.order(ME, SYMBOL, "mine") is not None
    assert venue.venue.order(ME, "ETHUSDT", "mine") is None


def test_accounts_share_the_market_and_its_depth_but_nothing_else() -> None:
    venue = bench()
    venue.venue.open_account(new_account("other"))
    venue.quote("100", ask_quantity="1")
    venue.order("buy", "0.8", client_id="same")
    assert venue.venue.positions("other") == ()
    request = OrderRequest("same", SYMBOL, OrderSide.BUY, OrderType.MARKET, d("0.8"))
    order = venue.venue.place_order("other", request, 0)
    assert not isinstance(order, Refusal)
    assert (order.filled, venue.venue.position("other", SYMBOL).quantity) == (d("0.2"), d("0.2"))


@pytest.mark.parametrize(
    ("bid", "ask"), [("100.1", "100"), ("0", "100"), ("-1", "100"), ("NaN", "100"), ("1", "Infinity")]
)
def test_a_quote_that_no_market_can_have_is_refused(bid: str, ask: str) -> None:
    venue = bench()
    with pytest.raises(ValueError, match=r"bid|positive"):
        venue.quote(bid, ask, last="100")
    assert venue.order("buy", "1").average_price == d("100")


def test_time_never_runs_backwards_on_the_venue() -> None:
    venue = bench()
    venue.venue.walk(SYMBOL, d("101"), 50)
    venue.order("buy", "1")
    assert venue.venue.fills(ME, SYMBOL, 50)[0].time_ns == 50
