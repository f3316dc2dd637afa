"""How a session ended, and what stays open."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from attrs import frozen

from ..core.position import Position


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


def lines_of(positions: Iterable[Position]) -> tuple[OpenLine, ...]:
    """The positions that are not over."""
    return tuple(_line(position) for position in positions if not position.state.is_final)


def _line(position: Position) -> OpenLine:
    live = position.live_stop
    return OpenLine(
        position.account,
        position.symbol,
        position.side.value,
        position.open_quantity,
        None if live is None else live.trigger_price,
    )
