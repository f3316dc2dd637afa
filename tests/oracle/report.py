"""What is printed of a judgement, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .bounds import NS_PER_S
from .judging import Judgement
from .verdicts import Violation

_WIDTH = 84


def as_text(judgement: Judgement) -> Iterator[str]:
    """The lines of a report."""
    how_far = f"judged up to the torn line {judgement.lines + 1}" if judgement.torn else "judged to its end"
    yield f"{judgement.name}: {judgement.lines} lines over {judgement.seconds:.3f} s, {how_far}"
    for verdict in judgement.verdicts:
        head = f"{verdict.number:3} {verdict.name} "
        yield f"{head:.<{_WIDTH}} {'ok' if not verdict.count else f'{verdict.count} violations'}"
        for violation in verdict.first:
            yield f"      {_told(violation, judgement.first_ns)}"
    for venue, figures in judgement.figures.items():
        yield _figures(venue, figures)


def as_json(judgements: Sequence[Judgement]) -> dict[str, Any]:
    """All reports as one document."""
    return {
        "violations": sum(one.violations for one in judgements),
        "ledgers": [
            {
                "name": one.name,
                "lines": one.lines,
                "torn": one.torn,
                "seconds": one.seconds,
                "invariants": [
                    {
                        "number": verdict.number,
                        "name": verdict.name,
                        "violations": verdict.count,
                        "first": [violation._asdict() for violation in verdict.first],
                    }
                    for verdict in one.verdicts
                ],
                "figures": one.figures,
            }
            for one in judgements
        ],
    }


def _told(violation: Violation, first_ns: int) -> str:
    where = " ".join(part for part in (violation.venue, violation.account, violation.symbol) if part)
    after_s = (violation.t - first_ns) / NS_PER_S
    return f"seq {violation.seq}, t {violation.t} (+{after_s:.3f} s), {where}: {violation.what}"


def _figures(venue: str, told: Mapping[str, Any]) -> str:
    naked = told["naked_ms"]
    return (
        f"    {venue}: {told['positions']} positions ({told['open_at_the_end']} open at the end, "
        f"{told['naked_at_the_end']} of them naked), {told['entries']} entries, {told['fills']} fills; naked ms p50 "
        f"{naked['p50']}, p99 {naked['p99']}, worst {naked['worst']}, total {naked['total']} "
        f"(up {naked['up']}, down {naked['down']}, under faults {naked['fault']})"
    )
