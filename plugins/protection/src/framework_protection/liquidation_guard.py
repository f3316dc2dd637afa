"""The protection `liquidation-guard`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from attrs import field, frozen

from framework import Ask, Guard, Holding, NoState, Percent, Side, not_negative, positive, tighter

from .settings import below_hundred

NEAR_LIQUIDATION = "near_liquidation"
"""The price came to the limit before the liquidation price."""

_ONE = Decimal(1)


@frozen
class LiquidationGuard:
    """Keep the position away from its liquidation: no stop may lie beyond a limit, and the limit itself closes it.

    The liquidation price is that of an isolated position: from the entry price, the leverage and the maintenance
    margin. The limit lies `buffer_percent` of it before it. `leverage` is the account's unless it is set. Where the
    venue tells a nearer liquidation price of the open position, that counts, and the stop is brought to the limit.
    """

    name: ClassVar[str] = "liquidation-guard"
    state_type: ClassVar[type] = NoState

    buffer_percent: Percent = field(default=Percent(Decimal(1)), validator=[positive, below_hundred])
    maintenance_margin_percent: Percent = field(default=Percent(Decimal(1)), validator=[not_negative, below_hundred])
    leverage: Decimal | None = field(default=None, validator=positive)

    def start(self, holding: Holding) -> Guard:
        """No stop, but the limit. Raises `ValueError` where there is no room between entry and limit."""
        limit = self._before(holding, self._liquidation(holding))
        if limit is not None and (holding.entry_price - limit) * holding.side.sign <= 0:
            raise ValueError(
                f"a {holding.side.value} at {holding.entry_price} with leverage {self._leverage(holding)} is within "
                f"buffer_percent ({self.buffer_percent}) of its liquidation; lower the leverage or the buffer"
            )
        return self._answer(holding, self._limit(holding))

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        """Close at the limit."""
        limit = self._limit(holding)
        if limit is not None and (price - limit) * holding.side.sign <= 0:
            return Guard(NoState(), None, close=NEAR_LIQUIDATION, numbers=self._numbers(holding, limit))
        return self._answer(holding, limit)

    def _answer(self, holding: Holding, limit: Decimal | None) -> Guard:
        ask = Ask(below=limit) if holding.side is Side.LONG else Ask(above=limit)
        stop = limit if self._told(holding) is not None else None
        return Guard(NoState(), stop, ask, numbers=self._numbers(holding, limit), limit=limit)

    def _told(self, holding: Holding) -> Decimal | None:
        """The venue's own liquidation price, where it is nearer than the calculated one."""
        told, calculated = holding.liquidation_price, self._liquidation(holding)
        if told is None or (calculated and not tighter(holding.side, told, calculated)):
            return None
        return told

    def _liquidation(self, holding: Holding) -> Decimal:
        """The mark price at which equity and maintenance margin are equal. 0 for a long without leverage."""
        margin, maintenance = _ONE / self._leverage(holding), self.maintenance_margin_percent.of(_ONE)
        sign = holding.side.sign
        return max(Decimal(0), holding.entry_price * (_ONE - sign * margin) / (_ONE - sign * maintenance))

    def _limit(self, holding: Holding) -> Decimal | None:
        told = self._told(holding)
        return self._before(holding, self._liquidation(holding) if told is None else told)

    def _before(self, holding: Holding, liquidation: Decimal) -> Decimal | None:
        if not liquidation:
            return None
        return liquidation + holding.side.sign * self.buffer_percent.of(liquidation)

    def _leverage(self, holding: Holding) -> Decimal:
        leverage = self.leverage if self.leverage is not None else holding.leverage
        if leverage is None:
            raise ValueError("the leverage of the account is not known; set leverage")
        return leverage

    def _numbers(self, holding: Holding, limit: Decimal | None) -> dict[str, Decimal]:
        numbers = {"leverage": self._leverage(holding)}
        if limit is None:
            return numbers
        told = self._told(holding)
        return {**numbers, "liquidation_price": self._liquidation(holding) if told is None else told, "limit": limit}
