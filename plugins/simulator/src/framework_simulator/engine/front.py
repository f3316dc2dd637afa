"""What the parts of a venue's front share."""

from __future__ import annotations

from attrs import define, field

from .desk import Desk
from .matching import Matching

CANCELLED_BY_CLIENT = "cancelled by the client"


@define
class Front:
    """A part of the front: it acts on the venue's state at the instant that every call brings along."""

    _matching: Matching = field(alias="matching")

    def _desk(self, account: str) -> Desk:
        return self._matching.desks[account]

    def _at(self, now_ns: int) -> Matching:
        self._matching.now_ns = max(self._matching.now_ns, now_ns)
        return self._matching
