"""The filter `score`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from framework import MarketSnapshot, Need, Passed, Rejection, Signal, Verdict, trimmed


@frozen
class Score:
    """Reject a signal whose scores are below the minimum, or that lacks a score which has one.

    `minimum` gives the least score by name. A minimum that the signal itself carries wins over it, name by name,
    where the deployment lets signals set `min_scores`.
    """

    name: ClassVar[str] = "score"
    needs: ClassVar[frozenset[Need]] = frozenset()

    minimum: Mapping[str, Decimal] = field(factory=dict)

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        """``score_missing`` or ``score_too_low`` for the first name that fails."""
        shown: dict[str, Decimal] = {}
        for name, least in {**self.minimum, **signal.settings.min_scores}.items():
            score = signal.scores.get(name)
            if score is None:
                return Rejection(
                    "score_missing",
                    f"the signal has no score {name!r}, which must be at least {trimmed(least)}",
                    {"name": name, "minimum": least},
                )
            if score < least:
                return Rejection(
                    "score_too_low",
                    f"the score {name!r} is {trimmed(score)}, below {trimmed(least)}",
                    {"name": name, "score": score, "minimum": least},
                )
            shown |= {name: score, f"minimum_{name}": least}
        return Passed(shown)
