"""The contract of an execution: orders that the venue takes, one after another, and an end."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from attrs import evolve

from ...components import Execution
from ...core.execution import EntryPlan, EntryStep, EntryTry
from ...core.numbers import ZERO, floor_to, is_multiple
from ...core.orders import OrderType
from ...core.plan import fit_quantity
from ...core.signal import Side
from ...core.verdict import Size
from ..builders import make_entry_plan, make_quote, make_rules
from .component import ask_twice, check_component, require

MOST_STEPS = 20
"""An execution that still wants to go on after this many orders is taken for one that never ends."""

_FILLED_SHARES = (Decimal(0), Decimal("0.5"), Decimal("0.99"), Decimal(1))


def check_execution(component: Execution) -> None:
    """Raise `ContractBrokenError` if the execution breaks its contract.

    Every order it asks for is filled by nothing, by half, almost, or wholly; it must ask for valid orders only, end,
    and be content when nothing is missing or the rest is too small for the market.
    """
    check_component(component)
    for plan in _plans():
        for share in _FILLED_SHARES:
            _drive(component, plan, share)


def _drive(component: Execution, plan: EntryPlan, share: Decimal) -> None:
    tries: tuple[EntryTry, ...] = ()
    step: EntryStep | None = ask_twice(component, component.first, plan)
    require(step is not None, component, "`first` must answer with an order")
    while step is not None:
        _check_step(component, plan, step)
        missing = plan.quantity - sum((attempt.filled for attempt in tries), ZERO)
        filled = floor_to(missing * share, plan.rules.step_size)
        tries = (*tries, EntryTry(step, missing, filled))
        require(len(tries) <= MOST_STEPS, component, f"wants more than {MOST_STEPS} orders for one entry")
        step = ask_twice(component, component.after, plan, tries)
        rest = missing - filled
        takes = isinstance(fit_quantity(plan.rules, plan.quote.taken_by(plan.side), rest), Size)
        require(step is None or takes, component, f"wants an order for {rest}, which is below the market's minimum")


def _check_step(component: Execution, plan: EntryPlan, step: EntryStep) -> None:
    require(isinstance(step, EntryStep), component, f"a step must be an EntryStep, got {step!r}")
    require(
        step.type in (OrderType.MARKET, OrderType.LIMIT), component, f"an entry is market or limit, got {step.type}"
    )
    if step.type is OrderType.MARKET:
        require(step.price is None, component, f"a market order has no price, got {step.price}")
    else:
        price, rules = step.price, plan.rules
        fine = price is not None and is_multiple(price, rules.tick_size) and rules.min_price <= price <= rules.max_price
        require(fine, component, f"a limit order's price must be on the tick and within the rules, got {price}")
    after_ns = step.cancel_after_ns
    require(after_ns is None or after_ns > 0, component, f"`cancel_after_ns` must be positive, got {after_ns}")


def _plans() -> Iterator[EntryPlan]:
    coarse = make_rules(tick_size="0.5", step_size=1, min_quantity=1, min_notional=100)
    for side in Side:
        fine = make_entry_plan(side, quantity="2.345")
        yield fine
        yield evolve(fine, quantity=Decimal("0.051"))
        yield make_entry_plan(side, quantity=1, quote=make_quote("100.0", "100.5"), rules=coarse)
        yield make_entry_plan(side, quantity=7, quote=make_quote("0.5", "1.0"), rules=evolve(coarse, min_notional=ZERO))
