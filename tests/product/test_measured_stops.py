"""The documented wave with stops at a multiple of the average true range: on paper, and on emulated venues by ccxt."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.product.conftest import COMMAND, ROOT, Product
from tests.protection.definitions import Scene, average_true_range

EXAMPLE = ROOT / "examples" / "wave-2025-10-31"
EXPECTED = json.loads((ROOT / "tests/data/wave-2025-10-31/expected.json").read_text())
OPENED = {row["symbol"]: str(row["signal_id"]) for row in EXPECTED["signals"] if row["outcome"] == "opened"}
MULTIPLE, PERIODS, OVER = 3, 4, 9
ATR = {"multiple": MULTIPLE, "periods": PERIODS, "interval": "15m", "candles": OVER}
STOP = f'atr = {{ multiple = "{MULTIPLE}", periods = {PERIODS}, interval = "15m", candles = {OVER} }}'
YOUNG = "HFTUSDT"
"""A market that has one candle less than is needed."""
LAST_QUARTER = "2025-10-31T22:45:00Z"
TICKS = {
    "MANAUSDT": "0.0001", "C98USDT": "0.0001", "ARUSDT": "0.001", "ADAUSDT": "0.0001", "CLOUDUSDT": "0.00001",
    "CROUSDT": "0.00001", "DOGUSDT": "0.000001", "ETHBTCUSDT": "0.000001",
}  # fmt: skip
"""The markets that are opened, on both venues, with their tick sizes: ADAUSDT has the place of the young one."""


def quarters(price: Decimal) -> list[tuple[str, list[Decimal]]]:
    """The candles of 15 minutes up to 22:45: open, high, low and close, some percent around a price, with gaps."""
    digit = Decimal(1).scaleb(price.as_tuple().exponent)  # type: ignore[arg-type]
    rows = []
    for number in range(OVER):
        minute = 20 * 60 + 30 + number * 15
        opened, closed = Decimal(number * 37 % 11 - 5) / 10, Decimal(number * 53 % 13 - 6) / 10
        moves = [opened, max(opened, closed) + Decimal("0.4"), min(opened, closed) - Decimal("0.7"), closed]
        prices = [(price * (100 + move) / 100).quantize(digit) for move in moves]
        rows.append((f"2025-10-31T{minute // 60}:{minute % 60:02}:00Z", prices))
    return rows


def wanted(symbol: str, side: str, entry: Decimal) -> Decimal:
    """The stop by the definition, in fractions, on the tick of the market."""
    rows = [[0, *prices] for _, prices in quarters(last_prices()[symbol])]
    scene = Scene(1 if side == "long" else -1, Fraction(entry), Fraction(TICKS[symbol]), 0, {"15m": rows})
    stop = scene.nearest(scene.entry - scene.s * MULTIPLE * average_true_range(ATR, scene))
    return Decimal(stop.numerator) / Decimal(stop.denominator)


def timeline() -> Iterator[dict[str, Any]]:
    yield from map(json.loads, (EXAMPLE / "timeline.jsonl").read_text().splitlines())


def last_prices() -> dict[str, Decimal]:
    """What each market's last recorded minute closed at."""
    return {
        line["symbol"]: Decimal(line["close"])
        for line in timeline()
        if line["kind"] == "candle" and line["interval"] == "1m"
    }


def recording(place: Path) -> Path:
    """The documented wave, with candles of 15 minutes before it."""
    shutil.copytree(EXAMPLE, place)
    lines = list(timeline())
    markets = sorted({(line["account"], line["symbol"]) for line in lines if "symbol" in line})
    prices, added = last_prices(), []
    for account, symbol in markets:
        for opened, row in quarters(prices[symbol])[1 if symbol == YOUNG else 0 :]:
            texts = dict(zip(("open", "high", "low", "close"), map(str, row), strict=True))
            added.append({"t": LAST_QUARTER, "kind": "candle", "account": account, "symbol": symbol,
                          "interval": "15m", "open_time": opened, **texts, "quote_volume": "30000"})  # fmt: skip
    at = next(number for number, line in enumerate(lines) if line["t"] > LAST_QUARTER)
    text = "".join(json.dumps(line) + "\n" for line in (*lines[:at], *added, *lines[at:]))
    (place / "timeline.jsonl").write_text(text, encoding="utf-8")
    return place


def configured(place: Path, example: str) -> Path:
    """A configuration of ours with the other stop, on that recording."""
    text = (ROOT / example).read_text(encoding="utf-8")
    here = (ROOT / example).parent
    for path in ("examples/", "../"):
        text = text.replace(f'"{path}', f'"{here / path}/')
    text = text.replace('use = "stop-loss"\npercent = "6"', f'use = "stop-loss"\n{STOP}')
    text = text.replace('signal_may_set = ["stop", ', "signal_may_set = [")  # the signals of the wave carry stops
    assert STOP in text
    config = place / "config.toml"
    config.write_text(text, encoding="utf-8")
    return config


def played(place: Path) -> Product:
    """On paper, as `framework run` plays it."""
    product = Product(place / "state", configured(place, "config.toml"))
    done = product.run([f"signals.recording.path={recording(place / 'wave')}"])
    assert done.returncode == 0, done.stderr
    return product


def rehearsed(place: Path) -> Product:
    """On emulated venues, as `framework rehearse` plays it: the exchange plugins ask for the candles through ccxt."""
    config = configured(place, "examples/rehearsal/config.toml")
    sets = (f"signals.recording.path={recording(place / 'wave')}", f"rehearsal.ledger={place / 'ledger.jsonl'}")
    words = ["rehearse", "--config", str(config), "--state", str(place)]
    done = subprocess.run(
        [str(COMMAND), *words, *(word for each in sets for word in ("--set", each))],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Product(place / "rehearsal", config)


@pytest.fixture(scope="module", params=[played, rehearsed], ids=["paper", "emulated"])
def product(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Product:
    made: Product = request.param(tmp_path_factory.mktemp(request.param.__name__))
    return made


def test_every_position_is_opened_with_the_stop_of_its_own_market(product: Product) -> None:
    positions = {row["symbol"]: row for row in product.json("positions", "--all")}

    stops = {symbol: Decimal(row["initial_stop_price"]) for symbol, row in positions.items()}
    assert set(stops) == set(TICKS)
    assert stops == {
        symbol: wanted(symbol, row["side"], Decimal(row["entry_price"])) for symbol, row in positions.items()
    }


def test_a_market_without_enough_candles_is_refused_before_anything_is_sent(product: Product) -> None:
    told = product.json("explain", OPENED[YOUNG])

    (refusal,) = [each for each in told["decisions"] if each["outcome"] == "rejected"]
    assert (refusal["stage"], refusal["component"], refusal["code"]) == ("plan", "stop-loss", "data_missing")
    assert refusal["numbers"]["need"] == "9 candles of 15m"
    assert "has 8" in refusal["message"]
    assert told["orders"] == []


def test_explain_tells_the_range_and_the_multiple_of_the_first_stop(product: Product) -> None:
    (first, *_) = product.json("explain", OPENED["MANAUSDT"])["stop_moves"]

    assert Decimal(first["numbers"]["atr_multiple"]) == MULTIPLE
    assert Decimal(first["numbers"]["atr"]) > 0
