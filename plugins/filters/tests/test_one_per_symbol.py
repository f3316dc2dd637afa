from __future__ import annotations

from decimal import Decimal

import pytest

from framework import MissingDataError, OpenPosition, Passed, Rejection, Side, Verdict
from framework.testing import make_account, make_open_position, make_signal, make_snapshot
from framework_filters import OnePerSymbol


def check(*held: OpenPosition, side: Side = Side.LONG) -> Verdict:
    component = OnePerSymbol()
    snapshot = make_snapshot("BTCUSDT", needs=component.needs, account=make_account(open=held))
    return component.check(make_signal("BTCUSDT", side), snapshot)


def test_an_account_without_positions_passes() -> None:
    assert check() == Passed()


def test_a_position_in_another_symbol_passes() -> None:
    assert check(make_open_position("ETHUSDT")) == Passed()


@pytest.mark.parametrize("held", list(Side))
@pytest.mark.parametrize("wanted", list(Side))
def test_a_position_in_the_symbol_refuses_either_side(held: Side, wanted: Side) -> None:
    verdict = check(make_open_position("BTCUSDT", held, quantity=2), side=wanted)

    assert isinstance(verdict, Rejection)
    assert verdict.code == "already_open"
    assert verdict.numbers == {"side": held.value, "quantity": Decimal(2)}


def test_it_declares_that_it_reads_the_positions() -> None:
    with pytest.raises(MissingDataError, match="did not declare"):
        OnePerSymbol().check(make_signal(), make_snapshot(needs=()))
