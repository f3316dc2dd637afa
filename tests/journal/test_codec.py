"""What is written down can be read back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from framework.core.records import Event, SignalReceived
from framework.core.signal import Side, Signal
from framework.core.verdict import Number
from framework.journal import codec
from tests.journal import strategies


@pytest.mark.parametrize("record_type", strategies.RECORD_TYPES)
def test_every_kind_of_record_survives_the_round_trip(record_type: type[Any]) -> None:
    @settings(deadline=None, max_examples=25)
    @given(strategies.records_of(record_type))
    def law(record: Any) -> None:
        kind, body = codec.encode(record)
        again = codec.decode(kind, body)
        assert again == record
        assert codec.encode(again) == (kind, body)

    law()


@settings(deadline=None, max_examples=100)
@given(strategies.numbers)
def test_numbers_come_back_with_their_types_and_digits(numbers: dict[str, Number]) -> None:
    again = codec.load_numbers(codec.dump_numbers(numbers))

    assert again == numbers
    assert {name: type(value) for name, value in again.items()} == {name: type(v) for name, v in numbers.items()}


@settings(deadline=None, max_examples=50)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6))
def test_a_decimal_keeps_its_digits(value: Decimal) -> None:
    again = codec.load_numbers(codec.dump_numbers({"price": value}))["price"]

    assert isinstance(again, Decimal)
    assert again.as_tuple() == value.as_tuple()


def test_kinds_are_the_class_names_in_snake_case() -> None:
    assert codec.kind_of(SignalReceived) == "signal_received"
    assert set(codec.KINDS.values()) == set(strategies.RECORD_TYPES)


def test_the_body_is_canonical_json_with_plain_decimals_and_enums_by_value() -> None:
    signal = Signal("7", "test", "binance", "AVAXUSDT", Side.SHORT, 1, 2, 3, Decimal("1E+3"))

    _, body = codec.encode(SignalReceived(4, "w", signal))

    data = json.loads(body)
    assert body == json.dumps(data, sort_keys=True, separators=(",", ":"))
    assert data["signal"]["score"] == "1000"
    assert data["signal"]["side"] == "short"


def test_what_is_no_number_is_shown_instead_of_stopping_the_journal() -> None:
    event = Event(1, "info", "c", "m", numbers={"a": 0.5, "b": float("nan"), "c": None})  # type: ignore[dict-item]

    assert json.loads(codec.encode(event)[1])["numbers"] == {"a": 0.5, "b": "nan", "c": "None"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(_JSON)
@example({"\x00 \x1f \x7f": "\x7f"})
def test_the_quick_writer_writes_what_the_standard_library_does(value: Any) -> None:
    assert codec.dump_json(value) == json.dumps(value, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800", "Größe", {"é": 1}])
def test_what_the_quick_writer_does_not_take_is_written_all_the_same(value: Any) -> None:
    assert json.loads(codec.dump_json(value)) == value
    assert codec.dump_json(value).isascii()
