"""What was seen of the product from outside, against what its journal says: nothing may be lost, nothing made up."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field

from framework import Intent, PositionChanged
from framework.cli.run_lines import line_of
from framework.cli.run_view import RunView
from framework.core.records import Record
from framework.journal import JournalReader, verify
from framework.journal.mark import Mark, TornMarkError, read_mark

from .house import House
from .product import Process

OURS = "fw-"
FILES = ("", "-wal", ".mark")
ID_FIELDS = ("newClientOrderId", "clientAlgoId", "orderLinkId")


@define(eq=False)
class Death:
    """One life that was ended by force: when, and what was known then."""

    life: Process
    time_ns: int
    mark: Mark | None
    seen: int


@define(eq=False)
class Witness:
    """Looks after each death, and compares everything at the end."""

    house: House
    problems: list[str] = field(factory=list)
    deaths: list[Death] = field(factory=list)
    _intended: set[str] = field(factory=set)
    _checked: int = 0

    def died(self, life: Process, time_ns: int) -> None:
        """The process is gone, and nobody has touched its files since: look what it left."""
        try:
            mark = read_mark(self.house.journal)
        except TornMarkError as error:
            mark = None
            self.problems.append(f"after death {len(self.deaths) + 1} the mark is torn: {error}")
        self.deaths.append(Death(life, time_ns, mark, len(self.house.lines)))
        self._intents_were_durable()
        self.problems += [f"death {len(self.deaths)} said: {line}" for line in life.err]

    def _intents_were_durable(self) -> None:
        """Each request with an id of ours that reached a venue must have an intent in the journal as it was left."""
        asked = set(self._ids(self.house.lines[self._checked :])) - self._intended
        self._checked = len(self.house.lines)
        if not asked:
            return
        # Read from a copy: closing the last connection would change what the next life finds.
        scratch = self.house.directory / "copy"
        scratch.mkdir(exist_ok=True)
        copied = scratch / self.house.journal.name
        for suffix in FILES:
            shutil.copyfile(self.house.journal.with_name(copied.name + suffix), copied.with_name(copied.name + suffix))
        self._intended = {one.client_id for one in _records(copied) if isinstance(one, Intent)}
        shutil.rmtree(scratch)
        for identifier in sorted(asked - self._intended):
            self.problems.append(
                f"death {len(self.deaths)}: {identifier} was sent, and the journal has no intent of it"
            )

    @staticmethod
    def _ids(lines: Iterable[dict[str, Any]]) -> Iterator[str]:
        for line in lines:
            if line["kind"] == "request" and line["method"] != "GET":
                for name in ID_FIELDS:
                    identifier = line["params"].get(name)
                    if isinstance(identifier, str) and identifier.startswith(OURS):
                        yield identifier

    # ── in the end ──────────────────────────────────────────────────────────────────────────────────────────

    def settled(self) -> bool:
        """Whether journal and venues agree, and nothing is half done."""
        if self.house.naked() or self.house.leftovers() or self.house.sender.unacknowledged:
            return False
        with JournalReader.open(self.house.journal) as reader:
            held = self.house.held()
            for row in reader.positions(open_only=True):
                is_open = (row.account, row.symbol) in held
                if row.status == "closing" or (is_open and row.status != "open"):
                    return False
                if not is_open and row.status != "opening":  # an entry that never arrived is waited for patiently
                    return False
        return not self._fills()

    def at_the_end(self) -> list[str]:
        """Everything that is wrong, a line each."""
        found = [f"the journal is damaged: {damage.message}" for damage in verify(self.house.journal).damages]
        found += self._acknowledged()
        found += self._marks()
        found += self._fills()
        found += self._printed()
        found += [f"the emulator has a defect: {trace}" for trace in self.house.defects()]
        return [*self.problems, *found]

    def up(self) -> list[tuple[int, int]]:
        """When the product was up: from the beginning of each session to the death or the end of its process."""
        with JournalReader.open(self.house.journal) as reader:
            sessions = reader.sessions()
        ends = [death.time_ns for death in self.deaths]
        found = []
        for place, session in enumerate(sessions):
            following = sessions[place + 1].started_ns if place + 1 < len(sessions) else None
            ended = session.ended_ns
            if ended is None:
                ended = next(end for end in ends if end >= session.started_ns)
            found.append((session.started_ns, ended if following is None else min(ended, following)))
        return found

    def _acknowledged(self) -> Iterator[str]:
        for signal_id, count in self.taken().items():
            if count != 1:
                yield f"signal {signal_id} was acknowledged, and was taken in {count} times by the journal"

    def taken(self) -> dict[str, int]:
        """How often the journal says that it took in each signal that was acknowledged."""
        with JournalReader.open(self.house.journal) as reader:
            known = Counter(row.signal_id for row in reader.signals() if row.outcome != "refused")
        return {signal_id: known[signal_id] for signal_id in self.house.sender.acknowledged}

    def _marks(self) -> Iterator[str]:
        """What each death left as durable is still there, with the same hash."""
        connection = sqlite3.connect(f"{self.house.journal.resolve().as_uri()}?mode=ro", uri=True)
        try:
            hashes: dict[int, bytes] = dict(connection.execute("SELECT seq, hash FROM facts"))
        finally:
            connection.close()
        for number, death in enumerate(self.deaths, 1):
            if death.mark is not None and death.mark.seq and hashes.get(death.mark.seq) != death.mark.hash:
                yield f"what was durable at death {number} (fact {death.mark.seq}) is not in the journal any more"

    def _fills(self) -> list[str]:
        """The executions of the venues and those of the journal, each as often."""
        venue = Counter(
            (line["venue"], line["symbol"], line["side"], _plain(line["qty"]), _plain(line["price"]))
            for line in self.house.lines
            if line["kind"] == "fill"
        )
        with JournalReader.open(self.house.journal) as reader:
            ours = Counter(
                (row.account, row.symbol, row.side, _plain(row.quantity), _plain(row.price)) for row in reader.fills()
            )
        lost, made_up = venue - ours, ours - venue
        found = [f"{count} × the execution {what} is not in the journal" for what, count in lost.items()]
        return found + [
            f"{count} × the journal has an execution {what} that never was" for what, count in made_up.items()
        ]

    def _printed(self) -> Iterator[str]:
        """What was printed was durable: each line tells of a record of the journal, in the journal's order."""
        told = _told(_records(self.house.journal))
        for life in self.house.lives:
            place = 0
            for line in _lines(life):
                found = next((later for later in range(place, len(told)) if line in told[later]), None)
                if found is None:
                    yield f"this was printed, and is not in the journal: {line}"
                else:
                    place = found + 1


def _lines(life: Process) -> list[str]:
    """What a life has printed of its records: the lines that begin with an instant, up to its report."""
    found = []
    for line in life.out:
        if not line:
            break
        if line[:4].isdigit():
            found.append(line)
    return found


def _told(records: Sequence[Record]) -> list[set[str | None]]:
    """How each record may read: a session that has just begun does not know yet what a position was before."""
    view, told = RunView(), []
    for record in records:
        before = view.positions.get(record.position_id) if isinstance(record, PositionChanged) else None
        view.apply(record)
        told.append({line_of(record, before), line_of(record)})
    return told


def _records(journal: Path) -> list[Record]:
    with JournalReader.open(journal) as reader:
        return [row.record() for row in reader.facts()]


def _plain(number: object) -> str:
    return f"{float(str(number)):.10g}"


def now_ns() -> int:
    """The instant, ns UTC: the emulator's clock is the machine's."""
    return time.time_ns()
