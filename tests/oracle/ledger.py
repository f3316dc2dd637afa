"""Reading a ledger: its lines in order, and whether it can be judged at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Line = dict[str, Any]

KINDS = frozenset(
    ("request", "response", "order", "stop", "fill", "position", "stream", "fault", "price", "cash", "setting")
)


class UnusableError(Exception):
    """What was given can't be judged; the message says why."""


@dataclass(slots=True)
class Reader:
    """Iterates over the lines of a ledger. What was met on the way is in the other fields.

    A last line that is no JSON was torn when the writer died: the ledger is judged up to there, and `torn` is set.
    Raises UnusableError where lines are missing, out of order, or not of the documented form.
    """

    rows: Iterable[str]
    name: str = "the ledger"
    count: int = 0
    first_ns: int = 0
    last_ns: int = 0
    torn: bool = False

    def __iter__(self) -> Iterator[Line]:
        decode, number, last_ns = json.JSONDecoder().raw_decode, 0, 0
        broken: str | None = None
        for row in self.rows:
            if broken is not None:
                raise UnusableError(f"{self.name}, line {number + 1}: {broken}")
            try:
                line, end = decode(row)
                if end + 1 < len(row) and row[end:].strip():
                    broken = "there is more in it than an object"
                    continue
                seq, now_ns = line["seq"], line["t"]
                known = line["kind"] in KINDS
            except ValueError:
                broken = "it is no JSON"
                continue
            except (KeyError, TypeError):
                raise UnusableError(f"{self.name}, line {number + 1}: it lacks seq, t or kind") from None
            if seq != number + 1:
                raise UnusableError(
                    f"{self.name}: expected seq {number + 1}, got {seq!r}: lines are missing or repeated"
                )
            if not isinstance(now_ns, int) or now_ns < last_ns:
                raise UnusableError(f"{self.name}, seq {seq}: time {now_ns!r} is no time, or runs backwards")
            if not known:
                raise UnusableError(f"{self.name}, seq {seq}: the kind {line['kind']!r} is unknown")
            if number == 0:
                self.first_ns = now_ns
            number, last_ns = seq, now_ns
            self.count, self.last_ns = number, now_ns
            yield line
        self.torn = broken is not None
        if not number:
            raise UnusableError(f"{self.name}: there is no line in it")
