"""Rows become plain data by one rule."""

from __future__ import annotations

import enum
from decimal import Decimal

import pytest
from attrs import field, frozen

from framework.core.numbers import Percent
from framework.journal import JournalReader, as_json, iso_utc
from framework.journal.rows import DURATION
from tests.journal import history as h


class Colour(enum.Enum):
    """An enum."""

    RED = "red"


@frozen
class Thing:
    """One of everything."""

    price: Decimal
    share: Percent
    colour: Colour
    time_ns: int
    never_ns: int | None
    took_ns: int = field(metadata=DURATION)
    waited_ns: int | None = field(metadata=DURATION)
    numbers: dict[str, object]


def test_decimals_enums_times_and_durations_have_one_form_each() -> None:
    thing = Thing(
        Decimal("1E+3"), Percent(Decimal(6)), Colour.RED, 1_500, None, 1_500_000, None, {"a": (Decimal(1), 2)}
    )

    assert as_json(thing) == {
        "price": "1000",
        "share": "6",
        "colour": "red",
        "time": "1970-01-01T00:00:00.000001Z",
        "never": None,
        "took_ms": 1.5,
        "waited_ms": None,
        "numbers": {"a": ["1", 2]},
    }


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (h.BAR, "2025-10-31T22:30:00.000000Z"),
        (h.BAR + 999_999_999, "2025-10-31T22:30:00.999999Z"),
        (2**63 - 1, "2262-04-11T23:47:16.854775Z"),
        (10**21, f"{10**21} ns"),
    ],
)
def test_an_instant_is_cut_to_the_microsecond(time_ns: int, text: str) -> None:
    assert iso_utc(time_ns) == text


def test_a_position_has_the_documented_fields(reader: JournalReader) -> None:
    position = reader.position(h.place(h.TRAILED))

    assert position is not None
    data = as_json(position)
    assert {
        name: data[name]
        for name in (
            "account", "symbol", "side", "status", "quantity", "entry_price", "initial_stop_price", "stop_price",
            "exit_price", "exit_reason", "realized_pnl", "signal_id",
        )
    } == {
        "account": "binance",
        "symbol": "HFTUSDT",
        "side": "long",
        "status": "closed",
        "quantity": "134",
        "entry_price": "0.04458",
        "initial_stop_price": "0.04191",
        "stop_price": "0.04500",
        "exit_price": "0.04499",
        "exit_reason": "trailing-stop",
        "realized_pnl": "0.05",
        "signal_id": "1",
    }  # fmt: skip
