"""The contract of a risk rule: a verdict on a sized plan, whatever the portfolio looks like."""

from __future__ import annotations

from collections.abc import Iterator

from ...components import RiskRule
from ...core.market import Account, Portfolio
from ...core.plan import SizedPlan
from ...core.signal import Side
from ..builders import ACCOUNT, make_account, make_closed_position, make_open_position, make_plan, make_portfolio
from .component import ask_twice, check_component, require_verdict


def check_risk_rule(component: RiskRule) -> None:
    """Raise `ContractBrokenError` if the rule breaks its contract, with idle, busy, losing and broke accounts."""
    check_component(component)
    for plan in _plans():
        for portfolio in _portfolios():
            require_verdict(component, ask_twice(component, component.check, plan, portfolio))


def _plans() -> Iterator[SizedPlan]:
    for side in Side:
        for quantity in ("0.06", "10000"):
            yield make_plan(side, quantity=quantity)


def _portfolios() -> Iterator[Portfolio]:
    for account in _accounts():
        yield make_portfolio(account)
        yield make_portfolio(account, make_account("other", open=(make_open_position(account="other"),)))


def _accounts() -> Iterator[Account]:
    yield make_account(ACCOUNT)
    yield make_account(ACCOUNT, equity_usd=0)
    yield make_account(ACCOUNT, equity_usd=-5)
    yield make_account(ACCOUNT, available_usd=0, open=(make_open_position(f"COIN{n}USDT") for n in range(50)))
    yield make_account(ACCOUNT, closed=(make_closed_position(realized_pnl_usd=-500),))
