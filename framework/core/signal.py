"""A trading signal, as every source must deliver it, and one that could not be understood."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from .numbers import Percent


class OrderSide(enum.Enum):
    """The side of an order."""

    BUY = "buy"
    SELL = "sell"


class Side(enum.Enum):
    """The direction of a position. `sign` is +1 for long, -1 for short: what a rising price does to the position.

    `entry` is the side of an order that opens or enlarges the position, `exit` that of one that reduces it: its stop,
    target or close.
    """

    sign: int
    entry: OrderSide
    exit: OrderSide

    LONG = "long"
    SHORT = "short"

    def __init__(self, value: str) -> None:
        # Attributes: to look a member up by its class costs more than the arithmetic that follows, at every move.
        self.sign = 1 if value == "long" else -1
        self.entry = OrderSide.BUY if value == "long" else OrderSide.SELL
        self.exit = OrderSide.SELL if value == "long" else OrderSide.BUY


@frozen
class SignalSettings:
    """Settings that a signal carries for its own trade. None: the signal says nothing about it.

    They win over the deployment's settings where `[framework] signal_may_set` allows it; the kernel strips
    those that are not allowed before any component sees the signal.
    """

    stop_percent: Percent | None = None
    trailing_activation_percent: Percent | None = None
    trailing_distance_percent: Percent | None = None
    max_positions: int | None = None
    min_scores: Mapping[str, Decimal] = field(factory=dict)


@frozen
class Signal:
    """A wish to open one position, understood and within sane bounds.

    `id` is the sender's identity of the signal: the same id is the same signal, whenever, however often and from
    whichever source it arrives. A source whose ids another sender might use too puts a prefix of its own before them.
    `account` names the `[exchanges.NAME]` it is meant for, `symbol` is written as the venue writes
    it. Times are nanoseconds UTC: `bar_time_ns` is the open of the bar that the signal speaks of (signals of
    one bar form a wave), `created_ns` when the sender made it, `received_ns` when it reached us. `score` orders
    the candidates of a wave, highest first; `scores` holds every score the sender gave, by name.
    """

    id: str
    source: str
    account: str
    symbol: str
    side: Side
    bar_time_ns: int
    created_ns: int
    received_ns: int
    score: Decimal
    scores: Mapping[str, Decimal] = field(factory=dict)
    settings: SignalSettings = field(factory=SignalSettings)


@frozen
class BadSignal:
    """Something that arrived as a signal and cannot be one. Recorded as refused, with the reason.

    `id` is the sender's id where one could be read, `code` a machine-readable reason (``no_json``,
    ``missing_field``, ``not_a_number``, ``out_of_range``, ``unknown_venue`` …), `raw` what arrived, cut to a
    bounded length.
    """

    source: str
    code: str
    message: str
    received_ns: int
    raw: str
    id: str | None = None
    account: str | None = None
    symbol: str | None = None
    bar_time_ns: int | None = None
