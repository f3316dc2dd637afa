"""The contract suites of sizers, risk rules and executions catch each way to break them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import frozen

from framework import (
    EntryPlan,
    EntryStep,
    EntryTry,
    Notice,
    OrderType,
    Passed,
    Rejection,
    Size,
    SizingRequest,
    fit_quantity,
    floor_to,
    smallest_quantity,
)
from framework.testing import ContractBrokenError, check_execution, check_risk_rule, check_sizer

MARKET = EntryStep(OrderType.MARKET)
LIMIT = OrderType.LIMIT
WITH_A_FLOAT: Any = {"price": 1.5}


def make_sizer(size: Callable[[SizingRequest], Any]) -> Any:
    @frozen
    class Made:
        """Do as told."""

        name: ClassVar[str] = "made"

        def size(self, request: SizingRequest) -> Any:
            return size(request)

    return Made()


def make_rule(verdict: Any) -> Any:
    @frozen
    class Made:
        """Do as told."""

        name: ClassVar[str] = "made"

        def check(self, plan: Any, portfolio: Any) -> Any:
            return verdict

    return Made()


def make_execution(
    first: Any, after: Callable[[EntryPlan, tuple[EntryTry, ...]], Any] = lambda plan, tries: None
) -> Any:
    @frozen
    class Made:
        """Do as told."""

        name: ClassVar[str] = "made"

        def first(self, plan: EntryPlan) -> Any:
            return first

        def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> Any:
            return after(plan, tries)

    return Made()


def missing(plan: EntryPlan, tries: tuple[EntryTry, ...]) -> bool:
    """Whether the market takes what is still missing."""
    rest = plan.quantity - sum(attempt.filled for attempt in tries)
    return isinstance(fit_quantity(plan.rules, plan.quote.taken_by(plan.side), rest), Size)


def test_a_sizer_that_keeps_the_contract_is_accepted() -> None:
    check_sizer(make_sizer(lambda request: fit_quantity(request.rules, request.price, 6 / request.price)))


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (lambda r: Size(6 / r.price), "is no multiple of the step size"),
        (lambda r: Size(floor_to(6 / r.price, r.rules.step_size)), "is below the market's minimum"),
        (lambda r: Size(smallest_quantity(r.rules, r.price)), "is above the market's maximum"),
        (lambda r: None, "the answer must be a Size or a Rejection, got None"),
        (lambda r: Rejection("No!", "no"), "a reason code must be like"),
        (lambda r: Size(Decimal(1), WITH_A_FLOAT), "the number `price` must be a Decimal"),
    ],
)
def test_a_sizer_that_breaks_it_is_caught(size: Callable[[SizingRequest], Any], message: str) -> None:
    with pytest.raises(ContractBrokenError, match=message):
        check_sizer(make_sizer(size))


@pytest.mark.parametrize("verdict", [Passed(), Notice("near", "nearly full", {"open": 3}), Rejection("full", "full")])
def test_a_risk_rule_that_keeps_the_contract_is_accepted(verdict: Any) -> None:
    check_risk_rule(make_rule(verdict))


@pytest.mark.parametrize("verdict", [None, False, Size(Decimal(1)), Rejection("full", ""), Passed({"n": None})])  # type: ignore[dict-item]
def test_a_risk_rule_that_breaks_it_is_caught(verdict: Any) -> None:
    with pytest.raises(ContractBrokenError):
        check_risk_rule(make_rule(verdict))


def test_an_execution_that_keeps_the_contract_is_accepted() -> None:
    check_execution(make_execution(MARKET))
    check_execution(
        make_execution(MARKET, lambda plan, tries: MARKET if len(tries) < 3 and missing(plan, tries) else None)
    )


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (None, "`first` must answer with an order"),
        ("market", "a step must be an EntryStep"),
        (EntryStep(OrderType.STOP_MARKET), "an entry is market or limit"),
        (EntryStep(OrderType.MARKET, Decimal(1)), "a market order has no price"),
        (EntryStep(LIMIT), "a limit order's price must be on the tick"),
        (EntryStep(LIMIT, Decimal("99.995")), "a limit order's price must be on the tick"),
        (EntryStep(LIMIT, Decimal(0)), "a limit order's price must be on the tick"),
        (EntryStep(OrderType.MARKET, cancel_after_ns=0), "`cancel_after_ns` must be positive"),
    ],
)
def test_a_step_that_no_venue_takes_is_caught(first: Any, message: str) -> None:
    with pytest.raises(ContractBrokenError, match=message):
        check_execution(make_execution(first))


def test_an_execution_without_end_is_caught() -> None:
    with pytest.raises(ContractBrokenError, match="wants more than 20 orders for one entry"):
        check_execution(make_execution(MARKET, lambda plan, tries: MARKET if missing(plan, tries) else None))


def test_an_execution_that_goes_on_when_the_rest_is_too_small_is_caught() -> None:
    def after(plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None:
        return MARKET if len(tries) < 3 and sum(attempt.filled for attempt in tries) < plan.quantity else None

    with pytest.raises(ContractBrokenError, match="which is below the market's minimum"):
        check_execution(make_execution(MARKET, after))
