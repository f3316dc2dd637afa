"""The hook `signal_sources`: a source's signals reach the inbox and open a wave."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from framework import Batch, SignalSource, SourceLink, Timeline, hookimpl
from framework.core.records import Decision, SignalReceived
from framework.testing import NOW_NS, make_signal
from tests.hooks.stage import Stage


@frozen
class Postman:
    """Delivers one signal with the id that is set."""

    name: ClassVar[str] = "postman"

    id: str

    def timeline(self) -> Timeline | None:
        return Timeline(NOW_NS)

    async def run(self, link: SourceLink) -> None:
        await link.submit(Batch((make_signal(id=self.id, source=self.name, account="main"),), complete=True))


@hookimpl
def signal_sources() -> list[type[SignalSource]]:
    return [Postman]


def test_a_plugins_source_delivers_signals_that_are_traded(stage: Stage) -> None:
    stage.install(__name__)

    records = stage.play(signals='[[signals]]\nuse = "postman"\nid = "letter-7"')

    assert [(each.signal.id, each.signal.source) for each in records.of(SignalReceived)] == [("letter-7", "postman")]
    assert records.of(Decision)[-1].outcome == "opened"
