"""The hook `risk_rules`: a risk rule sees the sized plan, and its rejection ends it."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import frozen

from framework import Passed, Portfolio, Rejection, RiskRule, SizedPlan, Verdict, hookimpl
from framework.core.records import Decision, Intent
from tests.hooks.stage import Stage


@frozen
class SmallTrades:
    """Refuses plans above a notional in USD."""

    name: ClassVar[str] = "small-trades"

    max_usd: Decimal

    def check(self, plan: SizedPlan, portfolio: Portfolio) -> Verdict:
        if plan.notional_usd > self.max_usd:
            return Rejection("too_large", "the trade is too large", {"notional_usd": plan.notional_usd})
        return Passed()


@hookimpl
def risk_rules() -> list[type[RiskRule]]:
    return [SmallTrades]


def test_a_plugins_risk_rule_refuses_a_plan_with_its_numbers(stage: Stage) -> None:
    stage.install(__name__)

    records = stage.play(risk='[[risk]]\nuse = "small-trades"\nmax_usd = "50"')

    (decision,) = records.of(Decision)
    assert (decision.stage, decision.code) == ("risk", "too_large")
    assert decision.numbers == {"notional_usd": Decimal("100.010")}
    assert records.of(Intent) == []


def test_a_plugins_risk_rule_lets_smaller_plans_through(stage: Stage) -> None:
    stage.install(__name__)

    records = stage.play(risk='[[risk]]\nuse = "small-trades"\nmax_usd = "200"')

    assert records.of(Decision)[-1].outcome == "opened"
