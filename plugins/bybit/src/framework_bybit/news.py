"""What the private stream says, as the kernel's events.

Source: "Bybit v5, WebSocket Stream, Private": Order, Execution, Position. In which order the topics speak of one thing
is not documented, and a message may come twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define

from framework import ExchangeEvent, FillSeen, OrderSeen, PositionSeen, StopReport, StopSeen

from .strange import Row, StrangeAnswerError, optional
from .translate import TRIGGERED, Translator, is_attached, is_own_stop


@define(eq=False)
class News:
    """Frames of the private topics as the kernel's events.

    `verify` is called with a market whose attached stop is told to have gone without acting: it goes with its position,
    or it is replaced, or it was taken away, and only a read tells these apart. `strange` hears of what is not
    understood: then an event is missing.
    """

    words: Translator
    emit: Callable[[ExchangeEvent], None]
    verify: Callable[[StopReport], None]
    strange: Callable[[str], None]

    def take(self, frame: Any) -> None:
        """A frame has arrived. Answers, pongs and topics that are not ours are passed over."""
        topic = frame.get("topic") if isinstance(frame, dict) else None
        if not isinstance(topic, str):
            return
        read = _READERS.get(topic.partition(".")[0])
        rows = frame.get("data")
        if read is None:
            return
        if not isinstance(rows, list):
            self.strange(f"a frame of {topic} without rows")
            return
        for row in rows:
            try:
                if optional(row, "category") in ("", "linear"):
                    read(self, row)
            except (StrangeAnswerError, AttributeError) as error:
                self.strange(f"a row of {topic}: {error}")

    def order(self, row: Row) -> None:
        """An order, plain or conditional."""
        if not (is_attached(row) or is_own_stop(row)):
            self.emit(OrderSeen(self.words.order_report(row)))
            return
        report = self.words.stop_report(row)
        if report.attached and not report.live and report.reason != TRIGGERED:
            self.verify(report)
        else:
            self.emit(StopSeen(report))

    def execution(self, row: Row) -> None:
        """An execution, of whatever order."""
        fill = self.words.fill(row)
        if fill is not None:
            self.emit(FillSeen(fill))

    def position(self, row: Row) -> None:
        """A position. One that has its stop is protected from this moment on.

        A push without a stop says nothing about it: one may have left before the stop was there.
        """
        position = self.words.position(row)
        if position.quantity and position.stop_price is not None:
            self.emit(StopSeen(self.words.position_stop(position)))
        self.emit(PositionSeen(position))


_READERS: Mapping[str, Callable[[News, Row], None]] = {
    "order": News.order,
    "execution": News.execution,
    "position": News.position,
}
