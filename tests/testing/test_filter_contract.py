"""The contract suite of filters catches each way to break it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import frozen

from framework import MarketSnapshot, MissingDataError, Need, Notice, Passed, Rejection, Signal, Verdict
from framework.testing import ContractBrokenError, check_filter, make_signal

Check = Callable[[Signal, MarketSnapshot], Any]


def make_filter(check: Check, *needs: Need) -> Any:
    """A filter that behaves like this."""

    @frozen
    class Made:
        """Do as told."""

        name: ClassVar[str] = "made"
        needs: ClassVar[frozenset[Need]]

        def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
            verdict: Verdict = check(signal, market)
            return verdict

    Made.needs = frozenset(needs)
    return Made()


def caught(component: Any, message: str) -> None:
    with pytest.raises(ContractBrokenError, match=message):
        check_filter(component)


def spread(signal: Signal, market: MarketSnapshot) -> Verdict:
    wide = market.quote.ask > market.quote.bid * 2
    return Rejection("wide", "the spread is wide", {"ask": market.quote.ask}) if wide else Passed()


def test_a_filter_that_keeps_the_contract_is_accepted() -> None:
    check_filter(make_filter(spread, Need.BOOK_TOP))
    check_filter(make_filter(lambda signal, market: Notice("seen", "seen", {"n": 1, "of": "all"})))


def test_reading_what_was_not_declared_is_caught() -> None:
    caught(make_filter(spread), "reads book_top without declaring it")


def test_reading_more_candles_than_declared_is_caught() -> None:
    component = make_filter(lambda signal, market: Passed({"n": len(market.candles("1m", 3))}), Need.candles("1m", 2))

    caught(component, "reads 3 candles of 1m without declaring it")


@pytest.mark.parametrize(
    "need",
    [Need.BOOK_TOP, Need.OPEN_INTEREST, Need.POSITIONS, Need.CLOSED_POSITIONS, Need.candles("1h", 2)],
    ids=str,
)
def test_declaring_what_is_never_read_is_caught(need: Need) -> None:
    caught(make_filter(lambda signal, market: Passed(), need), f"declares that it needs {need}, but never reads it")


def test_what_only_a_special_signal_makes_it_read_counts_when_that_signal_is_given() -> None:
    def check(signal: Signal, market: MarketSnapshot) -> Verdict:
        return Passed({"ask": market.quote.ask} if signal.symbol == "RAREUSDT" else {})

    component = make_filter(check, Need.BOOK_TOP)

    caught(component, "never reads it")
    check_filter(component, signals=(make_signal("RAREUSDT"),))


@pytest.mark.parametrize(
    ("need", "read"),
    [
        (Need.BOOK_TOP, lambda market: market.quote),
        (Need.OPEN_INTEREST, lambda market: market.open_interest_usd),
        (Need.candles("1m", 5), lambda market: market.candles("1m", 5)),
    ],
    ids=["quote", "open interest", "candles"],
)
def test_letting_a_signal_through_without_its_data_is_caught(need: Need, read: Callable[[MarketSnapshot], Any]) -> None:
    def check(signal: Signal, market: MarketSnapshot) -> Verdict:
        try:
            read(market)
        except MissingDataError:
            return Passed()
        return Passed()

    caught(make_filter(check, need), f"lets a signal through although {need} is missing")


@pytest.mark.parametrize(
    ("verdict", "message"),
    [
        (None, "the verdict must be Passed, Notice or Rejection, got None"),
        (True, "the verdict must be Passed, Notice or Rejection, got True"),
        (Rejection("Too Wide", "it is"), "a reason code must be like `too_wide`, got 'Too Wide'"),
        (Notice("", "it is"), "a reason code must be like"),
        (Rejection("wide", " "), "a message is one line"),
        (Rejection("wide", "one\ntwo"), "a message is one line"),
        (Passed({"spread": 0.1}), "the number `spread` must be a Decimal, an int or text, got 0.1"),  # type: ignore[dict-item]
        (Passed({"spread": True}), "the number `spread` must be a Decimal, an int or text, got True"),
        (Passed({"spread": Decimal("NaN")}), "the number `spread` must be finite"),
        (Passed({1: 1}), "the name of a number must be text"),  # type: ignore[dict-item]
    ],
)
def test_an_answer_that_is_no_verdict_is_caught(verdict: Any, message: str) -> None:
    caught(make_filter(lambda signal, market: verdict), message)


def test_answers_that_differ_are_caught() -> None:
    count: Iterator[int] = itertools.count()

    caught(make_filter(lambda signal, market: Passed({"n": next(count)})), "answers differ for the same facts")


def test_changing_the_facts_is_caught() -> None:
    def check(signal: Signal, market: MarketSnapshot) -> Verdict:
        signal.scores["seen"] = Decimal(1)  # type: ignore[index]
        return Passed()

    caught(make_filter(check), "changes itself or the facts it was given")


def test_needs_that_change_are_caught() -> None:
    @frozen
    class Fickle:
        """Need now this, now that."""

        name: ClassVar[str] = "fickle"
        turns: ClassVar[Iterator[frozenset[Need]]] = itertools.cycle((frozenset(), frozenset({Need.BOOK_TOP})))

        @property
        def needs(self) -> frozenset[Need]:
            return next(self.turns)

        def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
            return Passed()

    caught(Fickle(), "`needs` must not change")


def test_needs_that_are_no_frozenset_are_caught() -> None:
    component = make_filter(lambda signal, market: Passed())
    type(component).needs = {Need.BOOK_TOP}

    caught(component, "`needs` must be a frozenset of Need")
