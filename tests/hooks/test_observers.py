"""The hook `observers`: an observer sees every record, in the journal's order, once it is durable."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from attrs import field, frozen

from framework import Observer, Record, hookimpl
from tests.hooks.stage import Stage


@frozen
class Diary:
    """Writes the kind of each record into a file."""

    name: ClassVar[str] = "diary"

    file: Path = field(metadata={"may_be_absent": True})

    async def observe(self, record: Record) -> None:
        with self.file.open("a", encoding="utf-8") as diary:
            diary.write(f"{type(record).__name__}\n")


@hookimpl
def observers() -> list[type[Observer]]:
    return [Diary]


def test_a_plugins_observer_sees_what_the_journal_keeps(stage: Stage) -> None:
    stage.install(__name__)

    records = stage.play(observers='[[observers]]\nuse = "diary"\nfile = "diary.txt"')

    seen = (stage.directory / "diary.txt").read_text(encoding="utf-8").split()
    assert seen == [type(record).__name__ for record in records.everything]
    assert seen[0] == "SessionStarted"
