"""Client order ids: derived from the intent, within what both venues take, and never the same for two orders."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import Side
from framework.core.ids import GRAMMAR, LAST_SEQUENCE, Leg, client_id, owner_of, position_id, sequence_of

BINANCE = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
BYBIT = re.compile(r"[A-Za-z0-9_-]{1,36}")
TEXT = st.text(max_size=80)
POSITION = position_id(signal_id="s1", account="one", symbol="BTCUSDT", side=Side.LONG)
fast = settings(deadline=None, max_examples=150)


@fast
@given(TEXT, TEXT, TEXT, st.sampled_from(Side), st.sampled_from(Leg), st.integers(0, LAST_SEQUENCE))
def test_whatever_a_signal_is_called_its_orders_have_an_id_that_both_venues_take(
    signal: str, account: str, symbol: str, side: Side, leg: Leg, sequence: int
) -> None:
    position = position_id(signal_id=signal, account=account, symbol=symbol, side=side)
    identifier = client_id(position, leg, sequence)
    assert len(identifier) <= 32
    assert GRAMMAR.fullmatch(identifier)
    assert BINANCE.fullmatch(identifier)
    assert BYBIT.fullmatch(identifier)
    assert (owner_of(identifier), sequence_of(identifier)) == (position, sequence)


def test_the_same_intent_has_the_same_id_in_every_process() -> None:
    assert position_id(signal_id="s1", account="one", symbol="BTCUSDT", side=Side.LONG) == POSITION
    assert client_id("kbqx7bkzsbpjaq2w", Leg.STOP, 7) == "fw-kbqx7bkzsbpjaq2w-s7"
    assert re.fullmatch("[a-z2-7]{16}", POSITION)


@pytest.mark.parametrize(
    "other",
    [
        {"signal_id": "s2"},
        {"account": "two"},
        {"symbol": "BTCUSDC"},
        {"side": Side.SHORT},
        {"signal_id": "s1\x1fone", "account": ""},
        {"signal_id": "s1o", "account": "ne"},
    ],
    ids=str,
)
def test_another_intent_has_another_id(other: dict[str, str]) -> None:
    base = {"signal_id": "s1", "account": "one", "symbol": "BTCUSDT", "side": Side.LONG}
    assert position_id(**{**base, **other}) != POSITION  # type: ignore[arg-type]


@fast
@given(
    st.tuples(st.sampled_from(Leg), st.integers(0, LAST_SEQUENCE)),
    st.tuples(st.sampled_from(Leg), st.integers(0, LAST_SEQUENCE)),
)
def test_two_orders_of_a_position_never_share_an_id(one: tuple[Leg, int], other: tuple[Leg, int]) -> None:
    assert (client_id(POSITION, *one) == client_id(POSITION, *other)) == (one == other)


@pytest.mark.parametrize("sequence", [-1, LAST_SEQUENCE + 1])
def test_a_sequence_that_would_leave_the_grammar_is_an_error(sequence: int) -> None:
    with pytest.raises(ValueError, match="an order sequence must be within 0 and 999999"):
        client_id(POSITION, Leg.ENTRY, sequence)


@pytest.mark.parametrize(
    "identifier",
    ["", "fw-", "by-hand", f"fw-{POSITION}-e", f"FW-{POSITION}-e0", f"fw-{POSITION}-z0", f"xfw-{POSITION}-e0",
     f"fw-{POSITION}-e0\n", f"fw-{POSITION}-e0000000", f"fw-{POSITION[:-1]}1-e0"],
)  # fmt: skip
def test_an_order_of_somebody_else_has_no_owner_here(identifier: str) -> None:
    assert owner_of(identifier) is None
