"""The filter `price-move`."""

from __future__ import annotations

from typing import ClassVar, Literal

from attrs import field, frozen

from framework import (
    INTERVALS_S,
    Candle,
    MarketSnapshot,
    MissingDataError,
    Need,
    Passed,
    Percent,
    Rejection,
    Signal,
    Verdict,
    leading_digits,
    positive,
)

_SHOWN_DIGITS = 4
_NS_PER_S = 1_000_000_000


@frozen
class PriceMove:
    """Reject a signal when the price has moved more than `max_percent` in its direction within the window.

    The move goes from the open of the first to the close of the last of the closed 1-minute candles of the window.
    A rise counts for a long, a fall for a short; a move against the signal counts as negative.
    """

    name: ClassVar[str] = "price-move"

    max_percent: Percent = field(validator=positive)
    window: Literal["1m", "3m", "5m", "15m", "30m", "1h"] = "5m"

    @property
    def needs(self) -> frozenset[Need]:
        """The 1-minute candles of the window."""
        return frozenset({Need.candles("1m", self._minutes)})

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        """``price_move_5m`` (with the window's name) and the move in the signal's direction, in percent."""
        candles = market.candles("1m", self._minutes)
        self._require_gapless(candles)
        first, last = candles[0].open, candles[-1].close
        move = (last - first) / first * 100 * signal.side.sign
        shown = leading_digits(move, _SHOWN_DIGITS)
        numbers = {"move_percent": shown, "max_percent": self.max_percent.value, "from": first, "to": last}
        if move > self.max_percent.value:
            message = f"the price moved {shown} % within {self.window} in the signal's direction"
            return Rejection(f"price_move_{self.window}", f"{message}, more than {self.max_percent}", numbers)
        return Passed(numbers)

    @property
    def _minutes(self) -> int:
        return INTERVALS_S[self.window] // 60

    def _require_gapless(self, candles: tuple[Candle, ...]) -> None:
        """Fewer candles than minutes would measure a longer window than the one that was asked for."""
        if candles[-1].close_ns - candles[0].open_ns != INTERVALS_S[self.window] * _NS_PER_S:
            raise MissingDataError(f"{self._minutes} candles of 1m", "there is a gap between them")
