"""The contract of a filter: it answers, it reads what it declares, and never passes what it can't see."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from attrs import define, evolve, field

from ...components import Filter
from ...core.market import (
    Account,
    Candle,
    ClosedPosition,
    MarketData,
    MarketRules,
    MarketSnapshot,
    Need,
    OpenPosition,
    Quote,
)
from ...core.signal import Side, Signal
from ...core.verdict import Rejection, Verdict
from ...errors import MissingDataError
from ..builders import (
    NOW_NS,
    make_account,
    make_candles,
    make_closed_position,
    make_open_position,
    make_quote,
    make_rules,
    make_signal,
)
from .component import ask_twice, check_component, require, require_verdict


@define
class _Watched(MarketSnapshot):
    """A snapshot that notes what is read of it."""

    reads: set[Need] = field(factory=set, eq=False)

    @property
    def quote(self) -> Quote:
        self.reads.add(Need.BOOK_TOP)
        return super().quote

    @property
    def open_interest_usd(self) -> Decimal:
        self.reads.add(Need.OPEN_INTEREST)
        return super().open_interest_usd

    @property
    def positions(self) -> tuple[OpenPosition, ...]:
        self.reads.add(Need.POSITIONS)
        return super().positions

    @property
    def closed_positions(self) -> tuple[ClosedPosition, ...]:
        self.reads.add(Need.CLOSED_POSITIONS)
        return super().closed_positions

    def candles(self, interval: str, count: int = 1) -> tuple[Candle, ...]:
        self.reads.add(Need.candles(interval, count))
        return super().candles(interval, count)


def check_filter(component: Filter, *, signals: tuple[Signal, ...] = ()) -> None:
    """Raise `ContractBrokenError` if the filter breaks its contract.

    It is shown calm and wild markets, both sides, listed and unlisted. `signals` are shown as well: give some that
    it looks at closely, if the default ones leave a part of it unused.
    """
    check_component(component)
    needs = component.needs
    require(isinstance(needs, frozenset), component, f"`needs` must be a frozenset of Need, got {needs!r}")
    require(needs == component.needs, component, "`needs` must not change")
    read: set[Need] = set()
    for signal in (*_signals(), *signals):
        for rules in (make_rules(signal.symbol), None):
            for data, account in _worlds(signal, needs):
                read |= _check_situation(component, signal, rules, data, account)
    for need in needs:
        require(need in read, component, f"declares that it needs {need}, but never reads it")


def _check_situation(
    component: Filter, signal: Signal, rules: MarketRules | None, data: MarketData, account: Account
) -> set[Need]:
    """Ask once with everything that was declared, then without each piece that was read. Answers what was read."""
    _, read = _ask(component, signal, rules, data, account)
    for need in read:
        without = _without(data, need)
        if without is not None:
            verdict, _ = _ask(component, signal, rules, without, account)
            closed = verdict is None or isinstance(verdict, Rejection)
            require(closed, component, f"lets a signal through although {need} is missing")
    return read


def _ask(
    component: Filter, signal: Signal, rules: MarketRules | None, data: MarketData, account: Account
) -> tuple[Verdict | None, set[Need]]:
    """The verdict (None: data was missing) and what was read."""
    snapshot = _Watched(
        symbol=signal.symbol,
        account=signal.account,
        time_ns=NOW_NS,
        rules=rules,
        data=data,
        state=account,
        declared=component.needs,
        max_age_ns=None,
    )
    try:
        verdict = ask_twice(component, component.check, signal, snapshot)
    except MissingDataError:
        for need in snapshot.reads:
            require(_is_covered(need, component.needs), component, f"reads {need} without declaring it in `needs`")
        return None, snapshot.reads
    require_verdict(component, verdict)
    return verdict, snapshot.reads


def _is_covered(need: Need, declared: frozenset[Need]) -> bool:
    return any(
        other.kind == need.kind and other.interval == need.interval and other.count >= need.count for other in declared
    )


def _without(data: MarketData, need: Need) -> MarketData | None:
    """`data` without what `need` speaks of; None when the venue does not deliver it."""
    if need == Need.BOOK_TOP:
        return evolve(data, quote=None)
    if need == Need.OPEN_INTEREST:
        return evolve(data, open_interest_usd=None)
    if need.interval:
        return evolve(data, candles={k: v for k, v in data.candles.items() if k != need.interval})
    return None


def _signals() -> Iterator[Signal]:
    for side in Side:
        yield make_signal(side=side, scores={"week": 90, "month": 90})
        yield make_signal(side=side, score=0, created_ns=NOW_NS - 86_400_000_000_000)


def _worlds(signal: Signal, needs: frozenset[Need]) -> Iterator[tuple[MarketData, Account]]:
    """A calm market on an idle account, and a wild one, going up or down, on a busy account."""
    for move in (Decimal(0), Decimal(30), Decimal(-30)):
        calm = move == 0
        volume = 1_000_000_000 if calm else 1
        data = MarketData(
            symbol=signal.symbol,
            quote=make_quote() if calm else make_quote(90, 110),
            open_interest_usd=Decimal(1_000_000_000 if calm else 1),
            candles={
                need.interval: make_candles(
                    need.interval, need.count, last_close=Decimal(100) + move, quote_volume=volume
                )
                for need in needs
                if need.interval
            },
        )
        held = () if calm else (make_open_position(signal.symbol, account=signal.account),)
        lost = () if calm else (make_closed_position(signal.symbol, account=signal.account),)
        yield data, make_account(signal.account, open=held, closed=lost)
