"""From an accepted signal to a plan: the stop first, then the size, then every limit; whatever goes wrong refuses."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from attrs import define, evolve, field

from framework import (
    Ask,
    Guard,
    Holding,
    NoState,
    Notice,
    Passed,
    Portfolio,
    Rejection,
    Side,
    Signal,
    SignalSettings,
    Size,
    SizedPlan,
    SizingRequest,
    Verdict,
    fit_quantity,
)
from framework.core.decide import Rulebook, decide
from framework.core.screen import screen
from framework.core.verdict import Accepted, Check, Refused
from framework.testing import (
    NOW_NS,
    make_account,
    make_portfolio,
    make_quote,
    make_rules,
    make_signal,
    make_snapshot,
)

D = Decimal


@define
class StopAt:
    """A protection that wants its stop at a price, or answers something else."""

    stop: Any = D(94)
    name: str = "stop-at"
    answer: Callable[[Holding], Any] | None = None
    asked: list[Holding] = field(factory=list, init=False)

    def start(self, holding: Holding) -> Guard:
        self.asked.append(holding)
        guard: Guard = Guard(NoState(), self.stop) if self.answer is None else self.answer(holding)
        return guard

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        raise AssertionError("planning asks for the first stop only")


@define
class Buys:
    """A sizer that wants a quantity, or answers something else."""

    quantity: Any = D(1)
    name: str = "buys"
    answer: Callable[[SizingRequest], Any] | None = None
    asked: list[SizingRequest] = field(factory=list, init=False)

    def size(self, request: SizingRequest) -> Size | Rejection:
        self.asked.append(request)
        size: Size | Rejection = Size(self.quantity, {"n": 1}) if self.answer is None else self.answer(request)
        return size


@define
class Limit:
    """A risk rule that answers as the test wants it."""

    name: str = "limit"
    answer: Callable[[SizedPlan, Portfolio], Any] = lambda plan, portfolio: Passed()
    asked: list[tuple[SizedPlan, Portfolio]] = field(factory=list, init=False)

    def check(self, plan: SizedPlan, portfolio: Portfolio) -> Verdict:
        self.asked.append((plan, portfolio))
        verdict: Verdict = self.answer(plan, portfolio)
        return verdict


TEXT: Any = "1"


def raising(*_: object) -> Any:
    raise ArithmeticError("no number")


def accepted(signal: Signal | None = None, **market: Any) -> Accepted:
    verdict = screen(signal or make_signal(), make_snapshot(**market), [])
    assert isinstance(verdict, Accepted)
    return verdict


def decided(
    *protections: StopAt, sizer: Buys | None = None, risk: tuple[Limit, ...] = (), of: Accepted | None = None
) -> SizedPlan | Refused:
    book = Rulebook(protections or (StopAt(),), sizer or Buys(), risk)
    return decide(of or accepted(), book, make_portfolio())


def planned(*protections: StopAt, **book: Any) -> SizedPlan:
    plan = decided(*protections, **book)
    assert isinstance(plan, SizedPlan), plan
    return plan


def refused(*protections: StopAt, **book: Any) -> Refused:
    no = decided(*protections, **book)
    assert isinstance(no, Refused), no
    return no


# ── what a plan is made of ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("side", "stop", "price"), [(Side.LONG, 94, "100.01"), (Side.SHORT, 106, "99.99")])
def test_a_plan_is_priced_at_what_a_market_order_would_get_now(side: Side, stop: int, price: str) -> None:
    plan = planned(StopAt(D(stop)), of=accepted(make_signal(side=side)))
    assert (plan.price, plan.stop_price, plan.stop_by, plan.size.quantity) == (D(price), D(stop), "stop-at", D(1))
    assert plan.risk_usd == abs(D(price) - stop)


def test_the_stop_is_planned_before_the_size_and_the_size_before_the_limits() -> None:
    limit, sizer = Limit(), Buys()
    plan = planned(StopAt(D("94.5")), sizer=sizer, risk=(limit,))
    assert sizer.asked[0].stop_price == D("94.5")
    assert limit.asked[0][0].size.quantity == D(1)
    assert [(check.kind, check.component) for check in plan.checks] == [
        ("protection", "stop-at"),
        ("sizing", "buys"),
        ("risk", "limit"),
    ]


def test_the_verdicts_of_the_filters_stay_in_front_of_those_of_planning() -> None:
    screened = evolve(accepted(), checks=(Check("filter", "spread", Passed()),))
    assert [check.kind for check in planned(of=screened).checks] == ["filter", "protection", "sizing"]
    no = refused(of=screened, sizer=Buys(answer=raising))
    assert [check.kind for check in no.checks] == ["filter", "protection", "sizing"]


def test_the_tightest_stop_of_all_protections_is_planned_and_rounded_to_the_tick() -> None:
    plan = planned(StopAt(D(94)), StopAt(D("95.126"), "near"), StopAt(None, "trailing"))
    assert (plan.stop_price, plan.stop_by) == (D("95.13"), "near")


def test_of_a_short_the_tightest_stop_is_the_lowest() -> None:
    signal = make_signal(side=Side.SHORT)
    plan = planned(StopAt(D(106)), StopAt(D("104.994"), "near"), of=accepted(signal))
    assert (plan.stop_price, plan.stop_by) == (D("104.99"), "near")


def test_a_protection_is_shown_the_expected_price_and_the_signals_settings() -> None:
    signal, protection = make_signal(settings=SignalSettings(max_positions=3)), StopAt()
    planned(protection, of=accepted(signal))
    holding = protection.asked[0]
    assert (holding.entry_price, holding.opened_ns, holding.settings) == (D("100.01"), NOW_NS, signal.settings)


def test_every_limit_is_asked_in_order_with_the_portfolio_until_one_refuses() -> None:
    no = Rejection("too_many", "too many")
    first, second, third = Limit("first"), Limit("second", lambda plan, portfolio: no), Limit("third")
    refusal = refused(risk=(first, second, third))
    assert (refusal.stage, refusal.component, refusal.rejection) == ("risk", "second", no)
    assert first.asked[0][1].accounts["paper"] == make_account()
    assert not third.asked


def test_a_limit_may_let_through_with_a_notice_that_is_kept() -> None:
    notice = Notice("close", "close to the limit")
    assert planned(risk=(Limit(answer=lambda plan, portfolio: notice),)).checks[-1].verdict == notice


# ── the market ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_market_that_the_venue_does_not_list_is_not_planned() -> None:
    no = refused(of=accepted(rules=None))
    assert (no.stage, no.rejection.code) == ("plan", "not_listed")


def test_without_a_quote_nothing_is_planned() -> None:
    assert refused(of=accepted(quote=None)).rejection.code == "data_missing"


def test_an_old_quote_is_no_quote() -> None:
    old = make_quote(time_ns=NOW_NS - 30_000_000_001)
    assert refused(of=accepted(quote=old, max_age_ns=30_000_000_000)).rejection.code == "data_missing"
    fresh = make_quote(time_ns=NOW_NS - 30_000_000_000)
    assert planned(of=accepted(quote=fresh, max_age_ns=30_000_000_000)).quote == fresh


@pytest.mark.parametrize("price", ["NaN", "Infinity", "0", "-1"])
@pytest.mark.parametrize("field_", ["bid", "ask", "last", "mark"])
def test_a_quote_with_a_price_that_is_none_is_no_quote(field_: str, price: str) -> None:
    odd: dict[str, Any] = {field_: D(price)}
    quote = evolve(make_quote(), **odd)
    assert refused(of=accepted(quote=quote)).rejection.code == "data_missing"


# ── the stop ────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_any_stop_there_is_no_plan_and_no_sizer_is_asked() -> None:
    sizer = Buys()
    no = refused(StopAt(None), sizer=sizer)
    assert (no.stage, no.rejection.code) == ("plan", "no_stop")
    assert not sizer.asked


@pytest.mark.parametrize(("side", "stop"), [("long", "100.01"), ("long", "101"), ("short", "99.99"), ("short", "99")])
def test_a_stop_that_would_act_at_once_is_refused(side: str, stop: str) -> None:
    no = refused(StopAt(D(stop)), of=accepted(make_signal(side=Side(side))))
    assert (no.stage, no.component, no.rejection.code) == ("plan", "stop-at", "stop_not_possible")
    assert no.rejection.numbers["stop_price"] == D(stop)


def test_a_stop_outside_the_venues_prices_is_refused() -> None:
    low = refused(of=accepted(rules=make_rules(min_price=95)))
    assert low.rejection.code == "stop_not_possible"
    short = make_signal(side=Side.SHORT)
    high = refused(StopAt(D(106)), of=accepted(short, rules=make_rules(max_price=105)))
    assert high.rejection.code == "stop_not_possible"


@pytest.mark.parametrize(
    "answer",
    [
        raising,
        lambda holding: None,
        lambda holding: D(94),
        lambda holding: Guard(NoState(), D("NaN")),
        lambda holding: Guard(NoState(), D("Infinity")),
        lambda holding: Guard(NoState(), D(0)),
        lambda holding: Guard(NoState(), D(-94)),
        lambda holding: Guard(NoState(), D("0.004")),
        lambda holding: Guard(NoState(), TEXT),
        lambda holding: Guard(NoState(), D(94), Ask(above=D("NaN"))),
    ],
    ids=["raises", "none", "bare price", "NaN", "infinite", "zero", "negative", "below a tick", "text", "NaN level"],
)
def test_a_protection_that_is_broken_refuses_even_beside_a_sound_one(answer: Callable[[Holding], Any]) -> None:
    no = refused(StopAt(), StopAt(name="broken", answer=answer))
    assert (no.stage, no.component, no.rejection.code) == ("plan", "broken", "component_failed")


# ── the size ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ("0", "quantity_below_minimum"),
        ("-1", "quantity_below_minimum"),
        ("0.049", "quantity_below_minimum"),
        ("10000.001", "quantity_above_maximum"),
        ("1.0005", "quantity_off_step"),
        ("NaN", "component_failed"),
        ("Infinity", "component_failed"),
    ],
)
def test_a_sizer_is_not_believed_where_the_venue_would_refuse_its_quantity(quantity: str, code: str) -> None:
    no = refused(sizer=Buys(D(quantity)))
    assert (no.stage, no.component, no.rejection.code) == ("sizing", "buys", code)
    assert no.checks[-1].verdict == no.rejection


def test_a_position_that_would_be_too_small_to_close_at_its_stop_is_not_opened() -> None:
    no = refused(sizer=Buys(D("0.053")))
    assert (no.stage, no.component, no.rejection.code) == ("plan", "stop-at", "close_below_minimum")


@pytest.mark.parametrize("quantity", ["0.054", "10000"])
def test_the_venues_smallest_and_largest_quantity_are_taken(quantity: str) -> None:
    assert planned(sizer=Buys(D(quantity))).size.quantity == D(quantity)


@pytest.mark.parametrize("answer", [raising, lambda request: None, lambda request: D(1), lambda request: Size(TEXT)])
def test_a_sizer_that_is_broken_refuses(answer: Callable[[SizingRequest], Any]) -> None:
    no = refused(sizer=Buys(answer=answer))
    assert (no.stage, no.rejection.code) == ("sizing", "component_failed")


def test_a_sizers_own_refusal_is_passed_on_with_its_numbers() -> None:
    no = refused(sizer=Buys(answer=lambda request: fit_quantity(request.rules, request.price, D("0.01"))))
    assert no.rejection.code == "quantity_below_minimum"
    assert no.rejection.numbers["minimum"] == D("0.050")


# ── the limits ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("answer", [raising, lambda plan, portfolio: None, lambda plan, portfolio: True])
def test_a_limit_that_is_broken_counts_as_reached(answer: Callable[[SizedPlan, Portfolio], Any]) -> None:
    no = refused(risk=(Limit(), Limit("broken", answer)))
    assert (no.stage, no.component, no.rejection.code) == ("risk", "broken", "component_failed")


def test_a_plan_needs_a_signal_that_was_accepted() -> None:
    book = Rulebook((StopAt(),), Buys(), ())
    no = Refused(make_signal(), "filter", "spread", Rejection("wide", "wide"), ())
    with pytest.raises(AttributeError):
        decide(no, book, make_portfolio())  # type: ignore[arg-type]  # what the type checker refuses is the point
