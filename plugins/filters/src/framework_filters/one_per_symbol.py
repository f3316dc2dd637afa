"""The filter `one-per-symbol`."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from framework import MarketSnapshot, Need, Passed, Rejection, Signal, Verdict


@frozen
class OnePerSymbol:
    """Reject a signal for a symbol in which its account has a position already, on either side.

    Positions that are being opened count.
    """

    name: ClassVar[str] = "one-per-symbol"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.POSITIONS})

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        """``already_open`` with the side and the quantity of the position."""
        for position in market.positions:
            if position.symbol == signal.symbol:
                return Rejection(
                    "already_open",
                    f"{market.account} has a {position.side.value} position in {signal.symbol} already",
                    {"side": position.side.value, "quantity": position.quantity},
                )
        return Passed()
