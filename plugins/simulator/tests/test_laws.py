"""Laws of the engine that hold after every event, whatever happens in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from framework import OrderSide, Refusal
from framework_simulator.engine.ledger import replay
from framework_simulator.engine.style import BINANCE, BYBIT, VenueStyle

from .kit import ME, SYMBOL, Bench, bench, stop_request
from .laws import no_order_fills_twice, no_reduce_only_order_increases, signed

PRICES = st.integers(500, 1500).map(lambda ticks: f"{Decimal(ticks) / 10}")
QUANTITIES = st.integers(1, 4000).map(lambda steps: f"{Decimal(steps) / 1000}")
SIDES = st.sampled_from(["buy", "sell"])
IDS = st.sampled_from(["a", "b", "c"])
SOURCES = st.sampled_from(["last", "mark"])
DEPTHS = st.none() | st.integers(0, 3000).map(lambda steps: f"{Decimal(steps) / 1000}")

ACTIONS = st.one_of(
    st.tuples(st.just("market"), SIDES, QUANTITIES, st.booleans()),
    st.tuples(st.just("limit"), SIDES, QUANTITIES, PRICES, st.sampled_from(["gtc", "ioc", "post-only"]), st.booleans()),
    st.tuples(st.just("cancel"), IDS),
    st.tuples(st.just("stop"), SIDES, QUANTITIES, PRICES, IDS, SOURCES),
    st.tuples(st.just("amend"), SIDES, QUANTITIES, PRICES, IDS),
    st.tuples(st.just("attach"), PRICES, IDS, SOURCES),
    st.tuples(st.just("cancel-stop"), IDS),
    st.tuples(st.just("quote"), PRICES, st.integers(0, 20), PRICES, DEPTHS, DEPTHS),
    st.tuples(st.just("walk"), PRICES),
)
RUNS = st.tuples(
    st.sampled_from([BINANCE, BYBIT]), st.sampled_from(["0", "0.13"]), st.lists(ACTIONS, min_size=1, max_size=25)
)


def _act(venue: Bench, action: tuple[Any, ...]) -> None:
    match action:
        case ("market", side, quantity, reduce_only):
            venue.order(side, quantity, reduce_only=reduce_only)
        case ("limit", side, quantity, price, tif, reduce_only):
            venue.order(side, quantity, price, tif=tif, reduce_only=reduce_only)
        case ("cancel", client_id):
            venue.venue.cancel_order(ME, SYMBOL, client_id, 0)
        case ("stop", side, quantity, price, client_id, by):
            venue.stop(side, quantity, price, client_id, by)
        case ("amend", side, quantity, price, client_id):
            venue.venue.amend_stop(ME, stop_request(side, quantity, price, client_id), 0)
        case ("attach", price, client_id, by):
            venue.attach(price, client_id, by)
        case ("cancel-stop", client_id):
            venue.venue.cancel_stop(ME, SYMBOL, client_id, 0)
        case ("quote", bid, spread, mark, bid_quantity, ask_quantity):
            ask = str(Decimal(bid) + Decimal(spread) / 10)
            depth = {"bid_quantity": bid_quantity, "ask_quantity": ask_quantity}
            venue.quote(bid, ask, mark=mark, **{k: v for k, v in depth.items() if v is not None})
        case ("walk", price):
            venue.walk(price)
        case _:
            raise AssertionError(action)


def _run(run: tuple[VenueStyle, str, Sequence[tuple[Any, ...]]]) -> Bench:
    style, slippage, actions = run
    venue = bench(style, slippage=slippage, cash="1000")
    for action in actions:
        _act(venue, action)
    return venue


LAW = settings(deadline=None, max_examples=60)


@LAW
@given(RUNS)
def test_the_fills_sum_to_the_position_after_every_fill(run: Any) -> None:
    venue, total = _run(run), Decimal(0)
    told = [line for line in venue.lines if line["kind"] in ("fill", "position")]
    for line in told:
        if line["kind"] == "fill":
            total += signed(line)
        else:
            assert Decimal(line["qty"]) == total
    assert venue.held == total


@LAW
@given(RUNS)
def test_cash_and_pnl_balance_to_the_last_digit(run: Any) -> None:
    venue = _run(run)
    paid = sum((Fraction(signed(line)) * Fraction(line["price"]) for line in venue.of_kind("fill")), Fraction(0))
    fees = sum((Fraction(line["fee"]) for line in venue.of_kind("fill")), Fraction(0))
    realized = sum((Fraction(line["realized_pnl"]) for line in venue.of_kind("fill")), Fraction(0))
    held = venue.venue.position(ME, SYMBOL)
    book = venue.venue.book(SYMBOL)
    assert book is not None
    marked = Fraction(held.quantity) * Fraction(book.quote.mark)
    cash = Fraction(venue.venue.equity(ME)) - Fraction(held.unrealized_pnl(book.quote.mark))
    assert cash == 1000 + realized - fees
    assert Fraction(venue.venue.equity(ME)) == 1000 - paid - fees + marked


@LAW
@given(RUNS)
def test_no_order_fills_more_than_once_or_more_than_it_asked_for(run: Any) -> None:
    venue = _run(run)
    no_order_fills_twice(venue.lines)


@LAW
@given(RUNS)
def test_no_reduce_only_order_increases_a_position_and_no_fill_passes_through_zero(run: Any) -> None:
    venue = _run(run)
    no_reduce_only_order_increases(venue.lines)


@LAW
@given(RUNS)
def test_the_ledger_replays_to_the_same_state(run: Any) -> None:
    venue = _run(run)
    replayed = replay(venue.lines)
    positions = {p.symbol: p for p in venue.venue.positions(ME)}
    account = replayed.get((run[0].name, ME))
    assert (account.positions if account else {}) == positions
    book = venue.venue.book(SYMBOL)
    assert book is not None
    cash = account.cash if account else Decimal(0)
    assert venue.venue.equity(ME) == 1000 + cash + sum(p.unrealized_pnl(book.quote.mark) for p in positions.values())


@LAW
@given(RUNS)
def test_the_ledger_has_no_gaps_and_the_last_line_of_each_stop_says_whether_it_rests(run: Any) -> None:
    venue = _run(run)
    assert [line["seq"] for line in venue.lines] == list(range(1, len(venue.lines) + 1))
    last = {line["id"]: line for line in venue.of_kind("stop")}
    resting = {stop.id: str(stop.trigger_price) for stop in venue.venue.stops(ME, SYMBOL)}
    assert resting == {k: line["trigger_price"] for k, line in last.items() if line["status"] == "untriggered"}


@LAW
@given(RUNS)
def test_after_every_move_no_stop_rests_that_the_price_has_reached(run: Any) -> None:
    venue = _run(run)
    book = venue.venue.book(SYMBOL)
    assert book is not None
    for stop in venue.venue.stops(ME, SYMBOL):
        assert not stop.reached_at(book.trigger_price(stop.trigger_by))


@LAW
@given(RUNS)
def test_the_same_requests_lead_to_the_same_ledger(run: Any) -> None:
    assert _run(run).lines == _run(run).lines


@LAW
@given(PRICES, PRICES, st.lists(st.tuples(SIDES, PRICES), min_size=1, max_size=6))
def test_a_walk_in_small_steps_ends_like_a_walk_in_one(start: str, end: str, stops: list[tuple[str, str]]) -> None:
    outcomes = []
    for halts in (1, 7):
        venue = bench(at=start)
        venue.order("buy", "1")
        for number, (side, trigger) in enumerate(stops):
            if isinstance(venue.stop(side, "0.2", trigger, f"s{number}"), Refusal):
                continue
        distance = Decimal(end) - Decimal(start)
        ways = [Decimal(start) + distance * step / halts for step in range(1, halts + 1)]
        for way in ways:
            venue.walk(str(way))
        outcomes.append((venue.fill_prices, venue.held, [s.client_id for s in venue.venue.stops(ME, SYMBOL)]))
    assert all(one == other for one, other in pairwise(outcomes))


def test_the_sides_of_this_file_are_those_of_the_contract() -> None:
    assert {side.value for side in OrderSide} == {"buy", "sell"}
