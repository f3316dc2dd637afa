"""Where prices come from."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from framework import ConfigError
from framework_simulator.emulator.prices import RandomWalk, first_price, play, read_moves

from .virtual import Virtual

LINES = """\
{"t":"2025-10-31T22:48:00Z","kind":"recording","version":1}
{"t":"2025-10-31T22:48:01Z","kind":"quote","account":"binance","symbol":"BTCUSDT","bid":"60000","ask":"60001","last":"60000","mark":"60000.5","bid_quantity":"2"}
{"t":"2025-10-31T22:49:00Z","kind":"bar","account":"main","symbol":"ETHUSDT","interval":"1m","open":"3000","high":"3100","low":"2900","close":"3050"}
{"t":"2025-10-31T22:50:00Z","kind":"end"}
"""


def _file(path: Path, text: str) -> Path:
    file = path / "timeline.jsonl"
    file.write_text(text)
    return file


def test_every_market_has_a_first_price_that_its_rules_allow() -> None:
    world = Virtual.start(prices=False).world
    for venue in ("binance", "bybit"):
        for market in world.markets(venue).values():
            price = first_price(market.rules)
            assert market.rules.min_price < price < market.rules.max_price
            assert price % market.rules.tick_size == 0


def test_a_file_is_played_in_emulator_time(tmp_path: Path) -> None:
    virtual = Virtual.start(prices=False)
    play(virtual.world, read_moves(_file(tmp_path, LINES)))
    assert virtual.world.book("binance", "BTCUSDT") is None
    virtual.wait_ms(1000)
    book = virtual.world.book("binance", "BTCUSDT")
    assert book is not None
    assert (str(book.quote.bid), str(book.quote.mark), book.bid_quantity) == ("60000", "60000.5", Decimal(2))
    virtual.wait_ms(59_000 + 15_000)
    for venue in ("binance", "bybit"):  # an account of another name stands for both
        book = virtual.world.book(venue, "ETHUSDT")
        assert book is not None
        assert book.quote.last == 2900


def test_a_directory_stands_for_its_timeline(tmp_path: Path) -> None:
    _file(tmp_path, LINES)
    assert len(read_moves(tmp_path)) == 5


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"t":"2025-10-31T22:48:00","kind":"quote"}',
        '{"t":"2025-10-31T22:48:00Z","kind":"quote","account":"a","symbol":"S","bid":"-1","ask":"1","last":"1"}',
        '{"t":"2025-10-31T22:48:00Z","kind":"quote","account":"a","symbol":"S","bid":"NaN","ask":"1","last":"1"}',
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    file = _file(tmp_path, LINES.splitlines()[0] + "\n" + line + "\n")
    with pytest.raises(ConfigError) as caught:
        read_moves(file)
    assert f"{file}:2" in str(caught.value)


def test_a_random_walk_goes_the_same_way_for_the_same_seed() -> None:
    ways = []
    for seed in (1, 1, 2):
        virtual = Virtual.start(prices=False)
        RandomWalk(virtual.world, seed, rate_hz=10).begin()
        virtual.wait_ms(1000)
        ways.append([(line["symbol"], line["bid"]) for line in virtual.lines("price")])
    assert ways[0] == ways[1] != ways[2]
    assert len(ways[0]) == 11 * 20
