"""The hook `executions`: an execution decides with which order a position is entered."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from framework import EntryPlan, EntryStep, EntryTry, Execution, OrderType, hookimpl
from framework.core.records import Intent
from tests.hooks.stage import Stage


@frozen
class Patient:
    """One limit order at the best bid."""

    name: ClassVar[str] = "patient"

    def first(self, plan: EntryPlan) -> EntryStep:
        return EntryStep(OrderType.LIMIT, price=plan.quote.bid)

    def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None:
        return None


@hookimpl
def executions() -> list[type[Execution]]:
    return [Patient]


def test_a_plugins_execution_decides_type_and_price_of_the_entry(stage: Stage) -> None:
    stage.install(__name__)

    records = stage.play(execution='[execution]\nuse = "patient"')

    (request,) = [each.request for each in records.of(Intent) if each.action == "entry"]
    assert (request["type"], str(request["price"])) == ("limit", "99.99")
