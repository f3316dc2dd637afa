from __future__ import annotations

from decimal import Decimal

import pytest

from framework import MissingDataError, Passed, Rejection, Verdict
from framework.testing import NOW_NS, Numeric, make_candles, make_signal, make_snapshot
from framework_filters import Volume1h

HOUR_NS = 3_600_000_000_000


def check(min_usd: int, volume_usd: Numeric, time_ns: int = NOW_NS) -> Verdict:
    component = Volume1h(min_usd=Decimal(min_usd))
    candles = {"1h": make_candles("1h", 3, quote_volume=volume_usd, time_ns=time_ns)}
    return component.check(make_signal(), make_snapshot(needs=component.needs, candles=candles))


def test_the_least_volume_passes_with_its_numbers() -> None:
    assert check(20_000, 20_000) == Passed({"volume_1h_usd": Decimal(20_000), "min_usd": Decimal(20_000)})


def test_less_volume_is_refused() -> None:
    verdict = check(20_000, "19999.99")

    assert isinstance(verdict, Rejection)
    assert verdict.code == "volume_1h"
    assert verdict.message == "19999.99 USD were traded in the last hour, less than 20000 USD"


def test_the_setting_decides_how_much_is_enough() -> None:
    assert isinstance(check(19_999, "19999.99"), Passed)


def test_only_the_last_closed_hour_counts() -> None:
    component = Volume1h(min_usd=Decimal(20_000))
    candles = make_candles("1h", 2, quote_volume=1_000_000)[:1] + make_candles("1h", 1, quote_volume=1)

    verdict = component.check(make_signal(), make_snapshot(needs=component.needs, candles={"1h": candles}))

    assert isinstance(verdict, Rejection)
    assert verdict.numbers["volume_1h_usd"] == 1


def test_an_hour_that_is_still_running_is_missing_data() -> None:
    with pytest.raises(MissingDataError, match="not the last closed one"):
        check(20_000, 1_000_000, time_ns=NOW_NS + HOUR_NS)


def test_an_old_hour_is_missing_data() -> None:
    with pytest.raises(MissingDataError, match="not the last closed one"):
        check(20_000, 1_000_000, time_ns=NOW_NS - 2 * HOUR_NS)


def test_no_candles_are_missing_data() -> None:
    component = Volume1h(min_usd=Decimal(1))

    with pytest.raises(MissingDataError, match="paper has 0"):
        component.check(make_signal(), make_snapshot(needs=component.needs))


def test_a_least_volume_of_zero_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        Volume1h(min_usd=Decimal(0))
