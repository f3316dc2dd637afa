"""The live view of a run in a terminal: a snapshot of the view, drawn with rich."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from ..journal import Counts
from ..journal.queries import OVER
from .output import table
from .run_view import PositionLine, Snapshot
from .tables import POSITION_RIGHT
from .words import instant, pnl, shown

WAVE_HEADINGS = (
    "wave", "account", "received", "adapted", "attempted", "opened", "protected", "by filters", "by sizing", "by risk",
    "other", "not needed",
)  # fmt: skip

POSITION_HEADINGS = ("account", "symbol", "side", "quantity", "entry", "stop", "state", "exit reason", "PnL USD")

MOST_POSITIONS = 30
MOST_WAVES = 6
MOST_LINES = 8


def draw(snapshot: Snapshot, journal: str, latest: Sequence[str]) -> RenderableType:
    """The whole screen. `latest` are the newest noteworthy lines."""
    clock = "virtual time" if snapshot.recorded else "real time"
    accounts = f"accounts {', '.join(snapshot.accounts) or '-'}"
    what = accounts if snapshot.mode is None else f"{snapshot.mode.value} · {accounts}"
    header = f"{what} · journal {journal} · {clock} {instant(snapshot.now_ns)}"
    parts: list[RenderableType] = [Text(header, style="bold")]
    if snapshot.halted:
        parts.append(Text(snapshot.halted, style="bold red"))
    parts += [Text(message, style="bold red") for message in snapshot.down]
    if snapshot.counts:
        parts += ["", table(WAVE_HEADINGS, wave_rows(snapshot), right=WAVE_HEADINGS[2:])]
    if snapshot.positions:
        parts += ["", table(POSITION_HEADINGS, position_rows(snapshot.positions), right=POSITION_RIGHT)]
        more = len(snapshot.positions) - MOST_POSITIONS
        if more > 0:
            parts.append(Text(f"… and {more} more"))
    if latest:
        parts += ["", *(Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in latest[-MOST_LINES:])]
    return Group(*parts)


def wave_rows(snapshot: Snapshot) -> list[tuple[str, ...]]:
    """A row for each account of the newest waves."""
    newest = list(dict.fromkeys(wave for wave, _ in snapshot.counts))[-MOST_WAVES:]
    return [
        (wave or "-", account or "-", *_count_cells(counts))
        for (wave, account), counts in snapshot.counts.items()
        if wave in newest
    ]


def _count_cells(counts: Counts) -> Iterable[str]:
    rejected = counts.rejected
    other = counts.refused + rejected["plan"] + rejected["execution"]
    numbers = (
        counts.received,
        counts.adapted,
        counts.attempted,
        counts.opened,
        counts.protected,
        rejected["filter"],
        rejected["sizing"],
        rejected["risk"],
        other,
        counts.not_attempted,
    )
    return (str(number) for number in numbers)


def position_rows(positions: Sequence[PositionLine]) -> list[tuple[str, ...]]:
    """Open positions first, then the newest that are over; no more than fit a screen."""
    ordered = [line for line in positions if line.status not in OVER]
    ordered += [line for line in reversed(positions) if line.status in OVER]
    return [
        (
            line.account,
            line.symbol,
            line.side,
            shown(line.quantity),
            shown(line.entry_price),
            shown(line.stop_price),
            line.state,
            shown(line.exit_reason),
            pnl(line.realized_pnl_usd),
        )
        for line in ordered[:MOST_POSITIONS]
    ]
