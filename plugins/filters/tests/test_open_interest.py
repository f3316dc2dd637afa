from __future__ import annotations

from decimal import Decimal

import pytest

from framework import MissingDataError, Passed, Rejection, Verdict
from framework.testing import Numeric, make_signal, make_snapshot
from framework_filters import OpenInterest


def check(min_usd: int, interest_usd: Numeric | None) -> Verdict:
    component = OpenInterest(min_usd=Decimal(min_usd))
    return component.check(make_signal(), make_snapshot(needs=component.needs, open_interest_usd=interest_usd))


def test_the_least_open_interest_passes_with_its_numbers() -> None:
    assert check(500_000, 500_000) == Passed({"open_interest_usd": Decimal(500_000), "min_usd": Decimal(500_000)})


def test_less_open_interest_is_refused() -> None:
    verdict = check(500_000, "499999.5")

    assert isinstance(verdict, Rejection)
    assert verdict.code == "open_interest"
    assert verdict.message == "the open interest is 499999.5 USD, less than 500000 USD"


def test_the_setting_decides_how_much_is_enough() -> None:
    assert isinstance(check(499_999, "499999.5"), Passed)


def test_no_open_interest_is_missing_data() -> None:
    with pytest.raises(MissingDataError, match="open_interest"):
        check(500_000, None)


def test_a_least_open_interest_of_zero_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        OpenInterest(min_usd=Decimal(0))
