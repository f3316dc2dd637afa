"""The filters' turn: a signal goes through all of them in order, or ends at the first that refuses.

Fail closed: missing or stale data, an exception, or an answer that is no verdict refuses the signal and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..errors import MissingDataError
from .market import MarketSnapshot, Need
from .signal import Signal
from .verdict import Accepted, Check, Notice, Passed, Refused, Rejection, Verdict


class Screener(Protocol):
    """The part of a filter that the screen uses."""

    @property
    def name(self) -> str: ...

    @property
    def needs(self) -> frozenset[Need]: ...

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict: ...


def screen(signal: Signal, market: MarketSnapshot, filters: Sequence[Screener]) -> Accepted | Refused:
    """What the filters make of a signal. The only place that makes an `Accepted`."""
    checks: list[Check] = []
    for component in filters:
        verdict = _ask(component, signal, market)
        checks.append(Check("filter", component.name, verdict))
        if isinstance(verdict, Rejection):
            return Refused(signal, "filter", component.name, verdict, tuple(checks))
    return Accepted(signal, market, tuple(checks))


def _ask(component: Screener, signal: Signal, market: MarketSnapshot) -> Verdict:
    try:
        verdict = component.check(signal, market.seen_by(component.needs))
    except MissingDataError as missing:
        return lacking(component.name, missing)
    except Exception as error:  # a broken filter must never let a signal through
        return failed(component.name, error)
    return checked(component.name, verdict)


def lacking(component: str, missing: MissingDataError) -> Rejection:
    """The rejection for a component whose data is not there."""
    return Rejection("data_missing", f"{component} needs {missing}", {"need": missing.need})


def failed(component: str, error: Exception) -> Rejection:
    """The rejection for a component that raised."""
    return Rejection("component_failed", f"{component} raised {type(error).__name__}: {error}")


def checked(component: str, verdict: object) -> Verdict:
    """`verdict` if it is one, else the rejection for a component that answered with something else."""
    if isinstance(verdict, (Passed, Notice, Rejection)):  # a tuple: a union would be made anew for each verdict
        return verdict
    return Rejection("component_failed", f"{component} answered {verdict!r}, which is no verdict")
