from __future__ import annotations

import pytest

from framework import ClosedPosition, MissingDataError, Passed, Rejection, Side, Verdict
from framework.testing import NOW_NS, make_account, make_closed_position, make_signal, make_snapshot
from framework_filters import CooldownAfterLoss

MINUTE_NS = 60_000_000_000
HOUR = CooldownAfterLoss(minutes=60)


def check(component: CooldownAfterLoss, *closed: ClosedPosition) -> Verdict:
    snapshot = make_snapshot("BTCUSDT", needs=component.needs, account=make_account(closed=closed))
    return component.check(make_signal("BTCUSDT"), snapshot)


def lost(minutes_ago: int, symbol: str = "BTCUSDT", pnl: str = "-0.01", side: Side = Side.LONG) -> ClosedPosition:
    return make_closed_position(symbol, side, closed_ns=NOW_NS - minutes_ago * MINUTE_NS, realized_pnl_usd=pnl)


def test_without_closed_positions_a_signal_passes() -> None:
    assert check(HOUR) == Passed()


@pytest.mark.parametrize("side", list(Side))
def test_a_signal_soon_after_a_loss_is_refused_with_the_remaining_minutes(side: Side) -> None:
    verdict = check(HOUR, lost(45, side=side))

    assert isinstance(verdict, Rejection)
    assert verdict.code == "cooling_down"
    assert verdict.message == "BTCUSDT cools down for 15 more minutes after a loss"
    assert verdict.numbers == {"remaining_minutes": 15, "minutes": 60}


def test_the_remaining_minutes_are_rounded_up() -> None:
    nearly_over = make_closed_position(closed_ns=NOW_NS - 60 * MINUTE_NS + 1)

    verdict = check(HOUR, nearly_over)

    assert isinstance(verdict, Rejection)
    assert verdict.numbers["remaining_minutes"] == 1


def test_a_signal_passes_when_the_time_is_over() -> None:
    assert check(HOUR, lost(60)) == Passed({"remaining_minutes": 0})


def test_the_setting_decides_how_long_it_takes() -> None:
    assert isinstance(check(CooldownAfterLoss(minutes=61), lost(60)), Rejection)


def test_the_latest_loss_counts() -> None:
    verdict = check(HOUR, lost(10), lost(50))

    assert isinstance(verdict, Rejection)
    assert verdict.numbers["remaining_minutes"] == 50


@pytest.mark.parametrize("pnl", ["0", "5"])
def test_a_position_that_lost_nothing_does_not_count(pnl: str) -> None:
    assert check(HOUR, lost(1, pnl=pnl)) == Passed()


def test_a_loss_in_another_symbol_does_not_count() -> None:
    assert check(HOUR, lost(1, "ETHUSDT")) == Passed()


def test_a_loss_in_another_symbol_counts_when_the_scope_is_the_account() -> None:
    verdict = check(CooldownAfterLoss(minutes=60, scope="account"), lost(1, "ETHUSDT"))

    assert isinstance(verdict, Rejection)
    assert verdict.message == "paper cools down for 59 more minutes after a loss"


def test_it_declares_that_it_reads_the_closed_positions() -> None:
    with pytest.raises(MissingDataError, match="did not declare"):
        HOUR.check(make_signal(), make_snapshot(needs=()))


def test_the_longest_time_is_a_day() -> None:
    assert isinstance(check(CooldownAfterLoss(minutes=1440), lost(1439)), Rejection)


@pytest.mark.parametrize("minutes", [0, -5, 1441])
def test_a_time_that_cannot_be_kept_is_a_mistake(minutes: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        CooldownAfterLoss(minutes=minutes)
