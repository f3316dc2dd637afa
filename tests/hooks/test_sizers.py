"""The hook `sizers`: a sizer's answer is the quantity that is ordered."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import frozen

from framework import Rejection, Size, Sizer, SizingRequest, fit_quantity, hookimpl
from framework.core.records import Intent
from tests.hooks.stage import Stage


@frozen
class Dozen:
    """Buys whole dozens."""

    name: ClassVar[str] = "dozen"

    dozens: int

    def size(self, request: SizingRequest) -> Size | Rejection:
        return fit_quantity(request.rules, request.price, Decimal(12 * self.dozens))


@hookimpl
def sizers() -> list[type[Sizer]]:
    return [Dozen]


def test_a_plugins_sizer_decides_the_quantity_of_the_order(stage: Stage) -> None:
    stage.install(__name__)

    records = stage.play(sizing='[sizing]\nuse = "dozen"\ndozens = 2')

    assert [each.request["quantity"] for each in records.of(Intent) if each.action == "entry"] == [Decimal("24.000")]
