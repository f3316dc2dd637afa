"""Protections that measure the market before the entry. What was measured stays what it is while the position lives."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol, TypeGuard, runtime_checkable

from .market import MarketSnapshot, Need
from .protection import Named
from .signal import Signal


@runtime_checkable
class MeasuresMarket(Protocol):
    """A protection that reads candles when a signal is decided, and reckons with what they told from then on.

    Its `start` and `on_price` find the numbers in `Holding.measured`: at the plan, after the fill, and after a restart
    the same. A position that was not opened by a plan of this kind, as one that was adopted, has none.
    """

    @property
    def needs(self) -> frozenset[Need]:
        """The data that `measure` reads; empty where settings ask for none."""

    def measure(self, signal: Signal, market: MarketSnapshot) -> Mapping[str, Decimal]:
        """Numbers by name. All protections share the names, so a name says all that its number depends on.

        Missing data (`MissingDataError`) refuses the signal with ``data_missing``, any other exception does, too.
        """


def needs_of(protection: object) -> frozenset[Need]:
    """The data that a protection measures; empty for one that measures nothing."""
    component = _component(protection)
    return component.needs if _measures(component) else frozenset()


def measured_by(
    protection: object, signal: Signal, market: MarketSnapshot, before: Mapping[str, Decimal]
) -> Mapping[str, Decimal]:
    """What the protections `before` this one measured, and what it measures itself.

    Raises `MissingDataError`, whatever the protection raises, and `ValueError` for what is no number, or for another
    number of a name that is there already.
    """
    component = _component(protection)
    if not _measures(component):
        return before
    own = component.measure(signal, market.seen_by(component.needs))
    for name, number in own.items():
        if not (isinstance(number, Decimal) and number.is_finite()):
            raise ValueError(f"measured {name} as {number!r}, which is no number")
        if before.get(name, number) != number:
            raise ValueError(f"measured {name} as {number}, and another protection as {before[name]}")
    return {**before, **own}


_known: dict[type, bool] = {}


def _measures(component: object) -> TypeGuard[MeasuresMarket]:
    """Asked once for each class: the `isinstance` of a protocol looks for every member, and signals are many."""
    kind = type(component)
    if kind not in _known:
        _known[kind] = isinstance(component, MeasuresMarket)
    return _known[kind]


def _component(protection: object) -> object:
    return protection.component if isinstance(protection, Named) else protection
