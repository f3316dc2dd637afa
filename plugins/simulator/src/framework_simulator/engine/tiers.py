"""Risk tiers: the larger a position, the less leverage is allowed and the more margin has to stay.

The venues tell their tiers only to signed requests (Binance) or in a route of their own (Bybit), not in the market
files. These are made up in the same form, round, and of the usual size.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from attrs import frozen

from .money import ZERO


@frozen
class Tier:
    """Positions worth from `floor` up to `cap` USD. `deduction` makes the maintenance margin continuous."""

    floor: Decimal
    cap: Decimal
    max_leverage: Decimal
    maintenance_rate: Decimal
    deduction: Decimal = ZERO

    def maintenance(self, notional: Decimal) -> Decimal:
        """The margin that must be left of a position worth `notional`."""
        return notional * self.maintenance_rate - self.deduction


def continuous(tiers: Iterable[Tier]) -> tuple[Tier, ...]:
    """The same tiers with the deductions that leave no step in the maintenance margin."""
    done: list[Tier] = []
    for tier in tiers:
        before = done[-1] if done else None
        deduction = ZERO
        if before is not None:
            deduction = before.deduction + tier.floor * (tier.maintenance_rate - before.maintenance_rate)
        done.append(Tier(tier.floor, tier.cap, tier.max_leverage, tier.maintenance_rate, deduction))
    return tuple(done)


def tier_for(tiers: tuple[Tier, ...], notional: Decimal) -> Tier:
    """The tier of a position; beyond the last one, the last one."""
    return next((tier for tier in tiers if notional <= tier.cap), tiers[-1])


def _tier(floor: int, cap: int, max_leverage: int, maintenance_rate: str) -> Tier:
    return Tier(Decimal(floor), Decimal(cap), Decimal(max_leverage), Decimal(maintenance_rate))


DEFAULT_TIERS = continuous(
    (
        _tier(0, 300_000, 100, "0.005"),
        _tier(300_000, 1_000_000, 50, "0.01"),
        _tier(1_000_000, 5_000_000, 20, "0.025"),
        _tier(5_000_000, 20_000_000, 10, "0.05"),
        _tier(20_000_000, 100_000_000, 4, "0.125"),
        _tier(100_000_000, 500_000_000, 1, "0.5"),
    )
)
