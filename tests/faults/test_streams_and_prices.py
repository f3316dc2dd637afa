"""Streams that lie, fall silent or lose what they should tell, and prices that are none: stops rest and follow."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from framework_simulator.simulation import Item, sockets
from tests.faults.scene import PRIVATE, RISE_MS, SYMBOL, Theatre, happening, jump, rises, signal, well

PUBLIC = {"binance": "/[mp][au][rb][kl]*", "bybit": "/v5/public/*"}
"""The paths of price streams: Binance has ``/market/…`` and ``/public/…``."""

FRAMES: dict[str, Mapping[str, float]] = {
    "half of all frames are missing": {"frame-lost": 0.5},
    "all frames are missing": {"frame-lost": 1.0},
    "all frames come twice": {"frame-twice": 1.0},
    "frames come up to five seconds late": {"frame-late": 1.0},
    "late, twice and missing": {"frame-late": 0.3, "frame-twice": 0.3, "frame-lost": 0.3},
}
"""Gaps in what a stream tells, and an order that is not that of what happened."""


def weather(venue: str, rates: Mapping[str, float], at_ms: int = 4_500, for_ms: int = 60_000) -> Item:
    return Item("weather", at_ms, for_ms, venue, rates)


@pytest.mark.parametrize("how", FRAMES)
def test_a_stream_with_gaps_and_without_order_tells_nothing_wrong(stage: Theatre, venue: str, how: str) -> None:
    """From before the entry until after the price has run; then the stop acts."""
    astray = weather(venue, FRAMES[how])

    seen = stage.play(venue, signal(venue), rises(venue), jump(venue, -6, 90_000), astray)

    well(seen, protected=False)
    assert seen.fills == seen.journalled == ["buy", "sell"]


@pytest.mark.parametrize("which", ["private", "public", "all"])
def test_a_silent_stream_whose_connection_is_open_hides_nothing_for_long(
    stage: Theatre, venue: str, which: str
) -> None:
    """It is silent from the entry on; meanwhile the price runs, and the stop acts."""
    path = {"private": PRIVATE[venue], "public": PUBLIC[venue], "all": "*"}[which]
    silent = happening(venue, "streams-silent", 5_060, sockets=path, for_ms=80_000)

    seen = stage.play(venue, signal(venue), rises(venue), jump(venue, -6, 60_000), silent)

    well(seen, protected=False)
    assert seen.met["streams-silent"] == 1
    assert seen.fills == seen.journalled == ["buy", "sell"]


@pytest.mark.parametrize("at_ms", [5_090, 5_110, 20_000], ids=["with the entry", "with the stop", "while it is open"])
@pytest.mark.parametrize("for_ms", [0, 60_000], ids=["at once again", "a minute later"])
def test_streams_that_drop_are_opened_again_and_what_they_missed_is_read(
    stage: Theatre, venue: str, at_ms: int, for_ms: int
) -> None:
    dropped = happening(venue, "streams-closed", at_ms, for_ms=for_ms)

    seen = stage.play(venue, signal(venue), rises(venue), jump(venue, -6, 60_000), dropped)

    well(seen, protected=False)
    assert seen.codes["stream_restored"] >= 1
    assert seen.fills == seen.journalled == ["buy", "sell"]


def test_a_listen_key_that_expires_hides_nothing_for_long(stage: Theatre) -> None:
    dead = happening("binance", "listen-keys-expire", 20_000)

    seen = stage.play("binance", signal("binance"), rises("binance"), jump("binance", -6, 60_000), dead)

    well(seen, protected=False)
    assert seen.fills == seen.journalled == ["buy", "sell"]


# ── prices that are none ────────────────────────────────────────────────────────────────────────────────────────

PRICE = re.compile(r'"(b|a|p|bid1Price|ask1Price|lastPrice|markPrice)":"[0-9.]+"')
TOLD = re.compile(r'"e":"(bookTicker|markPriceUpdate|aggTrade)"|"topic":"tickers\.')


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity", "1e400", "", "0x1F"])
def test_a_price_that_is_none_moves_no_stop_and_closes_nothing(
    stage: Theatre, venue: str, price: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that the price streams tell is nonsense, before the entry and after it; in truth the price moves a little."""
    told = 0
    sends = sockets._VenueEnd.send

    def send(end: sockets._VenueEnd, text: str) -> None:
        nonlocal told
        if TOLD.search(text):
            told += 1
            text = PRICE.sub(rf'"\1":"{price}"', text)
        sends(end, text)

    monkeypatch.setattr(sockets._VenueEnd, "send", send)

    moves = [
        Item("jump", at_ms, venue=venue, own={"symbol": SYMBOL, "percent": percent})
        for at_ms, percent in ((20_000, "0.1"), (22_000, "0.1"), (24_000, "-0.1"))
    ]

    seen = well(stage.play(venue, signal(venue), *moves), protected=True)

    assert told > 5
    assert seen.codes["protection_failed"] == 0
    assert len(seen.stops) == 1


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("percent", [25, -25])
def test_a_spike_of_a_tenth_of_a_second_leaves_nothing_naked(
    stage: Theatre, venue: str, side: str, percent: int
) -> None:
    """A quarter up or down, and back: the stop may act or have followed; whatever it did is covered and explained."""
    back = {25: -20, -25: 34}[percent]

    seen = stage.play(venue, signal(venue, side), jump(venue, percent, RISE_MS), jump(venue, back, RISE_MS + 100))

    well(seen)
    assert seen.fills == seen.journalled


def test_without_fresh_prices_of_its_stream_a_stop_follows_all_the_same(stage: Theatre, venue: str) -> None:
    """The price streams stand still, and their connections answer: what they would tell is had otherwise."""
    silent = happening(venue, "streams-silent", 20_000, sockets=PUBLIC[venue], for_ms=70_000)

    seen = well(stage.play(venue, signal(venue), rises(venue), silent), protected=True)

    moved_ns = next(
        line["t"]
        for line in seen.lines
        if line["kind"] == "stop" and line["symbol"] == SYMBOL and line["trigger_price"] != str(seen.stops[0])
    )
    assert (moved_ns - seen.lines[0]["t"]) / 1e6 < 90_000
