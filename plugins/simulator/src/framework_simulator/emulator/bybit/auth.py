"""Who a request comes from: API key, signature over the raw text, timestamp and recvWindow.

Source: "Bybit v5, Integration Guidance, Authentication" and "WebSocket Connect, Authentication".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

from ..wire import HttpRequest
from ..world import KeyInfo, World
from .errors import VenueError

RECV_WINDOW_MS = 5000
AHEAD_MS = 1000
_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)


def known_key(world: World, key: str | None) -> KeyInfo | None:
    """The owner of a key, or nobody."""
    return None if not key else world.keys.get(key)


def check_http(world: World, request: HttpRequest, key: KeyInfo | None) -> KeyInfo:
    """Raises 10003, 10002 or 10004 unless a known key signed the request, and in time."""
    if key is None:
        raise VenueError(10003)
    sent, window = request.headers.get("x-bapi-timestamp"), request.headers.get("x-bapi-recv-window")
    check_time(world, sent, window)
    payload = request.query if request.method == "GET" else request.body.decode("utf-8", "replace")
    # Without the header the window is the default one, and there is nothing of it to sign.
    text = f"{sent}{key.key}{window or ''}{payload}"
    given = request.headers.get("x-bapi-sign", "")
    if world.settings.check_signatures and not _equal(sign(key.secret, text), given):
        raise VenueError(10004, text)
    return key


def check_time(world: World, sent: object, window: object) -> None:
    """Raises 10002 for a request that is too old, or a second or more ahead."""
    now_ms = world.told_ms("bybit")
    sent_ms, window_ms = _whole(sent), _whole(window)
    window_ms = RECV_WINDOW_MS if window_ms is None else window_ms
    if sent_ms is None or not now_ms - window_ms <= sent_ms < now_ms + AHEAD_MS:
        raise VenueError(10002, sent, now_ms, window_ms)


def check_socket(world: World, args: Any) -> KeyInfo:
    """The owner of a socket by the arguments of its `auth` (key, expires, signature). Raises 10003 or 10004."""
    if not isinstance(args, list) or len(args) != 3:
        raise VenueError(10001, "auth takes the key, the expiry and the signature")
    key = known_key(world, args[0] if isinstance(args[0], str) else None)
    if key is None:
        raise VenueError(10003)
    expires_ms = _whole(args[1])
    if expires_ms is None or expires_ms <= world.told_ms("bybit"):
        raise VenueError(10004, message="Params Error: expires time is before current time")
    given = args[2] if isinstance(args[2], str) else ""
    # ccxt sends the expiry as text, pybit as a number: the signed text is the same.
    if world.settings.check_signatures and not _equal(sign(key.secret, f"GET/realtime{args[1]}"), given):
        raise VenueError(10004, f"GET/realtime{args[1]}")
    return key


def sign(secret: str, text: str) -> str:
    """The signature of a text, as clients make it."""
    return hmac.new(secret.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _equal(right: str, given: str) -> bool:
    return hmac.compare_digest(right.encode(), given.lower().encode("utf-8", "surrogatepass"))


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value) if not isinstance(value, int) or abs(value) < 10**18 else ""
    return int(text) if _WHOLE.fullmatch(text) else None
