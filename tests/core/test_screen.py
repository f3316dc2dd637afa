"""The filters' turn: in order, the first refusal ends it, and whatever goes wrong refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, evolve, field

from framework import MarketSnapshot, Need, Notice, Passed, Rejection, Signal, Verdict
from framework.core.screen import Screener, screen
from framework.core.verdict import Accepted, Refused
from framework.testing import NOW_NS, make_candles, make_quote, make_signal, make_snapshot

SIGNAL = make_signal()
NO = Rejection("too_small", "too small", {"volume": 1})


@define
class Asked:
    """A filter that answers as the test wants it, and counts how often it is asked."""

    name: str
    answer: Callable[[Signal, MarketSnapshot], Any] = lambda signal, market: Passed()
    needs: frozenset[Need] = frozenset()
    calls: int = field(default=0, init=False)

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        self.calls += 1
        verdict: Verdict = self.answer(signal, market)
        return verdict


def says(name: str, verdict: object) -> Asked:
    return Asked(name, lambda signal, market: verdict)


def refusal(*filters: Screener, **market: Any) -> Refused:
    verdict = screen(SIGNAL, make_snapshot(**market), filters)
    assert isinstance(verdict, Refused)
    return verdict


def test_a_signal_that_every_filter_lets_through_is_accepted_with_all_verdicts_in_order() -> None:
    market = make_snapshot()
    notice = Notice("wide", "a wide spread")
    accepted = screen(SIGNAL, market, [says("one", Passed({"n": 1})), says("two", notice)])
    assert isinstance(accepted, Accepted)
    assert (accepted.signal, accepted.market) == (SIGNAL, market)
    assert [(c.kind, c.component, c.verdict) for c in accepted.checks] == [
        ("filter", "one", Passed({"n": 1})),
        ("filter", "two", notice),
    ]


def test_without_filters_every_signal_is_accepted() -> None:
    assert isinstance(screen(SIGNAL, make_snapshot(), []), Accepted)


def test_the_first_refusal_ends_it_and_later_filters_are_not_asked() -> None:
    last = Asked("last")
    refused = refusal(says("first", Passed()), says("middle", NO), last)
    assert (refused.stage, refused.component, refused.rejection) == ("filter", "middle", NO)
    assert [check.component for check in refused.checks] == ["first", "middle"]
    assert last.calls == 0


def test_a_filter_that_raises_refuses_and_says_what_it_raised() -> None:
    def broken(signal: Signal, market: MarketSnapshot) -> Verdict:
        raise ZeroDivisionError("no volume")

    rejection = refusal(Asked("broken", broken)).rejection
    assert rejection.code == "component_failed"
    assert rejection.message == "broken raised ZeroDivisionError: no volume"


@pytest.mark.parametrize("answer", [None, True, "passed", Passed, SIGNAL])
def test_an_answer_that_is_no_verdict_refuses(answer: object) -> None:
    refused = refusal(says("odd", answer))
    assert refused.rejection.code == "component_failed"
    assert isinstance(refused.checks[-1].verdict, Rejection)


OLD = make_quote(time_ns=NOW_NS - 31_000_000_000)
HOURS = make_candles("1h", 3)
READS: dict[str, Callable[[MarketSnapshot], object]] = {
    "quote": lambda market: market.quote,
    "open interest": lambda market: market.open_interest_usd,
    "positions": lambda market: market.positions,
    "closed positions": lambda market: market.closed_positions,
    "candles": lambda market: market.candles("1h", 2),
}


def reading(read: str, *needs: Need) -> Asked:
    def check(signal: Signal, market: MarketSnapshot) -> Verdict:
        READS[read](market)
        return Passed()

    return Asked(read.replace(" ", "-"), check, frozenset(needs))


@pytest.mark.parametrize("read", READS)
def test_a_filter_that_reads_what_it_did_not_declare_refuses(read: str) -> None:
    rejection = refusal(reading(read), candles={"1h": HOURS}).rejection
    assert rejection.code == "data_missing"
    assert "did not declare" in rejection.message


@pytest.mark.parametrize(
    ("read", "need", "market"),
    [
        ("quote", Need.BOOK_TOP, {"quote": None}),
        ("quote", Need.BOOK_TOP, {"quote": OLD, "max_age_ns": 30_000_000_000}),
        ("open interest", Need.OPEN_INTEREST, {"open_interest_usd": None}),
        ("candles", Need.candles("1h", 2), {}),
        ("candles", Need.candles("1h", 2), {"candles": {"1h": HOURS[-1:]}}),
        ("candles", Need.candles("1h", 2), {"candles": {"1h": HOURS[:-1]}}),
        ("candles", Need.candles("1h", 2), {"candles": {"1h": (HOURS[0], HOURS[2])}}),
    ],
    ids=["no quote", "old quote", "no open interest", "no candles", "too few", "not the last", "a gap"],
)
def test_data_that_is_missing_or_stale_refuses(read: str, need: Need, market: dict[str, Any]) -> None:
    filter_ = reading(read, need)
    rejection = refusal(filter_, **market).rejection
    assert rejection.code == "data_missing"
    assert rejection.message.startswith(f"{filter_.name} needs ")
    assert rejection.numbers["need"] == str(need)


def test_candles_of_the_interval_that_is_not_closed_yet_count_as_missing() -> None:
    last = HOURS[-1]
    running = evolve(last, open_ns=last.close_ns, close_ns=last.close_ns + 3_600_000_000_000)
    rejection = refusal(reading("candles", Need.candles("1h", 2)), candles={"1h": (*HOURS, running)}).rejection
    assert rejection.code == "data_missing"


@pytest.mark.parametrize(
    ("read", "need"),
    [
        ("quote", Need.BOOK_TOP),
        ("open interest", Need.OPEN_INTEREST),
        ("positions", Need.POSITIONS),
        ("closed positions", Need.CLOSED_POSITIONS),
        ("candles", Need.candles("1h", 3)),
    ],
)
def test_data_that_is_declared_and_fresh_may_be_read(read: str, need: Need) -> None:
    market = make_snapshot(candles={"1h": HOURS}, max_age_ns=30_000_000_000)
    assert isinstance(screen(SIGNAL, market, [reading(read, need)]), Accepted)
