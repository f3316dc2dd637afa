"""How each position ended: where its stop was, what it got, and how long that took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ..core.numbers import HUNDRED, average
from .figures import ExitLine, Latency, Slippage
from .rows import FillRow, PositionRow

_HUNDREDTH_OF_A_BASIS_POINT = Decimal("0.0001")


def exit_lines(closed: Sequence[PositionRow], fills: Iterable[FillRow]) -> tuple[ExitLine, ...]:
    """A line for each closed position, in the order in which they ended."""
    by_position: dict[str, list[FillRow]] = {}
    for fill in fills:
        by_position.setdefault(fill.position_id, []).append(fill)
    lines = (_line(row, by_position.get(row.position_id, [])) for row in closed)
    return tuple(sorted(lines, key=lambda line: (line.closed_ns, line.position_id)))


def slippage_of(lines: Iterable[ExitLine]) -> Slippage:
    """The slippage of all exits that a stop brought about."""
    slipped = sorted(line.slippage_percent for line in lines if line.slippage_percent is not None)
    if not slipped:
        return Slippage(0, None, None)
    return Slippage(len(slipped), slipped[(len(slipped) - 1) // 2], slipped[-1])


def to_flat(lines: Iterable[ExitLine]) -> Latency:
    """How long it took from the trigger to the last execution."""
    took = sorted(line.to_flat_ns for line in lines if line.to_flat_ns is not None)
    return Latency(len(took), took[(len(took) - 1) // 2], took[-1]) if took else Latency(0, None, None)


def _line(row: PositionRow, fills: Sequence[FillRow]) -> ExitLine:
    closed_ns, triggered_ns, trigger = row.closed_ns or 0, row.exit_triggered_ns, row.exit_trigger_price
    price = _fill_price(row, fills)
    slippage: Decimal | None = None
    if trigger is not None and price is not None:
        lost = (trigger - price) * (1 if row.side == "long" else -1)
        slippage = (lost / trigger * HUNDRED).quantize(_HUNDREDTH_OF_A_BASIS_POINT) + 0  # never minus zero
    return ExitLine(
        position_id=row.position_id,
        account=row.account,
        symbol=row.symbol,
        reason=row.exit_reason or "unknown",
        trigger_price=trigger,
        fill_price=price,
        slippage_percent=slippage,
        to_flat_ns=None if triggered_ns is None else max(0, closed_ns - triggered_ns),
        closed_ns=closed_ns,
    )


def _fill_price(row: PositionRow, fills: Sequence[FillRow]) -> Decimal | None:
    """The average price of the exit itself: parts that were closed in profit before it do not count."""
    exits = [fill for fill in fills if fill.side == ("sell" if row.side == "long" else "buy")]
    by_stop = [fill for fill in exits if fill.cause == "stop"]
    late = [fill for fill in exits if row.exit_triggered_ns is not None and fill.time_ns >= row.exit_triggered_ns]
    chosen = by_stop if row.exit_trigger_price is not None else late
    return average([(fill.quantity, fill.price) for fill in chosen]) or row.exit_price
