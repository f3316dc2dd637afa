from __future__ import annotations

from framework import Passed, Rejection
from framework.testing import make_signal, make_snapshot
from framework_filters import Listed


def test_a_market_with_rules_passes() -> None:
    assert Listed().check(make_signal(), make_snapshot()) == Passed()


def test_a_market_without_rules_is_refused_by_name() -> None:
    verdict = Listed().check(make_signal("FTMUSDT"), make_snapshot("FTMUSDT", rules=None))

    assert verdict == Rejection("not_listed", "paper does not list FTMUSDT", {"account": "paper", "symbol": "FTMUSDT"})
