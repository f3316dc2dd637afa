"""Hypothesis strategies for records. Ids come from small pools, so that records of one sequence meet each other."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from framework.core import records
from framework.core.ids import Leg, client_id, position_id
from framework.core.numbers import Percent
from framework.core.orders import Fill
from framework.core.records import PositionSummary, Record, SessionMode
from framework.core.signal import BadSignal, OrderSide, Side, Signal, SignalSettings
from framework.core.verdict import Check, Notice, Number, Passed, Rejection, Verdict

ACCOUNTS = ("binance", "bybit")
SYMBOLS = ("AVAXUSDT", "C98USDT", "1000PEPEUSDT")
SIGNALS = ("510401", "510402", "510403", "s-4")
WAVES = ("2025-10-31T22:30", "2025-10-31T22:45")
POSITIONS = tuple(
    position_id(signal_id=signal, account=account, symbol="AVAXUSDT", side=Side.LONG)
    for signal in SIGNALS[:2]
    for account in ACCOUNTS
)
STAGES = ("filter", "plan", "sizing", "risk", "execution")
OUTCOMES = ("rejected", "planned", "opened", "not_attempted")
ACTIONS = ("entry", "cancel-entry", "stop", "move-stop", "cancel-stop", "close")
STATUSES = ("opening", "open", "closing", "closed", "failed", "quarantined")

accounts = st.sampled_from(ACCOUNTS)
symbols = st.sampled_from(SYMBOLS)
signal_ids = st.sampled_from(SIGNALS)
wave_ids = st.sampled_from(WAVES)
position_ids = st.sampled_from(POSITIONS)
times = st.integers(min_value=0, max_value=2**62)
texts = st.text(max_size=12)
hostile_texts = st.text(alphabet=st.characters(), max_size=12) | st.sampled_from(("\ud800", "a\x00b", "'1", "12"))
"""Any text that Python can hold, lone surrogates and control characters included: senders choose it."""

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12)
names = st.sampled_from(("price", "quantity", "minimum", "tick"))
numbers: SearchStrategy[dict[str, Number]] = st.dictionaries(
    names, st.one_of(decimals, st.integers(), hostile_texts), max_size=3
)
verdicts: SearchStrategy[Verdict] = st.one_of(
    st.builds(Passed, numbers), st.builds(Notice, texts, texts, numbers), st.builds(Rejection, texts, texts, numbers)
)
checks = st.lists(st.builds(Check, st.sampled_from(STAGES), names, verdicts), max_size=3).map(tuple)
percents = st.builds(Percent, decimals)
json_values: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)

settings_of_signals = st.builds(
    SignalSettings,
    stop_percent=st.none() | percents,
    trailing_activation_percent=st.none() | percents,
    trailing_distance_percent=st.none() | percents,
    max_positions=st.none() | st.integers(1, 20),
    min_scores=st.dictionaries(names, decimals, max_size=2),
)
signals = st.builds(
    Signal,
    id=signal_ids,
    source=texts,
    account=accounts,
    symbol=symbols,
    side=st.sampled_from(Side),
    bar_time_ns=st.sampled_from((1, 2)),
    created_ns=times,
    received_ns=times,
    score=decimals,
    scores=st.dictionaries(names, decimals, max_size=2),
    settings=settings_of_signals,
)
bad_signals = st.builds(
    BadSignal,
    source=texts,
    code=names,
    message=hostile_texts,
    received_ns=times,
    raw=hostile_texts,
    id=st.none() | signal_ids | hostile_texts,
    account=st.none() | hostile_texts,
    symbol=st.none() | hostile_texts,
    bar_time_ns=st.none() | st.sampled_from((1, 2)) | st.integers(),
)
fills = st.builds(
    Fill,
    id=st.sampled_from(("f1", "f2", "f3")),
    order_id=texts,
    client_id=texts,
    symbol=symbols,
    side=st.sampled_from(OrderSide),
    quantity=decimals,
    price=decimals,
    fee_usd=decimals,
    time_ns=times,
    cause=st.sampled_from(("order", "stop", "liquidation")),
)
summaries = st.builds(
    PositionSummary,
    side=st.sampled_from(("long", "short")),
    status=st.sampled_from(STATUSES),
    quantity=decimals,
    entry_price=st.none() | decimals,
    initial_stop_price=st.none() | decimals,
    stop_price=st.none() | decimals,
    exit_price=st.none() | decimals,
    exit_reason=st.none() | texts,
    realized_pnl_usd=st.none() | decimals,
    fees_usd=decimals,
    decided_ns=times,
    opened_ns=st.none() | times,
    protected_ns=st.none() | times,
    closed_ns=st.none() | times,
    exit_trigger_price=st.none() | decimals,
    exit_triggered_ns=st.none() | times,
)

_FIELDS: dict[str, SearchStrategy[Any]] = {
    "time_ns": times,
    "version": texts,
    "config_digest": texts,
    "accounts": st.just(ACCOUNTS),
    "recorded": st.booleans(),
    "mode": st.sampled_from(SessionMode),
    "reason": texts,
    "open_positions": st.integers(0, 9),
    "wave_id": wave_ids,
    "signal": signals,
    "bad": bad_signals,
    "bar_time_ns": st.sampled_from((1, 2)),
    "targets": st.dictionaries(accounts, st.integers(0, 9)),
    "opened": st.dictionaries(accounts, st.integers(0, 9)),
    "signal_id": signal_ids,
    "account": accounts,
    "symbol": symbols,
    "stage": st.sampled_from(STAGES),
    "outcome": st.sampled_from(OUTCOMES),
    "component": texts,
    "code": names,
    "message": hostile_texts,
    "numbers": numbers,
    "checks": checks,
    "position_id": position_ids,
    "action": st.sampled_from(ACTIONS),
    "client_id": st.builds(client_id, position_ids, st.sampled_from(Leg), st.integers(0, 1)) | texts,
    "request": numbers,
    "result": st.sampled_from(("accepted", "refused", "unknown")),
    "took_ns": st.integers(0, 10**10),
    "fill": fills,
    "event": texts,
    "from_state": texts,
    "to_state": texts,
    "summary": summaries,
    "snapshot": st.dictionaries(texts, json_values, max_size=3),
    "from_price": st.none() | decimals,
    "to_price": decimals,
    "level": st.sampled_from(("info", "warning", "error")),
}

_OVERRIDES: dict[type, dict[str, SearchStrategy[Any]]] = {
    records.Decision: {"position_id": position_ids | st.just("")},
    records.Event: {
        "account": accounts | st.just(""),
        "symbol": symbols | st.just(""),
        "position_id": position_ids | st.just(""),
        "signal_id": signal_ids | st.just(""),
    },
}

RECORD_TYPES: tuple[type[Any], ...] = get_args(Record)


def records_of(record_type: type[Any]) -> SearchStrategy[Any]:
    """Records of one kind. A field that has no strategy is an error: every field of a record gets values."""
    own = _OVERRIDES.get(record_type, {})
    fields = {
        attribute.name: own.get(attribute.name, _FIELDS[attribute.name]) for attribute in record_type.__attrs_attrs__
    }
    return st.builds(record_type, **fields)


any_record: SearchStrategy[Any] = st.one_of(*(records_of(record_type) for record_type in RECORD_TYPES))
sequences: SearchStrategy[list[Any]] = st.lists(any_record, max_size=30)
"""Records in any order, also in orders that the engine would never write: the journal must bear them all."""
