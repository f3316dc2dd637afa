"""The parts that invariants share: time up, outages, ids, the direction of a stop, refusals, figures."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.entries import is_refusal
from tests.oracle.figures import VenueFigures
from tests.oracle.names import Names, Owner
from tests.oracle.outages import Outages, lasts_ns
from tests.oracle.state import ZERO, falls
from tests.oracle.story import P1
from tests.oracle.uptime import Uptime

S = 1_000_000_000
EDGES = st.lists(st.integers(0, 100), max_size=8, unique=True).map(sorted)
PRICE, ENTRY = Decimal(100), Decimal(110)


def up(edges: list[int]) -> Uptime:
    return Uptime(tuple(zip(edges[::2], edges[1::2], strict=False)))


@settings(deadline=None, max_examples=100)
@given(edges=EDGES, start=st.integers(0, 110), length=st.integers(0, 60))
def test_overlap_counts_the_nanoseconds_that_were_up(edges: list[int], start: int, length: int) -> None:
    uptime = up(edges)
    was_up = [t for t in range(start, start + length) if any(a <= t < b for a, b in uptime.intervals)]

    assert uptime.overlap_ns(start, start + length) == len(was_up)


@settings(deadline=None, max_examples=100)
@given(edges=EDGES, start=st.integers(0, 110), wanted=st.integers(1, 60))
def test_the_instant_after_so_much_time_up_is_the_first_with_so_much(edges: list[int], start: int, wanted: int) -> None:
    uptime = up(edges)
    expected = next((end for end in range(start, 300) if uptime.overlap_ns(start, end) >= wanted), None)

    assert uptime.after_ns(start, wanted) == expected


def test_who_is_always_up_never_went_down() -> None:
    assert Uptime().went_down_ns(10**18) is None
    assert up([1, 5, 7, 9]).went_down_ns(4) is None
    assert up([1, 5, 7, 9]).went_down_ns(8) == 5


@pytest.mark.parametrize(
    ("name", "parameters", "seconds"),
    [
        ("ack-lost", None, 0),
        ("banned", None, 120),
        ("banned", {"retry_after_s": 7}, 7),
        ("rate-limited", None, 10),
        ("slow-response", None, 15),
        ("slow-response", {"delay_ms": 500}, 0.5),
        ("streams-silent", {"for_ms": 1000}, 1),
        ("stale-reads", None, 65),
        ("stale-reads", {"lag_ms": 1000}, 61),
        ("stop-vanishes", {"after_ms": 3000}, 3),
        ("refuse", {"code": -2021}, 0),
    ],
)
def test_a_fault_lasts_as_long_as_it_says(name: str, parameters: dict[str, int] | None, seconds: float) -> None:
    line = {"name": name, **({} if parameters is None else {"parameters": parameters})}

    assert lasts_ns(line) == seconds * S


def test_windows_of_an_outage_are_cut_and_merged() -> None:
    outages = Outages(10)
    for t, more in ((0, {}), (5, {"symbol": "A"}), (30, {"account": "me"}), (40, {"symbol": "B"}), (90, {})):
        outages.add({"venue": "bybit", "account": None, "t": t, "name": "refuse", **more})

    assert outages.within("bybit", "me", "A", 2, 95) == [(2, 15), (30, 40), (90, 95)]
    assert outages.within("bybit", "you", "B", 0, 60) == [(0, 10), (40, 50)]
    assert outages.within("bybit", "you", "B", 60, 80) == []
    assert outages.within("binance", "me", "A", 0, 100) == []
    assert outages.over_ns("bybit", "me", "A", 95) == 100
    assert outages.over_ns("binance", "me", "A", 95) == 0


def test_windows_that_are_told_stand_in_for_all_fault_lines() -> None:
    outages = Outages(10, {"bybit": [(20, 30), (50, 60)]})
    outages.add({"venue": "bybit", "account": None, "t": 5, "name": "refuse"})

    assert outages.within("bybit", "me", "A", 0, 55) == [(20, 30), (50, 55)]
    assert outages.within("binance", "me", "A", 0, 55) == []
    assert outages.over_ns("bybit", "me", "A", 40) == 30
    assert outages.over_ns("bybit", "me", "A", 55) == 60
    assert [outages.shut_until_ns("bybit", now_ns) for now_ns in (10, 40, 55)] == [0, 30, 60]
    assert outages.shut_until_ns("binance", 55) == 0
    assert Outages(10).shut_until_ns("bybit", 55) == 0


@pytest.mark.parametrize(
    ("client_id", "owner"),
    [
        (f"fw-{P1}-e0", Owner(P1, "e", 0)),
        (f"fw-{P1}-s999999", Owner(P1, "s", 999_999)),
        (f"fw-{P1}-e0 ", None),
        (f"fwx-{P1}-e0", None),
        ("fw-" + "1" * 16 + "-e0", None),
        ("", None),
        (None, None),
    ],
)
def test_an_id_says_whose_an_order_is(client_id: str | None, owner: Owner | None) -> None:
    assert Names().owner(client_id) == owner


@pytest.mark.parametrize(
    ("side", "trigger", "price", "entry", "attached", "expected"),
    [
        ("sell", 99, PRICE, ENTRY, False, True),
        ("sell", 105, PRICE, ENTRY, False, False),
        ("sell", 105, PRICE, ENTRY, True, True),
        ("sell", 111, PRICE, ENTRY, True, False),
        ("buy", 101, PRICE, ENTRY, False, False),
        ("buy", 99, PRICE, ENTRY, True, True),
        ("buy", 105, PRICE, ENTRY, True, False),
        ("sell", 100, PRICE, ENTRY, False, True),
        ("sell", 120, None, ENTRY, False, False),
        ("sell", 120, None, ZERO, False, True),
        ("buy", 120, None, ZERO, True, False),
        ("buy", 100, PRICE, ZERO, False, False),
    ],
)
def test_where_the_market_was_tells_on_what_a_stop_acts(
    side: str,
    trigger: int,
    price: Decimal | None,
    entry: Decimal,
    attached: bool,
    expected: bool,
) -> None:
    assert falls(side, Decimal(trigger), price, entry, attached=attached) is expected


@pytest.mark.parametrize(
    ("venue", "status", "code", "fault", "expected"),
    [
        ("binance", 400, -2019, "", True),
        ("binance", 503, -1008, "", True),
        ("binance", 503, None, "", False),
        ("binance", 408, -1007, "", False),
        ("binance", 400, -2019, "ack-lost", False),
        ("bybit", 200, 110007, "", True),
        ("bybit", 200, 0, "", False),
        ("bybit", 200, 10016, "", False),
        ("bybit", 200, "110007", "", True),
    ],
)  # fmt: skip
def test_a_refusal_is_what_proves_that_nothing_was_done(
    venue: str,
    status: int,
    code: int | str | None,
    fault: str,
    expected: bool,
) -> None:
    assert is_refusal(venue, status, code, [fault]) is expected


def test_shares_of_naked_time_are_values_that_occurred() -> None:
    figures = VenueFigures(naked_ns=[n * 1_000_000 for n in range(200, 0, -1)])

    naked = figures.told()["naked_ms"]

    assert (naked["p50"], naked["p99"], naked["worst"], naked["total"]) == (100, 198, 200, 20_100)
    assert VenueFigures().told()["naked_ms"]["worst"] == 0
