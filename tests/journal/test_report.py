"""A report counts what became of each wave, and its counts add up."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from framework.core.ids import Leg
from framework.core.records import Record, WaveOpened
from framework.core.signal import Signal
from framework.journal import JournalReader, WaveReport, as_json, report
from framework.journal.figures import STAGES, Counts, ErrorCount, ExitCount, Latency, NakedTime
from framework.journal.report import Material, _latency, report_of
from framework.journal.rows import SignalRow, WaveRow
from tests.journal import history as h


def _counts(part: Counts) -> tuple[int, int, int, int, int, int, int, int]:
    return (
        part.received, part.adapted, part.attempted, part.opened, part.protected,
        part.not_attempted, part.refused, part.undecided,
    )  # fmt: skip


def _wave_of(signal: Signal) -> tuple[Record, ...]:
    """A wave of one signal, which is being opened."""
    planned = h.decision(signal, "planned", position_id=h.place(signal))
    return WaveOpened(h.BAR, h.WAVE, h.BAR), h.received(signal), planned


def _first(reader: JournalReader) -> WaveReport:
    return report(reader).waves[0]


def test_a_wave_counts_how_far_its_signals_got(reader: JournalReader) -> None:
    wave = _first(reader)

    assert (wave.wave_id, wave.bar_time_ns, wave.targets) == (h.WAVE, h.BAR, {"binance": 1, "bybit": 2})
    assert _counts(wave) == (8, 6, 4, 2, 1, 1, 2, 0)
    assert wave.rejected == {"filter": 1, "plan": 0, "sizing": 1, "risk": 0, "execution": 1}


def test_a_wave_that_is_not_decided_yet_says_so(reader: JournalReader) -> None:
    undecided = report(reader).waves[1]

    assert _counts(undecided) == (1, 1, 0, 0, 0, 0, 0, 1)
    assert undecided.targets == {}


def test_accounts_are_counted_apart(reader: JournalReader) -> None:
    accounts = _first(reader).accounts

    assert {name: _counts(counts) for name, counts in accounts.items()} == {
        "binance": (4, 4, 2, 1, 1, 1, 0, 0),
        "bybit": (2, 2, 2, 1, 0, 0, 0, 0),
    }


def test_what_is_refused_without_a_wave_is_counted_beside_them(reader: JournalReader) -> None:
    assert report(reader).refused_without_wave == 1


def test_latencies_go_from_the_signal_to_the_live_stop(reader: JournalReader) -> None:
    latencies = _first(reader).latencies

    assert latencies.received_to_decided == Latency(2, 1 * h.S, 1 * h.S)
    assert latencies.decided_to_request == Latency(2, 1 * h.S, 1 * h.S)
    assert latencies.request_to_protected == Latency(1, 3 * h.S, 3 * h.S)
    assert latencies.received_to_protected == Latency(1, 5 * h.S, 5 * h.S)


def test_without_positions_there_is_no_latency_and_no_coverage(reader: JournalReader) -> None:
    undecided = report(reader).waves[1]

    assert undecided.latencies.received_to_protected == Latency(0, None, None)
    assert (undecided.coverage.share_percent, undecided.coverage.worst_naked_ns) == (None, None)


def test_coverage_names_each_position_that_was_naked_and_how_long(reader: JournalReader) -> None:
    coverage = _first(reader).coverage

    assert (coverage.opened, coverage.protected, coverage.share_percent) == (2, 1, Decimal("50.00"))
    assert coverage.worst_naked_ns == 2 * h.S
    assert set(coverage.positions) == {
        NakedTime(h.place(h.TRAILED), "binance", "HFTUSDT", 2 * h.S),
        NakedTime(h.place(h.NAKED), "bybit", "DOGUSDT", None),
    }


def test_a_stop_that_was_live_before_the_fill_was_told_leaves_no_naked_time(path: Path) -> None:
    summary = {"status": "open", "opened_ns": h.BAR + 14 * h.S, "protected_ns": h.BAR + 13 * h.S}
    h.write(path, *_wave_of(h.TRAILED), h.step(h.TRAILED, 14, "filled", ("entering", "protected"), **summary))

    with JournalReader.open(path) as reader:
        coverage = report(reader).total.coverage

    assert (coverage.share_percent, coverage.worst_naked_ns) == (Decimal(100), 0)


def test_the_first_of_several_entries_is_the_first_request(path: Path) -> None:
    entries = [record for second in (12, 15) for record in h.request(h.TRAILED, second, "entry", Leg.ENTRY, "accepted")]
    summary = {"status": "open", "opened_ns": h.BAR + 16 * h.S}
    h.write(path, *_wave_of(h.TRAILED), *entries, h.step(h.TRAILED, 16, "filled", ("a", "b"), **summary))

    with JournalReader.open(path) as reader:
        latencies = report(reader).total.latencies

    assert latencies.decided_to_request == Latency(1, 1 * h.S, 1 * h.S)


def test_the_errors_of_a_position_that_never_took_a_step_belong_to_its_wave(path: Path) -> None:
    h.write(path, *_wave_of(h.TRAILED), *h.request(h.TRAILED, 12, "entry", Leg.ENTRY, "refused", "no margin"))

    with JournalReader.open(path) as reader:
        (wave,) = report(reader).waves

    assert wave.errors == (ErrorCount("refused", "binance", "entry", "no margin", 1),)


def test_errors_are_counted_by_kind_and_those_of_no_wave_only_in_the_sum(reader: JournalReader) -> None:
    found = report(reader)
    of_wave = {
        ErrorCount("event", "bybit", "naked", "no stop", 1),
        ErrorCount("refused", "bybit", "stop", "price out of range", 1),
        ErrorCount("unknown", "bybit", "entry", "timed out", 1),
    }

    assert set(found.waves[0].errors) == of_wave
    assert set(found.total.errors) == of_wave | {ErrorCount("event", "bybit", "stream_lost", "lost", 1)}


def test_exits_are_summed_by_reason(reader: JournalReader) -> None:
    wave = _first(reader)

    assert wave.exits == (ExitCount("trailing-stop", 1, Decimal("0.05"), Decimal("0.006")),)
    assert (wave.still_open, wave.realized_pnl_usd, wave.fees_usd) == (1, Decimal("0.05"), Decimal("0.006"))


def test_the_sum_covers_all_waves(reader: JournalReader) -> None:
    assert _counts(report(reader).total) == (9, 7, 4, 2, 1, 1, 2, 1)


def test_a_report_on_one_wave_or_a_period_leaves_the_others_out(reader: JournalReader) -> None:
    one = report(reader, wave_id=h.NEXT_WAVE)
    early = report(reader, until_ns=h.NEXT_BAR)
    late = report(reader, since_ns=h.NEXT_BAR)

    assert [wave.wave_id for wave in one.waves] == [wave.wave_id for wave in late.waves] == [h.NEXT_WAVE]
    assert [wave.wave_id for wave in early.waves] == [h.WAVE]
    assert _counts(one.total) == _counts(one.waves[0])


def test_a_report_is_json_with_the_documented_fields(reader: JournalReader) -> None:
    data = json.loads(json.dumps(as_json(report(reader))))

    wave = data["waves"][0]
    assert wave["bar_time"] == "2025-10-31T22:30:00.000000Z"
    assert {"received", "adapted", "attempted", "opened", "protected", "not_attempted", "refused"} < set(wave)
    assert {"filter", "sizing", "risk"} < set(wave["rejected"])
    assert wave["latencies"]["received_to_protected"] == {"count": 1, "p50_ms": 5000.0, "worst_ms": 5000.0}
    assert wave["exits"][0]["realized_pnl"] == "0.05"


outcomes = st.one_of(
    st.tuples(st.sampled_from(("received", "planned", "opened", "not_attempted", "refused")), st.just("")),
    st.tuples(st.just("rejected"), st.sampled_from(STAGES)),
)


def _row(outcome: tuple[str, str], wave_id: str) -> SignalRow:
    return SignalRow(
        seq=1, signal_id="s", wave_id=wave_id, source="", account="binance", symbol="X", side="long", bar_time_ns=1,
        created_ns=1, received_ns=1, score=None, outcome=outcome[0], stage=outcome[1], component="", code="",
        message="", numbers={}, position_id=None,
    )  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(outcomes, st.sampled_from(("a", "b"))), max_size=30))
def test_the_counts_of_any_wave_add_up(found: list[tuple[tuple[str, str], str]]) -> None:
    waves = [WaveRow(name, 1, 1, None, {}, {}) for name in ("a", "b")]
    result = report_of(Material(waves, [_row(*entry) for entry in found], (), (), ()))

    for part in (*result.waves, result.total, *result.total.accounts.values()):
        assert part.received == part.adapted + part.refused
        assert part.adapted == part.attempted + part.rejected["filter"] + part.not_attempted + part.undecided
        assert sum(part.rejected.values()) <= part.attempted + part.rejected["filter"]
    assert result.total.received == sum(wave.received for wave in result.waves) == len(found)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=9))
def test_the_median_is_one_of_the_values_with_no_more_than_half_on_either_side(values: list[int]) -> None:
    latency = _latency((0, value) for value in values)

    assert latency.worst_ns == max(values)
    assert latency.p50_ns in values
    assert sum(value > latency.p50_ns for value in values) <= len(values) // 2
    assert sum(value < latency.p50_ns for value in values) <= (len(values) - 1) // 2
