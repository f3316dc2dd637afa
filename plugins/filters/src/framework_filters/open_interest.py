"""The filter `open-interest`."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from framework import MarketSnapshot, Need, Passed, Rejection, Signal, Verdict, positive, trimmed


@frozen
class OpenInterest:
    """Reject a signal for a market with an open interest of less than `min_usd`."""

    name: ClassVar[str] = "open-interest"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.OPEN_INTEREST})

    min_usd: Decimal = field(validator=positive)

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        """``open_interest`` with the open interest in USD."""
        interest = market.open_interest_usd
        numbers = {"open_interest_usd": interest, "min_usd": self.min_usd}
        if interest < self.min_usd:
            message = f"the open interest is {trimmed(interest)} USD, less than {trimmed(self.min_usd)} USD"
            return Rejection("open_interest", message, numbers)
        return Passed(numbers)
