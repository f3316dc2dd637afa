"""Alerts of OctoBot: ``KEY=VALUE`` pairs, one a line or separated by semicolons.

The format is that of OctoBot's guide "TradingView alert format". Read are EXCHANGE, SYMBOL, SIGNAL, ORDER_TYPE,
REDUCE_ONLY, PARAM_SIDE and a STOP_PRICE in percent; sizes, targets and prices are the deployment's.
"""

from __future__ import annotations

import re
from decimal import Decimal

from framework import BadSignal, Side, Signal

from .json_values import MAX_CHARS, ValueRefusedError, shown
from .secrets_in_text import without_secrets
from .wishes import Namer, Rules, Wish, as_signal, refused, side_of

KEY = re.compile(r"[A-Z][A-Z0-9_]{0,40}")
PERCENT = re.compile(r"([+-]?)([0-9]{1,2}(?:\.[0-9]{1,6})?)%")


def parse_octobot(text: str | bytes, rules: Rules, namer: Namer, received_ns: int) -> tuple[Signal | BadSignal, ...]:
    """The signal of one alert, or why it is none. Never raises."""
    try:
        return (as_signal(_wish(text), rules, namer, received_ns),)
    except ValueRefusedError as error:
        return (refused(text, error, rules, received_ns),)


def _wish(text: str | bytes) -> Wish:
    pairs = pairs_of(text)
    action, market = _needed(pairs, "SIGNAL"), _needed(pairs, "SYMBOL")
    order_type = pairs.get("ORDER_TYPE", "MARKET").upper()
    if order_type == "STOP" or pairs.get("REDUCE_ONLY", "").lower() in ("true", "1", "yes"):
        raise ValueRefusedError("not_an_entry", "a stop or a reduce-only order asks for no new position")
    if order_type != "MARKET":
        text_ = f"ORDER_TYPE {shown(order_type)}: how a position is entered is the deployment's; send MARKET"
        raise ValueRefusedError("unsupported_order", text_)
    side = side_of(action)
    if "PARAM_SIDE" in pairs and side_of(pairs["PARAM_SIDE"]) is not side:
        raise ValueRefusedError(
            "not_an_entry", f"{shown(action)} of a {shown(pairs['PARAM_SIDE'])} position reduces it"
        )
    return Wish(
        action=action, market=market, venue=pairs.get("EXCHANGE"), stop_percent=_stop(pairs.get("STOP_PRICE"), side)
    )


def pairs_of(text: str | bytes) -> dict[str, str]:
    """The pairs of an alert. Raises ``not_pairs``, ``duplicate_field``, ``too_large``."""
    if len(text) > MAX_CHARS:
        raise ValueRefusedError("too_large", f"the alert has {len(text)} characters, at most {MAX_CHARS} are read")
    plain = text.decode(errors="replace") if isinstance(text, bytes) else text
    pairs: dict[str, str] = {}
    for part in re.split(r"[\n;]", plain):
        if not part.strip():
            continue
        key, equals, value = part.partition("=")
        name = key.strip().upper()
        if not equals or not KEY.fullmatch(name):
            raise ValueRefusedError("not_pairs", f"expected KEY=VALUE, got {shown(without_secrets(part.strip()))}")
        if name in pairs:
            raise ValueRefusedError("duplicate_field", f"the alert names {name} twice")
        pairs[name] = value.strip()
    return pairs


def _needed(pairs: dict[str, str], name: str) -> str:
    if not pairs.get(name):
        raise ValueRefusedError("missing_field", f"the alert has no {name}")
    return pairs[name]


def _stop(text: str | None, side: Side) -> Decimal | None:
    """A stop in percent of the price; prices and distances in money are not read."""
    match = None if text is None else PERCENT.fullmatch(text.replace(" ", ""))
    if match is None:
        return None
    losing = "-" if side is Side.LONG else ""
    percent = Decimal(match[2])
    if match[1].replace("+", "") != losing or not Decimal("0.01") <= percent <= 50:
        raise ValueRefusedError("bad_stop", f"STOP_PRICE {shown(text)} is not on the losing side within 0.01 and 50 %")
    return percent
