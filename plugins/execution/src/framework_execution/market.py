"""The execution `market`."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from framework import EntryPlan, EntryStep, EntryTry, OrderType


@frozen
class Market:
    """Enter with one market order, and be content with what it fills."""

    name: ClassVar[str] = "market"

    def first(self, plan: EntryPlan) -> EntryStep:
        """The market order."""
        return EntryStep(OrderType.MARKET)

    def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None:
        """Nothing more."""
        return None
