"""When a simulated run ends: as soon as all has been well for a while, and never before."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from framework import SignalReceived, SignalRefused
from framework_simulator.simulation import Item, Laboratory, Schedule
from framework_simulator.simulation.rest import Balance

OURS = "fw-aaaaaaaaaaaaaaaa-s0"
MARKET = ("binance", "BTCUSDT")
NOBODY: frozenset[tuple[str, str]] = frozenset()


def line(kind: str, **fields: Any) -> Mapping[str, Any]:
    return {"kind": kind, "venue": MARKET[0], "symbol": MARKET[1], **fields}


def stop(**fields: Any) -> Mapping[str, Any]:
    told = {"id": "s", "client_id": OURS, "qty": "1", "attached": False, "status": "untriggered"}
    return line("stop", **{**told, **fields})


def position(quantity: str) -> Mapping[str, Any]:
    return line("position", qty=quantity)


def order(status: str) -> Mapping[str, Any]:
    return line("order", id="o", status=status)


@pytest.mark.parametrize(
    ("lines", "well"),
    [
        ([], True),
        ([position("1")], False),
        ([position("1"), stop()], True),
        ([position("-2"), stop()], False),
        ([position("-2"), stop(qty=None, attached=True)], True),
        ([position("1"), stop(), stop(status="cancelled")], False),
        ([position("1"), stop(), stop(status="triggering")], False),
        ([position("0"), stop()], False),
        ([position("0"), stop(client_id="web-1")], True),
        ([stop()], False),
        ([order("new")], False),
        ([order("new"), order("filled")], True),
        ([line("fill", side="buy", qty="1")], False),
    ],
)
def test_all_is_well_if_positions_are_covered_and_nothing_is_left_over(
    lines: list[Mapping[str, Any]], well: bool
) -> None:
    balance = Balance()
    for each in lines:
        balance.line(each)

    assert balance.is_well(NOBODY, counts_fills=True) is well


def test_fills_that_the_journal_lacks_do_not_count_where_others_trade_or_clocks_are_off() -> None:
    balance = Balance()
    balance.line(line("fill", side="sell", qty="1"))

    assert balance.is_well(frozenset({MARKET}), counts_fills=True)
    assert balance.is_well(NOBODY, counts_fills=False)
    assert balance.is_covered(MARKET)
    assert balance.held.get(MARKET, Decimal(0)) == 0


def test_a_run_that_may_rest_ends_when_its_faults_are_over_and_all_has_been_well() -> None:
    item = Item("signal", 5_000, venue="bybit", own={"symbol": "BTCUSDT", "side": "long"})
    schedule = Schedule(1, (item,), calm_ms=20_000, end_ms=300_000, variant="market on bybit", rest_ms=12_000)

    with Laboratory() as laboratory:
        outcome = laboratory.run(schedule).outcome

    assert outcome is not None
    assert 32 <= outcome.virtual_s <= 45
    assert [life.end.killed for life in outcome.lives] == [False]
    assert outcome.balance.held["bybit", "BTCUSDT"] > 0


def test_a_run_does_not_end_before_every_signal_was_sent_whatever_the_clock_of_the_product_says() -> None:
    signals = [
        Item("signal", at_ms, venue="bybit", own={"symbol": symbol, "side": "long"})
        for at_ms, symbol in ((5_000, "BTCUSDT"), (17_000, "ETHUSDT"))
    ]
    off = Item("clock", 7_000, 12_000, own={"skew_ms": -3_600_000})
    schedule = Schedule(1, (*signals, off), calm_ms=8_000, end_ms=300_000, variant="market on bybit", rest_ms=3_000)

    with Laboratory() as laboratory:
        trial = laboratory.run(schedule)

    assert trial.problems == ()
    assert trial.outcome is not None
    received = [record for record in trial.outcome.records if isinstance(record, SignalReceived | SignalRefused)]
    assert len(received) == 2
    assert trial.outcome.virtual_s < 60
