"""Where Bybit lives, and what ccxt's exchange is made with. Source: "Bybit v5, Integration Guidance" and "Connect"."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field, frozen, validators

from framework import Percent, not_negative
from framework_venue.settings import VenueSettings, is_loopback

PRODUCTION = "https://api.bybit.com"
RECV_WINDOW_MS = 5000
MARGIN_MODES: Mapping[str, str] = {"cross": "REGULAR_MARGIN", "isolated": "ISOLATED_MARGIN"}


@frozen
class Addresses:
    """The two WebSocket servers that go with a REST server, and whether orders there cost money."""

    rest: str
    public: str
    private: str
    real_money: bool


def _place(rest: str, public: str, private: str | None = None, *, real: bool = True) -> Addresses:
    return Addresses(f"https://{rest}", f"wss://{public}", f"wss://{private or public}", real)


_KNOWN: Mapping[str, Addresses] = {
    place.rest: place
    for place in (
        _place("api.bybit.com", "stream.bybit.com"),
        _place("api.bytick.com", "stream.bytick.com"),
        _place("api-testnet.bybit.com", "stream-testnet.bybit.com", real=False),
        # Demo trading has the market of the production venue ("Demo Trading Service").
        _place("api-demo.bybit.com", "stream.bybit.com", "stream-demo.bybit.com", real=False),
    )
}


def addresses(base_url: str | None, stream_url: str | None) -> Addresses:
    """Where to connect to. Raises ValueError for a REST server whose streams nobody knows.

    A loopback server has its streams on the same port. What is not known to be a test is taken for real money.
    """
    rest = (base_url or PRODUCTION).rstrip("/")
    loopback = is_loopback(rest)
    known = _KNOWN.get(rest.lower())
    if stream_url is not None:
        streams = stream_url.rstrip("/")
        return Addresses(rest, streams, streams, real_money=not loopback if known is None else known.real_money)
    if known is not None:
        return known
    if loopback:
        streams = f"ws://{urlsplit(rest).netloc}"
        return Addresses(rest, streams, streams, real_money=False)
    raise ValueError(f"base_url {rest} is not one of {', '.join(_KNOWN)}: set `stream_url` too")


@define(kw_only=True, eq=False, slots=False)
class BybitSettings(VenueSettings):
    """The settings of every venue with Bybit's defaults.

    `orders_per_s`: how many orders a second the account may place: 10, or what its VIP or PRO level allows ("Bybit v5,
    Rate Limit"). The first answer corrects it; a wave is faster if it is known before.
    """

    taker_fee_percent: Percent = field(default=Percent(Decimal("0.055")), validator=not_negative)
    orders_per_s: int = field(default=10, validator=[validators.ge(1), validators.le(1200)])

    def __attrs_post_init__(self) -> None:
        addresses(self.base_url, self.stream_url)

    @property
    def place(self) -> Addresses:
        """Where this account lives."""
        return addresses(self.base_url, self.stream_url)

    @property
    def margin_name(self) -> str:
        """The venue's word for `margin_mode`."""
        return MARGIN_MODES[self.margin_mode]


def ccxt_config(settings: BybitSettings) -> dict[str, Any]:
    """The constructor's argument. Only implicit methods are called, so nothing else of ccxt is set up.

    The options on the account keep every call of ccxt from looking up what kind of account it is.
    """
    where = settings.place
    return {
        "apiKey": settings.api_key.reveal(),
        "secret": settings.api_secret.reveal(),
        "number": str,
        "enableRateLimit": False,
        "has": {"fetchCurrencies": False},
        "options": {
            "recvWindow": RECV_WINDOW_MS,
            "fetchMarkets": {"types": ["linear"]},
            "enableUnifiedMargin": False,
            "enableUnifiedAccount": True,
            "unifiedMarginStatus": 6,
            "maxRetriesOnFailure": 0,
        },
        "urls": {
            "api": {
                "public": where.rest,
                "private": where.rest,
                "ws": {
                    "public": {"linear": f"{where.public}/v5/public/linear"},
                    "private": {"contract": f"{where.private}/v5/private"},
                },
            }
        },
    }
