"""The filter `volume-1h`."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from framework import MarketSnapshot, Need, Passed, Rejection, Signal, Verdict, positive, trimmed


@frozen
class Volume1h:
    """Reject a signal for a market that traded for less than `min_usd` in the last closed hour.

    The hour that is still running does not count: its volume says how long it has run, too.
    """

    name: ClassVar[str] = "volume-1h"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.candles("1h", 1)})

    min_usd: Decimal = field(validator=positive)

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        """``volume_1h`` with the volume in USD."""
        volume = market.candles("1h", 1)[-1].quote_volume
        numbers = {"volume_1h_usd": volume, "min_usd": self.min_usd}
        if volume < self.min_usd:
            message = f"{trimmed(volume)} USD were traded in the last hour, less than {trimmed(self.min_usd)} USD"
            return Rejection("volume_1h", message, numbers)
        return Passed(numbers)
