"""The hook `protections`: a protection gives the first stop, and moves it at the price that it asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from attrs import field, frozen

from framework import Ask, Guard, Holding, Protection, hookimpl, positive
from framework.core.records import Intent, StopMoved
from tests.hooks.stage import Stage


@frozen
class Lifted:
    """The state: whether the stop was lifted."""

    done: bool


@frozen
class BreakEven:
    """A stop two below the entry; once the price is `after` above it, at the entry."""

    name: ClassVar[str] = "break-even"
    state_type: ClassVar[type] = Lifted

    after: Decimal = field(validator=positive)

    def start(self, holding: Holding) -> Guard:
        return Guard(Lifted(False), holding.entry_price - 2, Ask(above=holding.entry_price + self.after))

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        return Guard(Lifted(True), holding.entry_price)


@hookimpl
def protections() -> list[type[Protection]]:
    return [BreakEven]


def test_a_plugins_protection_moves_the_stop_once_its_price_is_reached(stage: Stage) -> None:
    stage.install(__name__)

    records = stage.play(protection='[[protection]]\nuse = "break-even"\nafter = "5"')

    assert [(each.component, str(each.to_price)) for each in records.of(StopMoved)] == [
        ("break-even", "98.01"),
        ("break-even", "100.01"),
    ]
    assert [each.action for each in records.of(Intent)] == ["entry", "stop", "move-stop"]


def test_a_plugins_protection_is_not_asked_before_its_price(stage: Stage) -> None:
    stage.install(__name__)

    records = stage.play(protection='[[protection]]\nuse = "break-even"\nafter = "15"')

    assert [str(each.to_price) for each in records.of(StopMoved)] == ["98.01"]
