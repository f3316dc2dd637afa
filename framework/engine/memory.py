"""The garbage collector, kept out of the way of a wave."""

from __future__ import annotations

import gc

THRESHOLDS = (10_000, 20, 50)
"""How many more objects were made than let go of before the youngest are looked through; and so on for the older."""


def set_memory_aside() -> None:
    """Keep the garbage collector from looking through all that was loaded, in the middle of a wave.

    With ccxt in memory a full collection takes some 40 ms, and every request waits for it. Of what a wave makes little
    is left when it has been dealt with, so that to look more seldom is to look through less.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
