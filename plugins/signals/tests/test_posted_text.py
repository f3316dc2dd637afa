"""Posted signals: read where they are certain, and refused with the reason where they are not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from .reading import code_of, good

EXPORT = """⚡️⚡️ #ETH/USDT ⚡️⚡️
Exchanges: Binance Futures, ByBit USDT
Signal Type: Regular (Long)
Leverage: Cross (10.0X)

Entry Targets:
1) 1800.5

Take-Profit Targets:
1) 1850
2) 1,900.25

Stop Targets:
1) 1700

Trailing Configuration:
Stop: Breakeven -
Trigger: Target (2)"""

READ: dict[str, tuple[str, str, str, str | None]] = {
    "the layout of an export": (EXPORT, "ETHUSDT", "long", "5.5818"),
    "no line breaks at all": (
        "OPUSDT LONGLeverage: 10.0XEntry Targets:1) 2.475Take-Profit Targets:1) 2.5 2) 2.6Stop Targets:1) 2.3",
        "OPUSDT", "long", "7.0707",
    ),
    "thousands, a dash that is none, and spaces that are none": (
        "#BTC/USDT\nBuy\u00a043,500 – 44,000\nTargets: $45,000 - $46,000\nStop loss: 42,000", "BTCUSDT", "long", "4",
    ),
    "a direction that its prices imply": (
        "AVAX/USDT\nEntry: 20-21\nTP1: 22\nTP2: 23\nSL: 18.5", "AVAXUSDT", "long", "9.7561",
    ),
    "a short that its prices imply": ("SOL/USDT Entry 150 Target 140 Stop 155", "SOLUSDT", "short", "3.3333"),
    "no stop": ("SOLUSDT SHORT\nEntry 150\nTarget 140", "SOLUSDT", "short", None),
    "a stop in percent": ("SOLUSDT LONG\nEntry: 150\nTarget: 160\nStop loss: 5%", "SOLUSDT", "long", "5"),
    "a stop alone": ("SOLUSDT\nBuy zone 150-152\nSL 140", "SOLUSDT", "long", "7.2848"),
    "a market entry": ("SOLUSDT LONG Entry at market\nTarget: 160\nSL: 140", "SOLUSDT", "long", None),
    "amounts and leverage beside it": (
        "NEAR/USDT (Short, 20x)\nAmount per trade 5%\nEntry: 5.1\nTargets: 5.0, 4.9\nSL: 5.3",
        "NEARUSDT", "short", "3.9216",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_a_post_is_read_with(name: str) -> None:
    text, symbol, side, stop = READ[name]

    signal = good("text", text)

    assert (signal.symbol, signal.side.value) == (symbol, side)
    percent = signal.settings.stop_percent
    assert (None if percent is None else percent.value) == (None if stop is None else Decimal(stop))


REFUSED: dict[str, tuple[str, str]] = {
    "a bare coin": ("AVAX SHORT\nEntry 20\nTarget 19\nStop 21", "no_market"),
    "two markets": ("BTC/USDT or ETH/USDT\nEntry 100\nTarget 110", "ambiguous"),
    "both directions": ("BTC/USDT LONG, not SHORT\nEntry 100\nTarget 110", "ambiguous"),
    "a number that could be a label": ("ETH/USDT LONG Entry 100 TP41.3100 SL 90", "ambiguous"),
    "labels without anything between": ("ETH/USDT Entry 100 Targets 1 110 2 120 SL 90", "ambiguous"),
    "a range for a stop": ("ETH/USDT LONG Entry 100 Target 110 SL - 25-30%", "ambiguous"),
    "a decimal comma": ("ETH/USDT LONG Entry: 1,5 Target: 2 SL: 1", "ambiguous"),
    "a comma after a zero": ("ETH/USDT LONG Entry: 0,123 Target: 2 SL: 1", "ambiguous"),
    "a number with a letter": ("BTC/USDT LONG Entry: 43k Target: 45000 SL: 42000", "ambiguous"),
    "two dots": ("BTC/USDT LONG Entry: 43.500.000 Target: 45000 SL: 42000", "ambiguous"),
    "an entry below a price": ("SUI/USDT\nEntry: Below 3.10\nTarget: 3.5\nSL: 2.9", "conditional_entry"),
    "an entry above a price": ("SUI/USDT\nBuy above 3.10\nTarget: 3.5\nSL: 2.9", "conditional_entry"),
    "no entry": ("SUI/USDT LONG\nTarget: 3.5\nSL: 2.9", "no_entry"),
    "neither target nor stop": ("SUI/USDT LONG\nEntry: 3.1", "no_target"),
    "a direction that its prices deny": ("SUI/USDT SHORT\nEntry: 3.1\nTarget: 3.5\nSL: 2.9", "contradiction"),
    "a stop on the wrong side": ("SUI/USDT LONG\nEntry: 3.1\nTarget: 3.5\nSL: 3.2", "contradiction"),
    "no direction at all": ("SUI/USDT\nEntry at market\nTarget: 3.5\nStop loss: 5%", "no_direction"),
    "a stop that is too far": ("SUI/USDT LONG\nEntry: 3.1\nTarget: 3.5\nSL: 1.1", "bad_stop"),
    "a price of nothing": ("SUI/USDT LONG\nEntry: 0\nTarget: 3.5\nSL: 1.1", "out_of_range"),
    "a chat": ("good morning everybody, what do you think?", "no_market"),
    "a target that was reached": ("SOL/USDT Take-Profit target 2 ✅ Profit: 40%", "no_entry"),
    "nothing": ("", "no_market"),
    "a book": ("BTC/USDT " * 2000, "too_large"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_post_is_refused_for(name: str) -> None:
    text, code = REFUSED[name]

    assert code_of("text", text) == code


def test_what_stands_behind_a_trailing_configuration_is_not_read() -> None:
    text = "SOLUSDT LONG\nEntry 150\nTarget 160\nStop 140\nTrailing Configuration:\nStop: Moving 2 Target 1"

    stop = good("text", text).settings.stop_percent

    assert stop is not None
    assert stop.value == Decimal("6.6667")
