"""When nothing could be done or known: as narrow as a ledger lets it be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from framework import Event, Record, SessionMode, SessionStarted
from framework_simulator.simulation import Item, Laboratory, Outcome, Schedule
from tests.simulation.judging import judge
from tests.simulation.windows import absences, impossible, unheard

S = 1_000_000_000
ALGO = {"topic": "ALGO_UPDATE", "event": "CANCELED"}


def fault(name: str, t: float, venue: str = "bybit", **parameters: int) -> dict[str, Any]:
    return {"kind": "fault", "name": name, "venue": venue, "t": int(t * S), "parameters": parameters}


# ── nothing gets through ────────────────────────────────────────────────────────────────────────────────────


def test_only_partitions_and_silence_make_it_impossible_to_protect() -> None:
    lines = [
        fault("partition-all", 1, for_ms=2_000),
        fault("partition-writes", 5, for_ms=1_000),
        fault("rate-limited", 8, retry_after_s=60),
        fault("banned", 10, retry_after_s=60),
        fault("lost-request", 1_200),
        fault("stop-vanishes", 1_201),
    ]

    assert impossible(lines) == {"bybit": [(S, 3 * S), (5 * S, 6 * S), (8 * S, 9 * S), (10 * S, 610 * S)]}


def test_binance_says_how_long_it_wants_to_hear_nothing() -> None:
    lines = [fault("rate-limited", 1, "binance", retry_after_s=60), fault("banned", 100, "binance")]

    assert impossible(lines) == {"binance": [(S, 61 * S), (100 * S, 220 * S)]}


# ── nothing can be known: no reads, and something that no stream told ───────────────────────────────────────


@pytest.mark.parametrize(
    ("told", "window"),
    [
        ([], []),
        ([fault("lost-request", 210)], []),
        ([fault("frame-lost", 210, "binance")], []),
        ([fault("frame-lost", 139.9)], []),
        ([fault("frame-lost", 140)], [(200 * S, 260 * S)]),
        ([fault("streams-silent", 100, for_ms=39_999)], []),
        ([fault("streams-silent", 100, for_ms=40_000)], [(200 * S, 260 * S)]),
        ([fault("frame-lost", 250)], [(250 * S, 260 * S)]),
        ([fault("frame-lost", 260)], []),
    ],
)
def test_without_reads_nothing_can_be_known_since_a_stream_was_silent_within_the_minute_before(
    told: list[dict[str, Any]], window: list[tuple[int, int]]
) -> None:
    cut = fault("partition-reads", 200, for_ms=60_000)

    assert impossible([cut, *told]).get("bybit", []) == window


# ── an account that is not connected ────────────────────────────────────────────────────────────────────────


def joined(after_s: int) -> list[Record]:
    began = SessionStarted(500 * S, "1", "", ("binance", "bybit"), False, SessionMode.LIVE)
    return [began, Event((500 + after_s) * S, "info", "account_up", "connected", "bybit")]


def test_an_account_that_a_fault_kept_from_being_connected_is_not_up_before() -> None:
    assert absences(joined(4), [fault("lost-request", 499)]) == {"bybit": [(500 * S, 504 * S)]}


@pytest.mark.parametrize("at", [504, 505])
def test_what_happened_after_it_was_connected_kept_no_account_away(at: int) -> None:
    assert absences(joined(4), [fault("lost-request", at)]) == {}


@pytest.mark.parametrize("faults", [[], [fault("lost-request", 499, "binance")], [fault("lost-request", 440)]])
def test_an_account_that_nothing_kept_away_is_up_from_the_start(faults: list[dict[str, Any]]) -> None:
    assert absences(joined(4), faults) == {}


def test_an_account_has_a_minute_to_come_up_when_the_last_fault_is_over() -> None:
    cut = fault("partition-all", 480, for_ms=30_000)

    assert absences(joined(100), [cut]) == {"bybit": [(500 * S, 570 * S)]}
    assert absences(joined(70), [cut]) == {"bybit": [(500 * S, 570 * S)]}
    assert absences(joined(69), [cut]) == {"bybit": [(500 * S, 569 * S)]}


# ── a stop that the venue took away without a word ──────────────────────────────────────────────────────────


def gone(t: float = 1_000, status: str = "cancelled") -> dict[str, Any]:
    stop = {"kind": "stop", "venue": "binance", "symbol": "BTCUSDT", "status": status, "t": int(t * S)}
    return {**stop, "client_id": "fw-1-s0"}


def said(t: float = 1_000, topic: str = "ALGO_UPDATE", event: str = "CANCELED") -> dict[str, Any]:
    return {"kind": "stream", "venue": "binance", "topic": topic, "event": event, "t": int(t * S)}


def kept_back(name: str, topic: str = "ALGO_UPDATE", symbol: str = "BTCUSDT", **parameters: int) -> dict[str, Any]:
    return {**fault(name, 1_000, "binance", **parameters), "topic": topic, "event": "CANCELED", "symbol": symbol}


def read(t: float, status: int = 200, path: str = "/fapi/v1/openAlgoOrders", **params: str) -> list[dict[str, Any]]:
    sent = {"kind": "request", "id": int(t), "venue": "binance", "method": "GET", "path": path, "t": int(t * S)}
    sent["params"] = params
    return [sent, {"kind": "response", "request": int(t), "venue": "binance", "status": status, "t": int(t * S)}]


def silent_s(lines: Sequence[dict[str, Any]], lag_s: int = 0) -> float:
    """How long nobody could know of the stop that was taken away at 1,000 s."""
    later = [{"kind": "price", "venue": "binance", "symbol": "BTCUSDT", "t": 2_000 * S}]
    ((begin, end),) = unheard([*lines, *later], lag_s).get(("binance", "BTCUSDT"), [(0, 0)])
    return (end - begin) / S


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        ([said()], 0),
        ([said(), fault("frame-lost", 1_000, "binance", delay_ms=6_000)], 60),
        ([said(), fault("frame-late", 1_000, "binance", delay_ms=6_000)], 6),
        ([said(), fault("frame-twice", 1_000, "binance", delay_ms=6_000)], 0),
        ([said(), fault("frame-lost", 1_001, "binance", delay_ms=6_000)], 0),
        ([said(), fault("frame-lost", 1_000, "bybit", delay_ms=6_000)], 0),
        ([said(), said(topic="ACCOUNT_UPDATE"), fault("frame-lost", 1_000, "binance", delay_ms=6_000)], 0),
        ([kept_back("lose-event")], 60),
        ([kept_back("delay-event", delay_ms=20_000)], 20),
        ([kept_back("duplicate-event")], 0),
        ([kept_back("lose-event", topic="ACCOUNT_UPDATE")], 0),
        ([kept_back("lose-event", symbol="ETHUSDT")], 0),
        ([], 0),
    ],
)
def test_a_stop_that_is_taken_away_without_a_word_is_missed_by_the_next_reading(
    after: list[dict[str, Any]], seconds: float
) -> None:
    assert silent_s([gone(), *after]) == seconds


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        ([said(1_004)], 4),
        ([said(1_003, event="NEW"), said(1_004)], 4),
        ([said(1_003, topic="ORDER_TRADE_UPDATE"), said(1_004)], 4),
        ([said(1_004), fault("frame-late", 1_004, "binance", delay_ms=6_000)], 10),
        ([said(1_004), fault("frame-lost", 1_004, "binance", delay_ms=6_000)], 60),
        ([said(1_004), said(1_004, event="NEW"), fault("frame-lost", 1_004, "binance", delay_ms=6_000)], 4),
        ([said(1_070)], 60),
        ([], 60),
        ([*read(1_002), said(1_004)], 2),
    ],
)
def test_a_word_out_of_turn_is_kept_back_until_it_is_told(after: list[dict[str, Any]], seconds: float) -> None:
    assert silent_s([gone(), kept_back("swap-events"), *after]) == seconds


def test_who_asked_for_its_end_knows_of_it() -> None:
    sent, answered = read(1_000)

    assert silent_s([sent, gone(), kept_back("lose-event"), answered]) == 0


def test_a_stop_that_has_acted_was_not_taken_away() -> None:
    assert silent_s([gone(status="finished"), kept_back("lose-event")]) == 0


@pytest.mark.parametrize(
    ("reads", "seconds"),
    [
        (read(1_005), 5),
        (read(1_005, status=503), 60),
        (read(1_005, path="/fapi/v1/openOrders"), 60),
        (read(995), 60),
        ([*read(1_005, status=503), *read(1_009)], 9),
        (read(1_070), 60),
        (read(1_005, symbol="BTCUSDT"), 5),
        (read(1_005, symbol="ETHUSDT"), 60),
        ([*read(1_005, symbol="ETHUSDT"), *read(1_009)], 9),
        (read(1_005, path="/v5/order/realtime", symbol="BTCUSDT", orderLinkId="fw-1-s0"), 5),
        (read(1_005, path="/v5/order/realtime", symbol="BTCUSDT", orderLinkId="fw-1-e0"), 60),
    ],
)
def test_the_first_read_that_shows_that_it_is_gone_ends_the_excuse(reads: list[dict[str, Any]], seconds: int) -> None:
    lines = sorted([gone(), kept_back("lose-event"), *reads], key=lambda line: line["t"])

    assert silent_s(lines) == seconds


@pytest.mark.parametrize(("at", "seconds"), [(984.9, 5), (985, 60), (1_003, 60)])
def test_a_read_that_may_have_met_a_fault_shows_nothing_for_sure(at: float, seconds: int) -> None:
    met = {**fault("lost-response", at, "binance"), "path": "/fapi/v1/openAlgoOrders"}
    lines = sorted([gone(), kept_back("lose-event"), met, *read(1_005)], key=lambda line: line["t"])

    assert silent_s(lines) == seconds


def test_where_reads_are_late_none_is_sure_to_show_it() -> None:
    assert silent_s([gone(), kept_back("lose-event"), *read(1_005)], lag_s=5) == 60


# ── the same in a whole run ─────────────────────────────────────────────────────────────────────────────────


def silently_taken() -> Outcome:
    signal = Item("signal", 5_000, venue="bybit", own={"symbol": "BTCUSDT", "side": "long"})
    taken = Item("rule", 4_500, 10_000, "bybit", {"name": "stop-vanishes", "count": 1})
    silent = Item("rule", 5_105, 10_000, "bybit", {"name": "lose-event", "count": 30})
    calm = Schedule(
        1,
        (signal, taken, silent),
        calm_ms=20_000,
        end_ms=240_000,
        variant="market on bybit",
        volatility=0.0,
        rest_ms=6_000,
    )
    with Laboratory((judge,)) as laboratory:
        trial = laboratory.run(calm)
    assert trial.problems == ()
    assert trial.outcome is not None
    return trial.outcome


def test_a_stop_that_vanishes_without_a_word_is_placed_again_and_the_oracle_counts_it_until_then() -> None:
    outcome = silently_taken()

    ((begin, end),) = unheard(outcome.lines, 0)["bybit", "BTCUSDT"]
    (naked_ms,) = outcome.figures["naked ms on bybit"]

    assert 0 < end - begin < 5 * S
    assert 0 < naked_ms < 8_000
