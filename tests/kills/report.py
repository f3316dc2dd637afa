"""The figures of a campaign of kills, a line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .house import VENUES
from .moments import NEVER, TIMED
from .story import Outcome

AT_RANDOM = (*TIMED, "late")


def lines_of(seed: int, outcomes: Sequence[Outcome], seconds: float) -> list[str]:
    """What a campaign did, and what was wrong."""
    endings = [one for outcome in outcomes for one in outcome.endings]
    struck = Counter(one.struck for one in endings)
    figures = [one.figures for one in outcomes if one.figures]
    at_random = sum(struck[kind] for kind in AT_RANDOM)
    by_itself = struck[""] + struck[NEVER]
    lines = [
        f"seed {seed}: {len(endings)} kills in {len(outcomes)} stories and {seconds / 60:.1f} min "
        f"({len(endings) / max(seconds, 0.001):.2f} a second)",
        f"  {sum(len(one.problems) for one in outcomes)} violations, {sum(one.unjudged for one in outcomes)} kills "
        f"unjudged, {_sum(figures, 'double_openings')} double openings, "
        f"{_sum(figures, 'acknowledgements_lost')} acknowledgements lost",
        f"  killed at a random moment {at_random}, at a chosen one {len(endings) - at_random - by_itself}; of these "
        f"while recovering {sum(one.recovering for one in endings)}, "
        f"before the session was up {sum(not one.was_up for one in endings)}",
        "  killed at: " + ", ".join(f"{kind or 'its own end'} {count}" for kind, count in sorted(struck.items())),
    ]
    lines += [_venue(venue, figures) for venue in VENUES]
    names = ("requests", "stops_moved", "signals_acknowledged", "sessions_begun", "starts_that_waited")
    lines.append("  " + ", ".join(f"{name.replace('_', ' ')} {_sum(figures, name)}" for name in names))
    return lines


def _venue(venue: str, figures: Sequence[dict[str, Any]]) -> str:
    told = [one[venue] for one in figures if venue in one]
    naked = sorted(time_ms for one in figures for time_ms in one["naked_up_ms"][venue])
    return (
        f"  {venue}: {_sum(told, 'positions')} positions opened by {_sum(told, 'entries')} entries, "
        f"{_sum(told, 'fills')} fills, {_sum(told, 'naked_at_the_end')} naked at the end; naked while up p99 "
        f"{share(naked, 99):.0f} ms, worst {share(naked, 100):.0f} ms; with the time it was down worst "
        f"{max((one['naked_ms']['worst'] for one in told), default=0):.0f} ms"
    )


def share(ordered: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent of all do not exceed; 0 of none."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0.0


def _sum(rows: Sequence[dict[str, Any]], name: str) -> int:
    return sum(row[name] for row in rows)
