"""The filter `spread`."""

from __future__ import annotations

from typing import ClassVar, Literal

from attrs import field, frozen

from framework import (
    MarketSnapshot,
    MissingDataError,
    Need,
    Notice,
    Passed,
    Percent,
    Rejection,
    Signal,
    Verdict,
    leading_digits,
    positive,
)

_SHOWN_DIGITS = 4


@frozen
class Spread:
    """Reject a signal, or warn, while the spread is wider than `max_percent` of the price.

    The spread is best ask minus best bid, in percent of the price half-way between them.
    """

    name: ClassVar[str] = "spread"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.BOOK_TOP})

    max_percent: Percent = field(validator=positive)
    action: Literal["warn", "reject"] = "reject"

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        """``spread_wide``, as a rejection or as a notice. A book that makes no sense is missing data."""
        quote = market.quote
        if not 0 < quote.bid <= quote.ask:
            raise MissingDataError("book_top", f"the book of {signal.symbol} is crossed: {quote.bid} / {quote.ask}")
        spread = (quote.ask - quote.bid) / quote.middle * 100
        shown = leading_digits(spread, _SHOWN_DIGITS)
        numbers = {
            "spread_percent": shown,
            "max_percent": self.max_percent.value,
            "bid": quote.bid,
            "ask": quote.ask,
        }
        if spread <= self.max_percent.value:
            return Passed(numbers)
        message = f"the spread is {shown} %, more than {self.max_percent}"
        if self.action == "warn":
            return Notice("spread_wide", message, numbers)
        return Rejection("spread_wide", message, numbers)
