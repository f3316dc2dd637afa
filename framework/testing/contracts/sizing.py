"""The contract of a sizer: a quantity that the market takes, or a reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ...components import Sizer
from ...core.numbers import is_multiple
from ...core.plan import SizingRequest, smallest_quantity
from ...core.signal import Side
from ...core.verdict import Rejection, Size
from ..builders import make_account, make_request, make_rules
from .component import ask_twice, check_component, require, require_numbers, require_rejection

_MARKETS = (
    (Decimal(100), make_rules()),
    (Decimal("18.190"), make_rules(tick_size="0.001", step_size=1, min_quantity=1)),
    (Decimal("0.001623"), make_rules(tick_size="0.000001", step_size=100, min_quantity=100)),
    (Decimal("109553.1"), make_rules(tick_size="0.1", min_notional=100, max_quantity=120)),
    (Decimal(100), make_rules(max_quantity="0.05")),
    (Decimal("0.0001"), make_rules(tick_size="0.0001", step_size=1, min_quantity=1, max_quantity=1000)),
)


def check_sizer(component: Sizer) -> None:
    """Raise `ContractBrokenError` if the sizer breaks its contract, in fine and coarse markets, rich and poor."""
    check_component(component)
    for request in _requests():
        answer = ask_twice(component, component.size, request)
        if isinstance(answer, Size):
            require_numbers(component, answer.numbers)
            _check_quantity(component, request, answer.quantity)
        elif isinstance(answer, Rejection):
            require_rejection(component, answer)
        else:
            require(False, component, f"the answer must be a Size or a Rejection, got {answer!r}")


def _check_quantity(component: Sizer, request: SizingRequest, quantity: Decimal) -> None:
    rules, price = request.rules, request.price
    smallest = smallest_quantity(rules, price)
    where = f"at {price} with a step of {rules.step_size}"
    require(is_multiple(quantity, rules.step_size), component, f"{quantity} is no multiple of the step size, {where}")
    require(quantity >= smallest, component, f"{quantity} is below the market's minimum of {smallest}, {where}")
    require(
        quantity <= rules.max_quantity,
        component,
        f"{quantity} is above the market's maximum of {rules.max_quantity}, {where}",
    )


def _requests() -> Iterator[SizingRequest]:
    for side in Side:
        for price, rules in _MARKETS:
            for equity_usd in (0, 1, 1000, 1_000_000):
                yield make_request(side, price=price, rules=rules, account=make_account(equity_usd=equity_usd))
