"""What happened and what is about to: append-only facts in SQLite, and read models that follow from them alone.

The only place that knows the database. `Journal` writes, `JournalReader` reads (in other processes too), `report` and
`explain` answer questions, `as_json` makes their answers plain data.
"""

from __future__ import annotations

from .acceptance import accept, unaccepted
from .control import Control, FlattenWish, Halt
from .explain import CheckLine, Explanation, StepLine, explain
from .figures import Counts, Figures, Report, WaveReport
from .inspection import Damage, Finding, Trouble, inspect, verify
from .jsonable import as_json, iso_utc
from .lock import InUseError
from .preparation import Preparation, prepare_journal
from .pulse import Pulse, Vitals
from .reader import LEVELS, JournalReader
from .recovery import Recovered, recover
from .report import report
from .rotation import journal_path, rebuild, rotate
from .rows import (
    DecisionRow,
    EventRow,
    FactRow,
    FillRow,
    OrderRow,
    PositionRow,
    SessionRow,
    SignalRow,
    SnapshotRow,
    StopMoveRow,
    WaveRow,
)
from .silences import Silences
from .writer import Journal, WriterKind

__all__ = [
    "LEVELS",
    "CheckLine",
    "Control",
    "Counts",
    "Damage",
    "DecisionRow",
    "EventRow",
    "Explanation",
    "FactRow",
    "Figures",
    "FillRow",
    "Finding",
    "FlattenWish",
    "Halt",
    "InUseError",
    "Journal",
    "JournalReader",
    "OrderRow",
    "PositionRow",
    "Preparation",
    "Pulse",
    "Recovered",
    "Report",
    "SessionRow",
    "SignalRow",
    "Silences",
    "SnapshotRow",
    "StepLine",
    "StopMoveRow",
    "Trouble",
    "Vitals",
    "WaveReport",
    "WaveRow",
    "WriterKind",
    "accept",
    "as_json",
    "explain",
    "inspect",
    "iso_utc",
    "journal_path",
    "prepare_journal",
    "rebuild",
    "recover",
    "report",
    "rotate",
    "unaccepted",
    "verify",
]
