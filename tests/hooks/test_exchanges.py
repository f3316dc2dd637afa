"""The hook `exchanges`: an account's orders go to the exchange that the configuration names."""

from __future__ import annotations

from typing import ClassVar

from attrs import define

from framework import EntryAnswer, EntryOrder, Exchange, Refusal, hookimpl
from framework.core.records import Decision, Outcome
from tests.hooks.base import Venue
from tests.hooks.stage import Stage


@define
class Shut(Venue):
    """Refuses every entry, for the reason that is set."""

    name: ClassVar[str] = "shut"

    reason: str = "closed"

    async def place_entry(self, order: EntryOrder) -> EntryAnswer:
        return Refusal("shut", self.reason)


@hookimpl
def exchanges() -> list[type[Exchange]]:
    return [Shut]


def test_a_plugins_exchange_answers_the_accounts_orders(stage: Stage) -> None:
    stage.install(__name__)

    records = stage.play(
        exchanges='[exchanges.main]\nuse = "shut"\nmax_positions_per_wave = 1\nreason = "closed for repairs"'
    )

    (outcome,) = records.of(Outcome)
    assert (outcome.account, outcome.action, outcome.result) == ("main", "entry", "refused")
    assert records.of(Decision)[-1].message == "shut: closed for repairs"
