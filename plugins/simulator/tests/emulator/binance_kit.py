"""What the Binance tests share: a running emulator, and clients of others pointed at it. No client is changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlencode

from attrs import define, field

from framework_simulator.emulator.binance.auth import sign
from framework_simulator.emulator.build import DEFAULT_KEY, Plan, build_world
from framework_simulator.emulator.clock import ManualClock
from framework_simulator.emulator.transport import carry_out, open_socket
from framework_simulator.emulator.wire import HttpRequest, HttpResponse
from framework_simulator.emulator.world import World

from .rig import MS, SYMBOL, UNIFIED, Rig, d, run, running_at, set_price, until

__all__ = ["MS", "SYMBOL", "UNIFIED", "Rig", "d", "run", "until"]


def running(**settings: Any) -> AbstractAsyncContextManager[Rig]:
    """See `running_at`."""
    return running_at("binance", **{"subscribe_delay_ns": 2 * MS, **settings})


def ccxt_config(rig: Rig, **more: Any) -> dict[str, Any]:
    """How ccxt is pointed at the loopback: nothing but its public configuration."""
    rest = {f"fapi{side}{version}": f"{rig.rest}/fapi/{number}" for side in ("Public", "Private")
            for version, number in (("", "v1"), ("V2", "v2"), ("V3", "v3"))}  # fmt: skip
    streams = {"ws": {"linear": f"{rig.ws}/ws", "ws-api": {"linear": f"{rig.ws}/ws-fapi/v1"}}}
    return {
        "apiKey": DEFAULT_KEY.key,
        "secret": DEFAULT_KEY.secret,
        "enableRateLimit": False,
        "options": {"fetchCurrencies": False, "fetchMargins": False, **more.pop("options", {})},
        "urls": {"api": {**rest, "fapiData": f"{rig.rest}/futures/data", "sapi": f"{rig.rest}/sapi/v1", **streams}},
        **more,
    }


@define
class Tap:
    """A client's end of a virtual WebSocket: it keeps what it hears."""

    frames: list[Any] = field(factory=list)
    closed_with: int | None = None
    pings: int = 0

    def send(self, text: str) -> None:
        self.frames.append(json.loads(text))

    def close(self, code: int, reason: str) -> None:
        self.closed_with = code

    def ping(self) -> None:
        self.pings += 1

    def events(self, kind: str) -> list[Any]:
        return [one for one in self.frames if isinstance(one, dict) and one.get("e") == kind]


@define
class Desk:
    """The wire without sockets: virtual time, signed requests, frames in lists."""

    world: World = field(factory=lambda: build_world(ManualClock(), Plan()))

    def __attrs_post_init__(self) -> None:
        self.price(50000)

    def price(self, bid: str | int, ask: str | int | None = None, **rest: Any) -> None:
        set_price(self.world, "binance", bid, ask, **rest)

    def raw(
        self, method: str, path: str, query: str = "", body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        return carry_out(self.world, HttpRequest(method, path, query, headers or {}, body))

    def call(self, method: str, path: str, **params: Any) -> Any:
        """A signed request; answers the JSON, with the status of an error."""
        response = self.response(method, path, **params)
        answer = json.loads(response.body)
        if response.status == 200:
            return answer
        return {"status": response.status, **answer}

    def response(self, method: str, path: str, **params: Any) -> HttpResponse:
        text = urlencode({**params, "timestamp": self.world.told_ms("binance")})
        signed = f"{text}&signature={sign(DEFAULT_KEY.secret, text)}"
        return self.raw(method, path, signed, headers={"x-mbx-apikey": DEFAULT_KEY.key})

    def order(self, side: str, quantity: str, price: str | None = None, **params: Any) -> Any:
        limit = {} if price is None else {"price": price, "timeInForce": "GTC"}
        wanted = {"type": "MARKET" if price is None else "LIMIT", "newOrderRespType": "RESULT", **limit, **params}
        return self.call("POST", "/fapi/v1/order", symbol=SYMBOL, side=side, quantity=quantity, **wanted)

    def algo(self, side: str, quantity: str | None, trigger: str | None, **params: Any) -> Any:
        wanted = {"algoType": "CONDITIONAL", "type": "STOP_MARKET", "quantity": quantity, "triggerPrice": trigger}
        wanted = {name: value for name, value in {**wanted, **params}.items() if value is not None}
        return self.call("POST", "/fapi/v1/algoOrder", symbol=SYMBOL, side=side, **wanted)

    def wait(self, milliseconds: int) -> None:
        self.world.clock.advance(milliseconds * MS)

    def listen(self) -> Tap:
        """Open the user stream."""
        key = json.loads(self.raw("POST", "/fapi/v1/listenKey", headers={"x-mbx-apikey": DEFAULT_KEY.key}).body)[
            "listenKey"
        ]
        return self.connect("/private/ws", f"listenKey={key}")[0]

    def connect(self, path: str, query: str = "") -> tuple[Tap, Any]:
        """Open any stream; answers the client's end and the venue's."""
        tap = Tap()
        socket = open_socket(self.world, path, query, {}, tap)
        self.wait(50)
        return tap, socket


def code_of(error: BaseException) -> int:
    """The venue's code in an error of ccxt's."""
    text = str(error)
    body: Mapping[str, Any] = json.loads(text[text.index("{") :])
    return int(body["code"])
