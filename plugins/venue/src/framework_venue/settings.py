"""The settings that every account on a real venue has."""

from __future__ import annotations

import ipaddress
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urlsplit

import attrs
from attrs import define, field, validators

from framework import Percent, Secret, not_negative, positive


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _url(*schemes: str) -> Any:
    """Validator: an address without a path, encrypted unless it leads to this machine."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: str | None) -> None:
        if value is None:
            return
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(f"must be {schemes[0]}://HOST or {schemes[0]}://HOST:PORT, got {value!r}")
        if parts.scheme != schemes[0] and not is_loopback(value):
            raise ValueError(f"must be encrypted ({schemes[0]}://) unless it leads to this machine, got {value!r}")

    return check


def _not_blank(instance: object, attribute: attrs.Attribute[Any], value: Secret) -> None:
    if not value.reveal().strip() or value.reveal() != value.reveal().strip():
        raise ValueError("is empty, or has spaces around it")


@define(kw_only=True)
class VenueSettings:
    """Settings of an account on a real venue. Subclasses give their venue's defaults.

    `api_key`, `api_secret`: from the environment or a file. `base_url`, `stream_url`: where REST and WebSocket live;
    None is the production venue. `leverage` and `margin_mode` are brought in order in every market before it is
    traded; `symbols` are those to begin with and to look at in ``check`` (empty: all, in the background).
    `taker_fee_percent` values a fee that was paid in another coin. `request_timeout_s`: how long one answer may take.
    `stream_silence_s`: after so long without any sign of life a stream is opened anew. `max_clock_skew_ms`: how far
    our clock may be off before entries are refused. `rate_budget_percent`: how much of the venue's limits this
    deployment may use. `warm_connections`: so many connections are kept open for the next wave. `repeat_after_ms`: how
    long an answer may take at least before a stop is sent, or a question asked, a second time; longer where the
    venue's answers take longer. `allow_withdraw`: use a key although it may withdraw.
    """

    api_key: Secret = field(validator=_not_blank)
    api_secret: Secret = field(validator=_not_blank)
    base_url: str | None = field(default=None, validator=_url("https", "http"))
    stream_url: str | None = field(default=None, validator=_url("wss", "ws"))
    leverage: int = field(default=10, validator=[validators.ge(1), validators.le(125)])
    margin_mode: Literal["cross", "isolated"] = "cross"
    symbols: tuple[str, ...] = ()
    taker_fee_percent: Percent = field(default=Percent(Decimal("0.06")), validator=not_negative)
    request_timeout_s: Decimal = field(default=Decimal(5), validator=positive)
    stream_silence_s: Decimal = field(default=Decimal(20), validator=positive)
    max_clock_skew_ms: int = field(default=1000, validator=positive)
    rate_budget_percent: Percent = field(default=Percent(Decimal(100)), validator=positive)
    warm_connections: int = field(default=20, validator=[validators.ge(0), validators.le(200)])
    repeat_after_ms: int = field(default=250, validator=[validators.ge(50), validators.le(5000)])
    allow_withdraw: bool = False
