"""The filter `listed`."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from framework import MarketSnapshot, Need, Passed, Rejection, Signal, Verdict


@frozen
class Listed:
    """Reject a signal for a market that its venue does not list for trading now."""

    name: ClassVar[str] = "listed"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        """``not_listed`` when the venue has no rules for the market."""
        if market.rules is None:
            numbers = {"account": market.account, "symbol": signal.symbol}
            return Rejection("not_listed", f"{market.account} does not list {signal.symbol}", numbers)
        return Passed()
