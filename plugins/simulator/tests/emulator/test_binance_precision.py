"""Market data keeps the digits of its tick and step: clients read the precision of a market off the text."""

from __future__ import annotations

from typing import Any

import pytest

from .virtual import Virtual

HERE = {"symbol": "BTCUSDT"}


@pytest.fixture
def venue() -> Virtual:
    """A round bid beside an ask that isn't, and two trades."""
    venue = Virtual.start()
    venue.price("binance", "50001.1")
    venue.price("binance", "50000", "50000.1")
    return venue


def test_a_round_bid_has_as_many_digits_as_the_ask_beside_it(venue: Virtual) -> None:
    best = venue.binance("GET", "/fapi/v1/ticker/bookTicker", **HERE)
    assert (best["bidPrice"], best["askPrice"]) == ("50000.0", "50000.1")
    depth = venue.binance("GET", "/fapi/v1/depth", **HERE)
    assert {len(price.partition(".")[2]) for side in ("bids", "asks") for price, _ in depth[side]} == {1}
    assert {len(quantity.partition(".")[2]) for side in ("bids", "asks") for _, quantity in depth[side]} == {3}


def test_trades_tickers_and_candles_keep_their_digits(venue: Virtual) -> None:
    assert venue.binance("GET", "/fapi/v1/trades", **HERE)[-1]["price"] == "50000.0"
    assert venue.binance("GET", "/fapi/v1/aggTrades", **HERE)[-1]["p"] == "50000.0"
    assert venue.binance("GET", "/fapi/v2/ticker/price", **HERE)["price"] == "50000.0"
    assert venue.binance("GET", "/fapi/v1/ticker/24hr", **HERE)["lastPrice"] == "50000.0"
    assert venue.binance("GET", "/fapi/v1/klines", **HERE, interval="1m")[-1][4] == "50000.0"


@pytest.mark.parametrize(
    ("stream", "price"),
    [
        ("btcusdt@bookTicker", lambda event: event["b"]),
        ("btcusdt@depth5@100ms", lambda event: event["b"][0][0]),
        ("btcusdt@aggTrade", lambda event: event["p"]),
        ("btcusdt@trade", lambda event: event["p"]),
        ("btcusdt@kline_1m", lambda event: event["k"]["c"]),
        ("btcusdt@miniTicker", lambda event: event["c"]),
    ],
)
def test_streams_keep_their_digits(venue: Virtual, stream: str, price: Any) -> None:
    _, inbox = venue.open(f"/public/ws/{stream}")
    venue.price("binance", "49999", "49999.1")
    venue.wait_ms(3000)
    assert price(inbox.frames[-1]) == "49999.0"
