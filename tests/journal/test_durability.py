"""What was acknowledged survives the death of the process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from framework.errors import JournalError
from framework.journal import Journal, JournalReader, WriterKind, verify
from framework.journal.mark import read_mark

CHILD = """
import asyncio, sys
from pathlib import Path
from framework.core.records import Event
from framework.journal import Journal, WriterKind

async def main():
    journal = Journal.open(Path(sys.argv[1]), writer=WriterKind(sys.argv[2]))
    number = 0
    while True:
        await journal.append(*(Event(number, "info", f"{word} {number}", "") for word in ("first", "second")))
        print(number, flush=True)
        number += 1

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", list(WriterKind))
def test_everything_acknowledged_before_a_kill_is_there_and_no_call_is_torn(path: Path, kind: WriterKind) -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD, str(path), kind.value], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(200)][-1]
        with pytest.raises(JournalError, match=f"in use by process {child.pid}"):
            Journal.open(path, writer=kind)
        with JournalReader.open(path) as reader:  # from this process, while the other one writes
            assert len(reader.facts()) > 2 * acknowledged
        child.kill()
        acknowledged = max([acknowledged, *(int(line) for line in child.stdout.read().splitlines() if line)])

    with JournalReader.open(path) as reader:
        codes = [event.code for event in reader.events()]
    assert len(codes) >= 2 * (acknowledged + 1)
    whole = [f"{word} {number}" for number in range(len(codes) // 2) for word in ("first", "second")]
    assert codes == whole
    mark, finding = read_mark(path), verify(path)
    assert (finding.damages, finding.checked) == ((), len(codes))
    assert mark is not None
    assert 2 * (acknowledged + 1) <= mark.seq <= len(codes)  # it tells of all that was acknowledged, and of no more

    async def go_on() -> None:
        await Journal.open(path, writer=kind).aclose()

    asyncio.run(go_on())  # the lock of the dead is nobody's
