"""Whose an order is, by its client id.

The product's ids are ``PREFIX-`` + 16 characters of base-32 (the position) + ``-`` + leg + sequence. The leg is ``e``
(entry), ``s`` (stop), ``t`` (target) or ``x`` (exit); the sequence has one to six digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

ENTRY, STOP, TARGET, EXIT = "e", "s", "t", "x"
ATTACHED_SEQUENCE = -1


class Owner(NamedTuple):
    """What an id of ours says. An attached stop has no id: it gets the position's, with a sequence of -1."""

    position: str
    leg: str
    sequence: int


@dataclass(slots=True)
class Names:
    """`prefix` begins the ids of the product; each of `strangers` those of others that trade on the same account."""

    prefix: str = "fw"
    strangers: tuple[str, ...] = ("web", "stranger")
    _pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        self._pattern = re.compile(re.escape(self.prefix) + r"-([a-z2-7]{16})-([estx])([0-9]{1,6})")

    def owner(self, client_id: str | None) -> Owner | None:
        """What an id of ours says; None: it is not one of ours."""
        if not client_id or not client_id.startswith(self.prefix):
            return None
        found = self._pattern.fullmatch(client_id)
        return None if found is None else Owner(found[1], found[2], int(found[3]))

    def is_strangers(self, client_id: str | None) -> bool:
        """Whether somebody else is known to use such ids."""
        return bool(client_id) and str(client_id).startswith(self.strangers)
