"""Messages of the wave server: what a good signal becomes, and what each bad one is refused for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import BadSignal, Percent, Side, Signal, SignalSettings
from framework_signals.instants import parse_instant
from framework_signals.json_values import MAX_CHARS, MAX_RAW_CHARS
from framework_signals.wave_server import parse_message

RECEIVED_NS = parse_instant("2025-10-31T22:48:41.120Z")

GOOD: Mapping[str, Any] = {
    "id": 510401,
    "pair_symbol": "HFTUSDT",
    "recommended_action": "BUY",
    "score_week": 98.7,
    "score_month": 90.36,
    "timestamp": "2025-10-31T22:30:00+00:00",
    "created_at": "2025-10-31T22:48:01+00:00",
    "trading_pair_id": 1101,
    "exchange_id": 1,
    "score_week_filter": 60.0,
    "score_month_filter": 55.0,
    "max_trades_filter": 4,
    "stop_loss_filter": 6.0,
    "trailing_activation_filter": 2.0,
    "trailing_distance_filter": 0.5,
}
NULLABLE = [name for name in GOOD if name.endswith("_filter")]


def parse(message: object) -> tuple[Signal | BadSignal, ...]:
    return parse_message(message, source="recording", received_ns=RECEIVED_NS)


def text_of(*items: object) -> str:
    return json.dumps({"type": "signals", "timestamp": "2025-11-01T02:48:41", "count": len(items), "data": items})


def signal_with(**changes: object) -> Signal:
    (signal,) = parse(text_of({**GOOD, **changes}))
    assert isinstance(signal, Signal), signal
    return signal


def bad_with(**changes: object) -> BadSignal:
    (bad,) = parse(text_of({**GOOD, **changes}))
    assert isinstance(bad, BadSignal), bad
    return bad


# ── good ones ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_good_signal_is_understood_to_the_last_digit() -> None:
    assert signal_with() == Signal(
        id="510401",
        source="recording",
        account="binance",
        symbol="HFTUSDT",
        side=Side.LONG,
        bar_time_ns=parse_instant("2025-10-31T22:30:00Z"),
        created_ns=parse_instant("2025-10-31T22:48:01Z"),
        received_ns=RECEIVED_NS,
        score=Decimal("98.7"),
        scores={"week": Decimal("98.7"), "month": Decimal("90.36")},
        settings=SignalSettings(
            stop_percent=Percent(Decimal(6)),
            trailing_activation_percent=Percent(Decimal(2)),
            trailing_distance_percent=Percent(Decimal("0.5")),
            max_positions=4,
            min_scores={"week": Decimal(60), "month": Decimal(55)},
        ),
    )


def test_sell_is_short_and_exchange_2_is_bybit() -> None:
    signal = signal_with(recommended_action="SELL", exchange_id=2)

    assert (signal.side, signal.account) == (Side.SHORT, "bybit")


def test_a_signal_without_scores_counts_as_zero() -> None:
    signal = signal_with(score_week=None, score_month=None)

    assert signal.score == 0
    assert signal.scores == {"week": Decimal(0), "month": Decimal(0)}


def test_settings_that_the_signal_leaves_open_are_none() -> None:
    assert signal_with(**dict.fromkeys(NULLABLE)).settings == SignalSettings()


def test_fields_that_nobody_knows_are_ignored() -> None:
    assert signal_with(colour="red") == signal_with()


def test_an_id_may_be_a_short_text() -> None:
    assert signal_with(id="2025-10-31.HFT:7").id == "2025-10-31.HFT:7"


def test_a_time_in_another_zone_is_the_same_instant() -> None:
    assert signal_with(created_at="2025-11-01T02:48:01+04:00") == signal_with()


def test_a_sender_whose_clock_is_a_little_ahead_is_believed() -> None:
    assert signal_with(created_at="2025-10-31T22:53:41.12Z").created_ns == RECEIVED_NS + 300_000_000_000


def test_a_decoded_message_reads_like_its_text() -> None:
    text = text_of(GOOD, {**GOOD, "id": 2})

    assert parse(json.loads(text)) == parse(text) == parse(text.encode())


def test_a_message_without_signals_has_none() -> None:
    assert parse(text_of()) == ()


def test_venues_are_those_of_the_deployment() -> None:
    (signal,) = parse_message(text_of(GOOD), source="x", venues={"1": "main"}, received_ns=RECEIVED_NS)
    (bad,) = parse_message(text_of(GOOD), source="x", venues={"7": "main"}, received_ns=RECEIVED_NS)

    assert isinstance(signal, Signal)
    assert signal.account == "main"
    assert isinstance(bad, BadSignal)
    assert bad.code == "unknown_venue"
    assert bad.message == "exchange_id 1 is no venue that we know (7 is main)"


# ── bad ones ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", list(GOOD))
def test_a_missing_field_is_named(name: str) -> None:
    (bad,) = parse(text_of({key: value for key, value in GOOD.items() if key != name}))

    assert isinstance(bad, BadSignal)
    assert (bad.code, bad.message) == ("missing_field", f"{name} is missing")


@pytest.mark.parametrize("name", [name for name in GOOD if name not in (*NULLABLE, "score_week", "score_month")])
def test_null_is_refused_where_a_value_must_be(name: str) -> None:
    assert bad_with(**{name: None}).code == "wrong_type"


@pytest.mark.parametrize(
    ("name", "value", "code", "shown"),
    [
        ("id", -1, "out_of_range", "-1"),
        ("id", 1.5, "wrong_type", "1.5"),
        ("id", True, "wrong_type", "true"),
        ("id", "", "out_of_range", '""'),
        ("id", "a b", "out_of_range", '"a b"'),
        ("id", "x" * 65, "out_of_range", '"xxx'),
        ("id", 10**30, "out_of_range", "1000000000000000000000000000000"),
        ("pair_symbol", "hftusdt", "bad_symbol", '"hftusdt"'),
        ("pair_symbol", "HFT/USDT", "bad_symbol", '"HFT/USDT"'),
        ("pair_symbol", "HFTUSDT\n", "bad_symbol", '"HFTUSDT\\n"'),
        ("pair_symbol", "X", "bad_symbol", '"X"'),
        ("pair_symbol", "X" * 31, "bad_symbol", '"XXX'),
        ("pair_symbol", 7, "wrong_type", "7"),
        ("recommended_action", "HOLD", "unknown_action", '"HOLD"'),
        ("recommended_action", "buy", "unknown_action", '"buy"'),
        ("recommended_action", 1, "wrong_type", "1"),
        ("score_week", -0.1, "out_of_range", "-0.1"),
        ("score_week", 100.1, "out_of_range", "100.1"),
        ("score_week", "98.7", "wrong_type", '"98.7"'),
        ("score_month", False, "wrong_type", "false"),
        ("score_month", [1], "wrong_type", "[1]"),
        ("trading_pair_id", "1101", "wrong_type", '"1101"'),
        ("exchange_id", 3, "unknown_venue", "3"),
        ("exchange_id", -1, "out_of_range", "-1"),
        ("exchange_id", True, "wrong_type", "true"),
        ("exchange_id", 1.0, "wrong_type", "1.0"),
        ("score_week_filter", 101, "out_of_range", "101"),
        ("score_month_filter", -5, "out_of_range", "-5"),
        ("max_trades_filter", -1, "out_of_range", "-1"),
        ("max_trades_filter", 1001, "out_of_range", "1001"),
        ("max_trades_filter", 1.9, "wrong_type", "1.9"),
        ("stop_loss_filter", 0, "out_of_range", "0"),
        ("stop_loss_filter", -6, "out_of_range", "-6"),
        ("stop_loss_filter", 50.01, "out_of_range", "50.01"),
        ("trailing_activation_filter", 0, "out_of_range", "0"),
        ("trailing_activation_filter", 100.5, "out_of_range", "100.5"),
        ("trailing_distance_filter", 0, "out_of_range", "0"),
        ("trailing_distance_filter", 51, "out_of_range", "51"),
        ("timestamp", "2025-10-31T22:30:00", "bad_time", '"2025-10-31T22:30:00"'),
        ("timestamp", "2016-12-31T23:59:59Z", "bad_time", "2016"),
        ("timestamp", "2100-01-01T00:00:00Z", "bad_time", "2100"),
        ("timestamp", "2025-02-30T00:00:00Z", "bad_time", "2025-02-30"),
        ("timestamp", "٢025-10-31T22:30:00Z", "bad_time", "025-10-31"),
        ("timestamp", 1761949800, "wrong_type", "1761949800"),
        ("created_at", "yesterday", "bad_time", '"yesterday"'),
        ("created_at", "2025-10-31T22:29:59Z", "bad_time", "before the bar"),
        ("created_at", "2025-10-31T22:53:41.121Z", "bad_time", "after it was received"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_field_and_value(
    name: str, value: object, code: str, shown: str
) -> None:
    bad = bad_with(**{name: value})

    assert bad.code == code
    assert bad.message.startswith(name)
    assert shown in bad.message
    assert "\n" not in bad.message
    assert len(bad.message) < 250


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "1e99999999999999999999"])
def test_what_json_lets_pass_for_a_number_is_refused(token: str) -> None:
    (bad,) = parse(text_of(GOOD).replace("98.7", token))

    assert isinstance(bad, BadSignal)
    assert bad.code == "not_a_number"
    assert bad.message.startswith("score_week must be a number")


@pytest.mark.parametrize("token", ["1" * 5000, "1e999999", "1e-999999", "50." + "1" * 5000])
def test_a_number_of_absurd_length_is_refused(token: str) -> None:
    (bad,) = parse(text_of(GOOD).replace("98.7", token))

    assert isinstance(bad, BadSignal)
    assert bad.code == "out_of_range"
    assert len(bad.message) < 250


def test_an_exponent_is_expanded_once_and_for_all() -> None:
    (signal,) = parse(text_of(GOOD).replace("98.7", "5e1").replace("4,", "4e0,"))

    assert isinstance(signal, Signal)
    assert str(signal.score) == "50"
    assert signal.settings.max_positions == 4


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", "no_json"),
        ("BUY HFTUSDT", "no_json"),
        ('{"type": "signals", "data": [', "no_json"),
        (b"\xff\xfe", "no_json"),
        ("[" * 100_000, "no_json"),
        (" " * (MAX_CHARS + 1), "too_large"),
        ("[]", "not_an_object"),
        ("null", "not_an_object"),
        (None, "not_an_object"),
        (7, "not_an_object"),
        ("{}", "missing_field"),
        ('{"type": "signals"}', "missing_field"),
        ('{"type": 1, "data": []}', "wrong_type"),
        ('{"type": "pong", "data": []}', "unknown_message"),
        ('{"type": "signals", "data": {}}', "wrong_type"),
        ('{"type": "signals", "data": [], "data": []}', "duplicate_field"),
    ],
)
def test_a_message_that_cannot_be_read_is_one_bad_signal(message: object, code: str) -> None:
    (bad,) = parse(message)

    assert isinstance(bad, BadSignal)
    assert bad.code == code
    assert (bad.source, bad.received_ns) == ("recording", RECEIVED_NS)
    assert "\n" not in bad.message
    assert len(bad.message) < 250


def test_a_signal_that_is_no_object_or_names_a_field_twice_is_refused() -> None:
    twice = text_of(GOOD)[:-2].removesuffix("}") + ', "id": 7}]}'
    (listed,) = parse(text_of([1, 2]))
    (repeated,) = parse(twice)

    assert isinstance(listed, BadSignal)
    assert listed.code == "not_an_object"
    assert isinstance(repeated, BadSignal)
    assert repeated.code == "duplicate_field"


def test_one_bad_signal_never_spoils_the_others() -> None:
    results = parse(text_of({**GOOD, "id": 1}, {**GOOD, "id": 2, "score_week": "x"}, 7, {**GOOD, "id": 4}))

    assert [type(result) for result in results] == [Signal, BadSignal, BadSignal, Signal]
    assert [result.id for result in results] == ["1", "2", None, "4"]


def test_a_bad_signal_keeps_what_could_be_read_of_it() -> None:
    bad = bad_with(recommended_action="HOLD")

    assert (bad.id, bad.account, bad.symbol) == ("510401", "binance", "HFTUSDT")
    assert bad.bar_time_ns == parse_instant("2025-10-31T22:30:00Z")
    assert json.loads(bad.raw)["recommended_action"] == "HOLD"


def test_what_arrived_is_kept_cut_and_can_always_be_stored() -> None:
    bad = bad_with(id="\ud800" * 1000)

    assert len(bad.raw) <= MAX_RAW_CHARS
    assert bad.raw.encode().decode() == bad.raw
    (text,) = parse("\ud800" * 1000)
    assert isinstance(text, BadSignal)
    assert len(text.raw) == MAX_RAW_CHARS
    assert text.raw.encode()
    assert text.message.isascii()


# ── anything at all ─────────────────────────────────────────────────────────────────────────────────────────────

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=20)
    | st.sampled_from(["BUY", "SELL", "HFTUSDT", "2025-10-31T22:30:00Z", "2025-10-31T22:48:01Z", "1"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
CHANGES = st.dictionaries(st.sampled_from(list(GOOD)), VALUES, max_size=4)


def assert_sane(signal: Signal) -> None:
    assert signal.account in ("binance", "bybit")
    assert signal.symbol.isascii()
    assert signal.symbol.isalnum()
    assert all(0 <= score <= 100 for score in (*signal.scores.values(), *signal.settings.min_scores.values()))
    assert signal.score == signal.scores["week"]
    assert signal.bar_time_ns <= signal.created_ns <= RECEIVED_NS + 300_000_000_000
    stop = signal.settings.stop_percent
    assert stop is None or 0 < stop.value <= 50
    most = signal.settings.max_positions
    assert most is None or 0 <= most <= 1000


@given(st.text() | st.binary() | VALUES)
@settings(deadline=None, max_examples=150)
def test_garbage_never_raises_and_never_becomes_a_signal(garbage: object) -> None:
    assert all(isinstance(result, BadSignal) for result in parse(garbage))


@given(st.lists(VALUES, max_size=3))
@settings(deadline=None, max_examples=100)
def test_garbage_in_the_list_never_raises_and_never_becomes_a_signal(items: list[object]) -> None:
    results = parse({"type": "signals", "data": items})

    assert len(results) == len(items)
    assert all(isinstance(result, BadSignal) for result in results)


@given(CHANGES, st.sets(st.sampled_from(list(GOOD)), max_size=1))
@settings(deadline=None, max_examples=200)
def test_a_good_signal_with_any_change_is_sane_or_refused(changes: dict[str, object], gone: set[str]) -> None:
    item = {key: value for key, value in {**GOOD, **changes}.items() if key not in gone}

    (result,) = parse({"type": "signals", "data": [item]})

    if isinstance(result, Signal):
        assert not gone
        assert_sane(result)
    else:
        assert "\n" not in result.message
        assert len(result.raw) <= MAX_RAW_CHARS
        assert (result.raw + result.message).encode()


@given(st.integers(min_value=0, max_value=600), st.binary(max_size=3))
@settings(deadline=None, max_examples=150)
def test_a_text_that_was_damaged_on_the_way_is_sane_or_refused(at: int, splinter: bytes) -> None:
    text = text_of(GOOD).encode()

    for result in parse(text[:at] + splinter + text[at + len(splinter) :]):
        if isinstance(result, Signal):
            assert_sane(result)
