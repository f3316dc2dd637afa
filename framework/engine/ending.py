"""How a session ended, and what stays open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from attrs import frozen

from ..core.position import Position
from ..core.records import Event
from ..errors import JournalError
from ..journal import Pulse, SessionRow


@frozen
class OpenLine:
    """A position that stays open when a session ends. `stop_price` is that of its live stop."""

    account: str
    symbol: str
    side: str
    quantity: Decimal
    stop_price: Decimal | None


@frozen
class SessionEnd:
    """How a session ended, and what stays open.

    `reason`: ``recording ended``, ``sources ended`` (live ones), ``interrupted`` or ``failed: …``. `unreached`: the
    accounts that never came up, each with why; nobody has looked after what is open there.
    """

    reason: str
    open_positions: tuple[OpenLine, ...]
    failed: bool
    unreached: tuple[str, ...] = ()


class EndUnwrittenError(JournalError):
    """A session came to its end, and its journal could not take it. `end` is what it knew last, from memory."""

    def __init__(self, error: JournalError, end: SessionEnd) -> None:
        super().__init__(f"{error}; the end of the session is not written down")
        self.end = end


def lines_of(positions: Iterable[Position]) -> tuple[OpenLine, ...]:
    """The positions that are not over."""
    return tuple(_line(position) for position in positions if not position.state.is_final)


def unended(sessions: Sequence[SessionRow], pulse: Pulse | None, now_ns: int) -> Event | None:
    """What people are told of the session before this one, the last of `sessions`, when its end is not written down.

    Its sign of life, where it can be read, may say why it ended all the same.
    """
    if len(sessions) < 2 or sessions[-2].ended_ns is not None:
        return None
    try:
        vitals = None if pulse is None else pulse.read()
    except JournalError:
        vitals = None
    said = "" if vitals is None or not vitals.ended else f", but it said: {vitals.ended}"
    text = f"the end of the session before is not written down{said}; what happened last is read from the venues"
    return Event(now_ns, "info", "session_unended", text)


def _line(position: Position) -> OpenLine:
    live = position.live_stop
    return OpenLine(
        position.account,
        position.symbol,
        position.side.value,
        position.open_quantity,
        None if live is None else live.trigger_price,
    )
