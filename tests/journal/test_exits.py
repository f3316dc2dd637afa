"""How positions ended: the stop's trigger, what the exit got, the slippage between them, and the time it took."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework.journal.exits import exit_lines, slippage_of, to_flat
from framework.journal.figures import ExitLine, Latency, Slippage
from framework.journal.rows import FillRow, PositionRow

D = Decimal
TRIGGERED_NS, CLOSED_NS = 1_000_000_000, 1_250_000_000


def position(side: str = "long", trigger: str | None = "95", **rest: object) -> PositionRow:
    about = dict.fromkeys(PositionRow.__annotations__)
    about |= {
        "position_id": "p", "account": "binance", "symbol": "X", "side": side, "exit_reason": "stop-loss",
        "exit_price": D("97"), "exit_trigger_price": None if trigger is None else D(trigger),
        "exit_triggered_ns": TRIGGERED_NS, "closed_ns": CLOSED_NS, **rest,
    }  # fmt: skip
    return PositionRow(**about)  # type: ignore[arg-type]


def execution(price: str, quantity: str = "1", *, side: str = "sell", cause: str = "stop", at_ns: int = 0) -> FillRow:
    return FillRow("binance", "X", "f", 1, "p", "o", "c", side, D(quantity), D(price), D(0), at_ns, cause)


def line(row: PositionRow, *fills: FillRow) -> ExitLine:
    (found,) = exit_lines([row], fills)
    return found


@pytest.mark.parametrize(
    ("side", "price", "slippage"),
    [("long", "94.05", "1.0000"), ("long", "95.19", "-0.2000"), ("long", "95", "0.0000"), ("short", "95.95", "1.0000")],
)
def test_slippage_is_how_much_worse_than_its_trigger_a_stop_filled(side: str, price: str, slippage: str) -> None:
    found = line(position(side), execution(price, side="sell" if side == "long" else "buy"))

    assert str(found.slippage_percent) == slippage


def test_parts_that_were_closed_in_profit_before_do_not_count_as_the_exit() -> None:
    part = execution("110", "3", cause="order", at_ns=TRIGGERED_NS - 1)
    entry = execution("100", "4", side="buy", cause="order")

    assert line(position(), entry, part, execution("94", "0.5"), execution("93", "0.5")).fill_price == D("93.5")
    late = execution("96", cause="order", at_ns=TRIGGERED_NS)
    assert line(position(trigger=None), entry, part, late).fill_price == 96


def test_a_close_of_ours_has_no_trigger_and_no_slippage_but_took_its_time() -> None:
    found = line(position(trigger=None))

    assert (found.trigger_price, found.slippage_percent, found.fill_price) == (None, None, D(97))
    assert found.to_flat_ns == 250_000_000


def test_the_sum_has_the_median_and_the_worst() -> None:
    lines = [line(position(), execution(price)) for price in ("95", "94.05", "93.1", "91.2")]

    assert slippage_of(lines) == Slippage(4, D("1.0000"), D("4.0000"))
    assert to_flat(lines) == Latency(4, 250_000_000, 250_000_000)
    assert (slippage_of([]), to_flat([])) == (Slippage(0, None, None), Latency(0, None, None))


def test_lines_are_in_the_order_in_which_positions_ended() -> None:
    late, early = position(closed_ns=9), position(closed_ns=5, position_id="q")

    assert [each.position_id for each in exit_lines([late, early], [])] == ["q", "p"]
