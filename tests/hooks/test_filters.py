"""The hook `filters`: a filter's rejection ends a signal before anything is planned."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from framework import Filter, MarketSnapshot, Need, Passed, Rejection, Signal, Verdict, hookimpl
from framework.core.records import Decision, Intent
from tests.hooks.stage import Stage


@frozen
class Unlucky:
    """Refuses one symbol."""

    name: ClassVar[str] = "unlucky"
    needs: ClassVar[frozenset[Need]] = frozenset()

    symbol: str

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        if signal.symbol == self.symbol:
            return Rejection("unlucky", f"{signal.symbol} brings bad luck")
        return Passed()


@hookimpl
def filters() -> list[type[Filter]]:
    return [Unlucky]


def test_a_plugins_filter_refuses_what_its_setting_names(stage: Stage) -> None:
    stage.install(__name__)

    records = stage.play(filters='[[filters]]\nuse = "unlucky"\nsymbol = "BTCUSDT"')

    (decision,) = records.of(Decision)
    assert (decision.stage, decision.outcome, decision.component) == ("filter", "rejected", "unlucky")
    assert records.of(Intent) == []


def test_a_plugins_filter_lets_all_else_through(stage: Stage) -> None:
    stage.install(__name__)

    records = stage.play(filters='[[filters]]\nuse = "unlucky"\nsymbol = "ETHUSDT"')

    assert records.of(Decision)[-1].outcome == "opened"
