"""What a sender has sent before, word for word: the same list comes again and again, and is handed over once."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict

from attrs import define, field

KEPT = 50_000
"""How many items are remembered: some days of waves. What is forgotten is recognised by its id, as a duplicate."""


def digest_of(value: object) -> bytes:
    """What an item says, whatever the order of its fields: the same digest for the same content."""
    try:
        text = json.dumps(value, sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return hashlib.sha256(text.encode(errors="backslashreplace")).digest()


@define
class Resent:
    """Remembers what was handed over and is on the disk. Forgets the oldest beyond `kept` items."""

    kept: int = KEPT
    _digests: OrderedDict[bytes, None] = field(factory=OrderedDict, init=False)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._digests

    def __len__(self) -> int:
        return len(self._digests)

    def add(self, digest: bytes) -> None:
        """Remember an item."""
        self._digests[digest] = None
        self._digests.move_to_end(digest)
        if len(self._digests) > self.kept:
            self._digests.popitem(last=False)
