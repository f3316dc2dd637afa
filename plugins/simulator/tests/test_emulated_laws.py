"""Laws of the engine as the emulator runs it: every kind of conditional order, funding, liquidation, others' hands."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from framework_simulator.engine.ledger import replay
from framework_simulator.engine.orders import StopKind, Trail
from framework_simulator.engine.style import BINANCE, BYBIT

from .emulated import MS, Emulated, emulated, wish
from .kit import ME, SYMBOL, d
from .laws import no_order_fills_twice, no_reduce_only_order_increases, signed

PRICES = st.integers(600, 1400).map(lambda ticks: f"{Decimal(ticks) / 10}")
QUANTITIES = st.integers(1, 4000).map(lambda steps: f"{Decimal(steps) / 1000}")
SIDES = st.sampled_from(["buy", "sell"])
KINDS = st.sampled_from(["stop", "take-profit"])

ACTIONS = st.one_of(
    st.tuples(st.just("market"), SIDES, QUANTITIES, st.booleans()),
    st.tuples(st.just("limit"), SIDES, QUANTITIES, PRICES, st.booleans(), st.booleans()),
    st.tuples(st.just("stop"), SIDES, st.none() | QUANTITIES, PRICES, KINDS, st.booleans(), st.none() | PRICES),
    st.tuples(st.just("trail"), SIDES, QUANTITIES, st.integers(1, 9)),
    st.tuples(st.just("attach"), PRICES, KINDS, st.none() | QUANTITIES),
    st.tuples(st.just("amend"), PRICES, QUANTITIES),
    st.tuples(st.just("cancel-all")),
    st.tuples(st.just("quote"), PRICES, st.integers(0, 20), PRICES, st.none() | st.just("0.7")),
    st.tuples(st.just("wait"), st.sampled_from([5, 12, 2500])),
    st.tuples(st.just("funding"), st.sampled_from(["0.001", "-0.003"])),
    st.tuples(st.just("position"), st.sampled_from(["0", "1.5", "-0.5"])),
    st.tuples(st.just("adl"), QUANTITIES),
    st.tuples(st.just("liquidate")),
)
RUNS = st.tuples(st.sampled_from([BINANCE, BYBIT]), st.lists(ACTIONS, min_size=1, max_size=25))
LAW = settings(deadline=None, max_examples=80)


def _act(on: Emulated, action: tuple[Any, ...]) -> None:
    venue = on.venue
    match action:
        case ("market", side, quantity, reduce_only):
            on.order(side, quantity, reduce_only=reduce_only)
        case ("limit", side, quantity, price, reduce_only, fok):
            on.order(side, quantity, price, tif="ioc" if fok else "gtc", reduce_only=reduce_only, all_or_nothing=fok)
        case ("stop", side, quantity, price, kind, reduce_only, limit):
            at = None if limit is None or quantity is None else d(limit)
            on.stop(side, quantity, price, kind=kind, reduce_only=reduce_only, limit_price=at)
        case ("trail", side, quantity, percent):
            on.stop(side, quantity, "0", kind="trailing", trail=Trail(percent=Decimal(percent)))
        case ("attach", price, kind, quantity):
            on.attach(wish(price, kind, quantity=quantity))
        case ("amend", price, quantity):
            for order in venue.open_orders(ME)[:1]:
                venue.amend_order(ME, SYMBOL, order.id, on.now_ns, price=d(price), quantity=d(quantity))
        case ("cancel-all",):
            venue.cancel_orders(ME, SYMBOL, on.now_ns)
            venue.cancel_stops(ME, SYMBOL, on.now_ns, lambda stop: stop.kind is not StopKind.TAKE_PROFIT)
        case ("quote", bid, spread, mark, depth):
            on.quote(bid, str(Decimal(bid) + Decimal(spread) / 10), mark=mark, depth=depth)
        case ("wait", delta_ms):
            on.wait(delta_ms * MS)
        case ("funding", rate):
            venue.settle_funding(SYMBOL, d(rate), on.now_ns)
        case ("position", target):
            venue.change_position(ME, SYMBOL, d(target), on.now_ns)
        case ("adl", quantity):
            venue.deleverage(ME, SYMBOL, d(quantity), on.now_ns)
        case ("liquidate",):
            venue.liquidate(ME, SYMBOL, on.now_ns)
        case _:
            raise AssertionError(action)


def _run(run: Any) -> Emulated:
    style, actions = run
    venue = emulated(style)
    for action in actions:
        _act(venue, action)
        book = venue.venue.book(SYMBOL)
        assert book is not None
        assert book.quote.bid <= book.quote.ask
    return venue


def _of(venue: Emulated, kind: str) -> list[dict[str, Any]]:
    return [line for line in venue.lines if line["kind"] == kind]


@LAW
@given(RUNS)
def test_fills_sum_to_the_position(run: Any) -> None:
    venue = _run(run)
    assert sum((signed(line) for line in _of(venue, "fill")), Decimal(0)) == venue.held


@LAW
@given(RUNS)
def test_cash_balances_to_the_last_digit_with_fees_and_funding(run: Any) -> None:
    venue = _run(run)
    fees = sum((Fraction(line["fee"]) for line in _of(venue, "fill")), Fraction(0))
    realized = sum((Fraction(line["realized_pnl"]) for line in _of(venue, "fill")), Fraction(0))
    received = sum((Fraction(line["amount"]) for line in _of(venue, "cash")), Fraction(0))
    assert Fraction(venue.venue.account(ME).cash) == 1000 + realized - fees + received


@LAW
@given(RUNS)
def test_no_order_fills_twice_or_more_than_it_asked_for(run: Any) -> None:
    venue = _run(run)
    no_order_fills_twice(venue.lines)


@LAW
@given(RUNS)
def test_no_reduce_only_order_increases_a_position(run: Any) -> None:
    venue = _run(run)
    no_reduce_only_order_increases(venue.lines)


@LAW
@given(RUNS)
def test_the_ledger_replays_to_the_same_state(run: Any) -> None:
    venue = _run(run)
    account = replay(venue.lines).get((run[0].name, ME))
    assert (account.positions if account else {}) == {p.symbol: p for p in venue.venue.positions(ME)}
    assert 1000 + (account.cash if account else Decimal(0)) == venue.venue.account(ME).cash


@LAW
@given(RUNS)
def test_the_last_line_of_each_stop_and_order_says_whether_it_rests(run: Any) -> None:
    venue = _run(run)
    stops = {line["id"]: line["status"] for line in _of(venue, "stop")}
    resting = {stop.id for stop in venue.venue.stops(ME, SYMBOL)}
    assert resting == {key for key, status in stops.items() if status == "untriggered"}
    orders = {line["id"]: line["status"] for line in _of(venue, "order")}
    still_open = {order.id for order in venue.venue.open_orders(ME)}
    assert still_open == {key for key, status in orders.items() if status in ("new", "partially-filled")}


@LAW
@given(RUNS)
def test_what_lives_with_a_position_is_never_left_without_one(run: Any) -> None:
    venue = _run(run)
    if venue.held:
        return
    left = venue.venue.stops(ME, SYMBOL)
    assert not [stop for stop in left if stop.attached or stop.close_position or stop.ends_with_position]


@LAW
@given(RUNS)
def test_the_same_run_writes_the_same_ledger(run: Any) -> None:
    assert _run(run).lines == _run(run).lines
