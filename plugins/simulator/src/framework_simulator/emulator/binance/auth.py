"""Who a request comes from: API key, signature over the raw text, timestamp and recvWindow.

Source: "Binance USD-M Futures, General Info, Endpoint Security Type".
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import re

from ..wire import HttpRequest
from ..world import KeyInfo, World
from .errors import VenueError, missing
from .params import Params

RECV_WINDOW_MS = 5000
LARGEST_RECV_WINDOW_MS = 60_000
AHEAD_MS = 1000
_SIGNATURE = re.compile(r"(^|&)signature=[^&]*")


class Security(enum.Enum):
    """What a route asks for: nothing, the key alone, or the key with a signature."""

    NONE = enum.auto()
    KEY = enum.auto()
    SIGNED = enum.auto()


def caller(world: World, key: str | None) -> KeyInfo:
    """The owner of a key. Raises -2014 without one, -2015 for one that nobody has."""
    if not key:
        raise VenueError(-2014)
    known = world.keys.get(key)
    if known is None:
        raise VenueError(-2015)
    return known


def check_http(world: World, request: HttpRequest, params: Params, key: KeyInfo) -> None:
    """Raises unless the request is signed, and in time."""
    check_time(world, params)
    signed = _unsigned(request.query) + _unsigned(request.body.decode("utf-8"))
    _check_signature(world, signed, params, key)


def check_frame(world: World, params: Params, key: KeyInfo) -> None:
    """Raises unless a WebSocket frame is signed (over its parameters, sorted by name), and in time."""
    check_time(world, params)
    pairs = sorted((name, value) for name, value in params.values.items() if name != "signature")
    _check_signature(world, "&".join(f"{name}={value}" for name, value in pairs), params, key)


def check_time(world: World, params: Params) -> None:
    """Raises -1021 for a request that is too old, or over a second ahead."""
    sent_ms = params.need_whole("timestamp")
    window_ms = params.whole("recvWindow")
    window_ms = RECV_WINDOW_MS if window_ms is None else window_ms
    if not 0 < window_ms <= LARGEST_RECV_WINDOW_MS:
        raise VenueError(-1131)
    now_ms = world.told_ms("binance")
    if sent_ms >= now_ms + AHEAD_MS:
        message = "Timestamp for this request was 1000ms ahead of the server's time."
        raise VenueError(-1021, message=message)
    if now_ms - sent_ms > window_ms:
        raise VenueError(-1021)


def sign(secret: str, text: str) -> str:
    """The signature of a text, as clients make it."""
    return hmac.new(secret.encode(), text.encode(errors="replace"), hashlib.sha256).hexdigest()


def _check_signature(world: World, text: str, params: Params, key: KeyInfo) -> None:
    given = params.text("signature")
    if given is None:
        raise missing("signature")
    if not world.settings.check_signatures:
        return
    if not hmac.compare_digest(sign(key.secret, text).encode(), given.lower().encode(errors="replace")):
        raise VenueError(-1022)


def _unsigned(text: str) -> str:
    return _SIGNATURE.sub("", text).removeprefix("&") if "signature=" in text else text
