"""From an accepted signal to a sized plan that every risk rule agrees to: stop, size, risk, in this order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from attrs import evolve, frozen

from ..errors import MissingDataError
from .market import MarketRules, Need, Portfolio, PriceSource, Quote
from .measuring import measured_by
from .plan import SizedPlan, SizingRequest, breach_of
from .protection import Guard, Holding, tightest, usable_stop
from .screen import checked, failed, lacking
from .stop_checks import flaw_of_close, flaw_of_stop
from .verdict import Accepted, Check, Number, Passed, Refused, Rejection, Size, Verdict
from .watch import Protector


class SizeRule(Protocol):
    """The part of a sizer that planning uses."""

    @property
    def name(self) -> str: ...

    def size(self, request: SizingRequest) -> Size | Rejection: ...


class RiskLimit(Protocol):
    """The part of a risk rule that planning uses."""

    @property
    def name(self) -> str: ...

    def check(self, plan: SizedPlan, portfolio: Portfolio) -> Verdict: ...


@frozen
class Rulebook:
    """The pure components that turn accepted signals into plans."""

    protections: Sequence[Protector]
    sizer: SizeRule
    risk: Sequence[RiskLimit]


@frozen
class _RefusedError(Exception):
    """Ends planning early with the refusal to give."""

    stage: str
    component: str
    rejection: Rejection


def decide(accepted: Accepted, book: Rulebook, portfolio: Portfolio) -> SizedPlan | Refused:
    """The plan for an accepted signal, or at which stage and why there is none."""
    checks = list(accepted.checks)
    signal = accepted.signal
    try:
        rules, quote = _market(accepted)
        price = quote.taken_by(signal.side)
        account = portfolio.accounts[signal.account]
        holding = Holding(
            signal.account,
            signal.symbol,
            signal.side,
            price,
            rules.min_quantity,
            portfolio.time_ns,
            rules,
            signal.settings,
            leverage=account.leverage,
            measured=_measure(accepted, book.protections),
        )
        stop_by, stop, trigger_by = _plan_stop(holding, quote, book.protections, checks)
        request = SizingRequest(signal, price, stop, rules, account)
        size = _size(request, book.sizer, checks)
        flaw = flaw_of_close(stop, size.quantity, rules)
        if flaw is not None:
            raise _RefusedError("plan", stop_by, flaw)
        plan = SizedPlan(
            accepted,
            price,
            stop,
            stop_by,
            size,
            rules,
            quote,
            tuple(checks),
            leverage=account.leverage,
            trigger_by=trigger_by,
            measured=holding.measured,
        )
        return _limit(plan, book.risk, portfolio, checks)
    except _RefusedError as no:
        return Refused(signal, no.stage, no.component, no.rejection, tuple(checks))


def _market(accepted: Accepted) -> tuple[MarketRules, Quote]:
    market = accepted.market
    if market.rules is None:
        raise _RefusedError(
            "plan", "kernel", Rejection("not_listed", f"{market.account} does not list {market.symbol}")
        )
    try:
        quote = market.seen_by(frozenset({Need.BOOK_TOP})).quote
        if not quote.is_sane:
            raise MissingDataError("book_top", f"the quote of {market.symbol} has a price that is none")
        return market.rules, quote
    except MissingDataError as missing:
        rejection = Rejection("data_missing", f"planning needs {missing}", {"need": missing.need})
        raise _RefusedError("plan", "kernel", rejection) from missing


def _measure(accepted: Accepted, protections: Sequence[Protector]) -> Mapping[str, Decimal]:
    found: Mapping[str, Decimal] = {}
    for protection in protections:
        try:
            found = measured_by(protection, accepted.signal, accepted.market, found)
        except MissingDataError as missing:
            raise _RefusedError("plan", protection.name, lacking(protection.name, missing)) from missing
        except Exception as error:  # fail closed, as for a stop that is not understood
            raise _RefusedError("plan", protection.name, failed(protection.name, error)) from error
    return found


def _plan_stop(
    holding: Holding, quote: Quote, protections: Sequence[Protector], checks: list[Check]
) -> tuple[str, Decimal, PriceSource]:
    rules, side, price = holding.rules, holding.side, holding.entry_price
    guards: dict[str, Guard] = {}
    stops: dict[str, Decimal] = {}
    for protection in protections:
        try:
            guard = guards[protection.name] = protection.start(holding)
            wanted = usable_stop(guard, rules)
        except Exception as error:  # fail closed: no plan without a stop that is understood
            raise _RefusedError("plan", protection.name, failed(protection.name, error)) from error
        if wanted is not None:
            stops[protection.name] = wanted
    chosen = tightest(side, stops)
    if chosen is None:
        raise _RefusedError("plan", "kernel", Rejection("no_stop", "no protection gives a stop at the entry"))
    name, stop = chosen
    trigger_by = guards[name].trigger_by
    flaw = flaw_of_stop(side, stop, price, quote, rules, guards, trigger_by)
    if flaw is not None:
        raise _RefusedError("plan", name, flaw)
    numbers: dict[str, Number] = {"price": price, "stop_price": stop, "tick_size": rules.tick_size, **holding.measured}
    checks.append(Check("protection", name, Passed(numbers)))
    return name, stop, trigger_by


def _size(request: SizingRequest, sizer: SizeRule, checks: list[Check]) -> Size:
    try:
        answer = sizer.size(request)
        breach = breach_of(request.rules, request.price, answer.quantity) if isinstance(answer, Size) else None
    except Exception as error:  # a broken sizer, or a quantity that is no number, must never open anything
        answer, breach = failed(sizer.name, error), None
    if isinstance(answer, Size):
        if breach is None:
            checks.append(Check("sizing", sizer.name, Passed(answer.numbers)))
            return answer
        answer = breach
    elif not isinstance(answer, Rejection):
        answer = Rejection("component_failed", f"{sizer.name} answered {answer!r}, which is no size")
    checks.append(Check("sizing", sizer.name, answer))
    raise _RefusedError("sizing", sizer.name, answer)


def _limit(plan: SizedPlan, risk: Sequence[RiskLimit], portfolio: Portfolio, checks: list[Check]) -> SizedPlan:
    for rule in risk:
        try:
            verdict = checked(rule.name, rule.check(plan, portfolio))
        except Exception as error:  # a broken limit is a limit that was reached
            verdict = failed(rule.name, error)
        checks.append(Check("risk", rule.name, verdict))
        if isinstance(verdict, Rejection):
            raise _RefusedError("risk", rule.name, verdict)
    return evolve(plan, checks=tuple(checks))
