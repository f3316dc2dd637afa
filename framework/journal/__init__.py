"""What happened and what is about to: append-only facts in SQLite, and read models that follow from them alone.

The only place that knows the database. `Journal` writes, `JournalReader` reads (in other processes too), `report` and
`explain` answer questions, `as_json` makes their answers plain data.
"""

from __future__ import annotations

from .explain import CheckLine, Explanation, StepLine, explain
from .figures import Counts, Figures, Report, WaveReport
from .jsonable import as_json, iso_utc
from .reader import LEVELS, JournalReader
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
from .writer import Journal, WriterKind

__all__ = [
    "LEVELS",
    "CheckLine",
    "Counts",
    "DecisionRow",
    "EventRow",
    "Explanation",
    "FactRow",
    "Figures",
    "FillRow",
    "Journal",
    "JournalReader",
    "OrderRow",
    "PositionRow",
    "Report",
    "SessionRow",
    "SignalRow",
    "SnapshotRow",
    "StepLine",
    "StopMoveRow",
    "WaveReport",
    "WaveRow",
    "WriterKind",
    "as_json",
    "explain",
    "iso_utc",
    "journal_path",
    "rebuild",
    "report",
    "rotate",
]
