"""Where Binance USD-M futures live, and what ccxt is made with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field, frozen

from framework import Percent, not_negative
from framework_venue.settings import VenueSettings, is_loopback

PRODUCTION = "https://fapi.binance.com"
RECV_WINDOW_MS = 5000
"""How old a request may be when the venue reads it: the venue's own default."""


@frozen
class Place:
    """One home of the venue. `wallet` is where the rights of a key are told, None where nobody tells them."""

    streams: str
    wallet: str | None
    real_money: bool


PLACES = {
    PRODUCTION: Place("wss://fstream.binance.com", "https://api.binance.com", real_money=True),
    "https://demo-fapi.binance.com": Place("wss://fstream.binancefuture.com", None, real_money=False),
    "https://testnet.binancefuture.com": Place("wss://fstream.binancefuture.com", None, real_money=False),
}
"""Source: "Binance USD-M Futures, General Info" and "Websocket Market Streams", demo trading and testnet included."""


@define(kw_only=True, eq=False)
class BinanceSettings(VenueSettings):
    """The settings of every venue with Binance's defaults."""

    taker_fee_percent: Percent = field(default=Percent(Decimal("0.05")), validator=not_negative)

    def __attrs_post_init__(self) -> None:
        if self.stream_url is None and self.rest not in PLACES and not is_loopback(self.rest):
            raise ValueError(f"stream_url must be set: nobody knows where the streams of {self.rest} are")

    @property
    def rest(self) -> str:
        """Where requests go, without a slash at the end."""
        return (self.base_url or PRODUCTION).rstrip("/")

    @property
    def place(self) -> Place:
        """What is known of the address: one that is not in the table costs money, unless it is this machine."""
        known = PLACES.get(self.rest)
        if known is not None:
            return known
        here = is_loopback(self.rest)
        parts = urlsplit(self.rest)
        return Place(f"ws://{parts.netloc}", self.rest if here else PLACES[PRODUCTION].wallet, real_money=not here)

    @property
    def streams(self) -> str:
        """Where streams are, without a slash at the end."""
        return (self.stream_url or self.place.streams).rstrip("/")

    def api_config(self) -> dict[str, Any]:
        """What ccxt's exchange is made with. Only the leaves that differ are needed: ccxt merges them."""
        wallet = self.place.wallet
        return {
            "apiKey": self.api_key.reveal(),
            "secret": self.api_secret.reveal(),
            "number": str,
            "options": {"fetchCurrencies": False, "fetchMargins": False, "recvWindow": RECV_WINDOW_MS},
            "urls": {"api": {**_addresses(self.rest), **({} if wallet is None else {"sapi": f"{wallet}/sapi/v1"})}},
        }


def _addresses(rest: str) -> dict[str, str]:
    versions = {"": "v1", "V2": "v2", "V3": "v3"}
    sides = ("Public", "Private")
    return {f"fapi{side}{name}": f"{rest}/fapi/{path}" for side in sides for name, path in versions.items()}
