"""How long to wait before the next try: longer each time, never all at once with others, never for good."""

from __future__ import annotations

from random import Random

from attrs import define, field

GROWTH = 2.0
SHORTEST_SHARE, LONGEST_SHARE = 0.5, 1.0
"""A pause lasts between these shares of its length, by chance: many clients of one server come back one by one."""


@define
class Pauses:
    """Pauses between `first_s` and `most_s` seconds. `next` answers how long; `lived` may begin anew."""

    first_s: float
    most_s: float
    random: Random = field(factory=Random)
    _tries: int = field(default=0, init=False)

    def next(self) -> float:
        """The next pause in seconds: at least half of its length, at most all of it."""
        whole = min(self.most_s, self.first_s * GROWTH ** min(self._tries, 60))
        self._tries += 1
        return whole * self.random.uniform(SHORTEST_SHARE, LONGEST_SHARE)

    def lived(self, seconds: float) -> None:
        """A connection ended after so many seconds: one that outlived the longest pause begins anew."""
        if seconds >= self.most_s:
            self._tries = 0
