"""The eight positions of the documented wave over the days that followed: the walk, and a calculation of its own."""

from __future__ import annotations

import pytest

from framework.testing import walk_candles
from tests.wave.independent import Opened, daily_bars, opened_positions, wave_outcomes

DOCUMENTED = [
    {"use": "stop-loss", "percent": "6"},
    {"use": "trailing-stop", "activation_percent": "2", "distance_percent": "0.5"},
]


@pytest.mark.parametrize("position", opened_positions(), ids=lambda position: position.symbol)
def test_a_position_of_the_wave_ends_on_its_day_for_its_reason_at_its_price(position: Opened) -> None:
    days = daily_bars()[position.account, position.symbol]
    expected = wave_outcomes()[position.account, position.symbol]

    walk = walk_candles(
        DOCUMENTED,
        side=position.side,
        entry_price=position.entry,
        candles=[(index, day.open, day.high, day.low, day.close) for index, day in enumerate(days)],
        tick_size=position.tick,
    )

    assert walk.first_stop == expected.initial_stop
    assert walk.exit is not None
    assert expected.exit is not None
    assert (days[walk.exit.index].date, walk.exit.reason, walk.exit.price) == (
        expected.exit.date,
        expected.exit.reason,
        expected.exit.price,
    )
    assert walk.stops[walk.exit.index] == expected.final_stop
