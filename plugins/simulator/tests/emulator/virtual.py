"""The emulator without sockets, under a clock that stands still: what a client would send, handed to the wires."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from attrs import define, field

from framework_simulator.emulator.build import Plan, build_world
from framework_simulator.emulator.clock import ManualClock
from framework_simulator.emulator.control import Control, Tail
from framework_simulator.emulator.funding import FundingClock
from framework_simulator.emulator.prices import still
from framework_simulator.emulator.transport import GuardedSocket, carry_out, open_socket
from framework_simulator.emulator.wire import HttpRequest, HttpResponse
from framework_simulator.emulator.world import World

KEY, SECRET = "demo-key", "demo-secret"
ME = "demo"
ORDER = {"path": "/fapi/v1/order", "method": "POST"}
CREATE = {"path": "/v5/order/create"}


@define
class Inbox:
    """The client's end of a virtual socket: what it was sent."""

    frames: list[dict[str, Any]] = field(factory=list)
    closed: tuple[int, str] | None = None
    pings: int = 0

    def send(self, text: str) -> None:
        self.frames.append(json.loads(text))

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def ping(self) -> None:
        self.pings += 1


@define
class Virtual:
    """Both venues on manual time, with a client of each, whose clock is behind by `behind_ms`."""

    world: World
    clock: ManualClock
    tail: Tail
    control: Control
    answers: list[HttpResponse] = field(factory=list)
    behind_ms: int = 0

    @classmethod
    def start(cls, *, seed: int = 0, prices: bool = True) -> Virtual:
        clock, tail = ManualClock(), Tail()
        world = build_world(clock, Plan(sinks=[tail], seed=seed))
        FundingClock(world).begin()
        if prices:
            still(world)
        return cls(world, clock, tail, Control(world, tail))

    def send(self, request: HttpRequest) -> HttpResponse:
        answer = carry_out(self.world, request)
        self.answers.append(answer)
        self._is_sound()
        return answer

    def binance(self, method: str, path: str, **params: object) -> Any:
        """A signed request of Binance; answers its parsed body."""
        query = urlencode({**params, "timestamp": self.world.told_ms("binance") - self.behind_ms})
        signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        headers = {"x-mbx-apikey": KEY}
        return _body(self.send(HttpRequest(method, path, f"{query}&signature={signature}", headers)))

    def bybit(self, method: str, path: str, **params: object) -> Any:
        """A signed request of Bybit; answers its parsed body."""
        stamp, window = str(self.world.told_ms("bybit") - self.behind_ms), "5000"
        text = urlencode(params) if method == "GET" else json.dumps(params)
        sign = hmac.new(SECRET.encode(), f"{stamp}{KEY}{window}{text}".encode(), hashlib.sha256).hexdigest()
        headers = {
            "x-bapi-api-key": KEY,
            "x-bapi-timestamp": stamp,
            "x-bapi-recv-window": window,
            "x-bapi-sign": sign,
            "content-type": "application/json",
        }
        query, body = (text, b"") if method == "GET" else ("", text.encode())
        return _body(self.send(HttpRequest(method, path, query, headers, body)))

    def order(self, symbol: str = "BTCUSDT", side: str = "BUY", quantity: str = "0.01", **rest: object) -> Any:
        """An order on Binance, a market order unless `rest` says otherwise, with the result in the answer."""
        wish = {"symbol": symbol, "side": side, "type": "MARKET", "quantity": quantity, "newOrderRespType": "RESULT"}
        return self.binance("POST", "/fapi/v1/order", **{**wish, **rest})

    def bybit_order(self, symbol: str = "BTCUSDT", side: str = "Buy", quantity: str = "0.01", **rest: object) -> Any:
        """A market order on Bybit."""
        return self.bybit(
            "POST",
            "/v5/order/create",
            category="linear",
            symbol=symbol,
            side=side,
            orderType="Market",
            qty=quantity,
            **rest,
        )

    def price(self, venue: str, bid: str, ask: str | None = None, *, symbol: str = "BTCUSDT", **rest: str) -> None:
        self.control.price({"venue": venue, "symbol": symbol, "bid": bid, "ask": ask or bid, **rest})

    def fault(self, name: str, **rule: object) -> None:
        self.control.faults({"fault": [{"name": name, **rule}]})

    def open(self, path: str, query: str = "") -> tuple[GuardedSocket, Inbox]:
        inbox = Inbox()
        opened = open_socket(self.world, path, query, {}, inbox)
        assert isinstance(opened, GuardedSocket), opened
        return opened, inbox

    def binance_stream(self) -> Inbox:
        """The user stream of Binance, raw."""
        key = self.binance("POST", "/fapi/v1/listenKey")["listenKey"]
        return self.open("/private/ws", f"listenKey={key}")[1]

    def bybit_stream(self, *topics: str) -> Inbox:
        """The private stream of Bybit with some topics."""
        socket, inbox = self.open("/v5/private")
        expires = self.world.told_ms("bybit") + 10_000
        sign = hmac.new(SECRET.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
        socket.receive(json.dumps({"op": "auth", "args": [KEY, expires, sign]}))
        socket.receive(json.dumps({"op": "subscribe", "req_id": "1", "args": list(topics)}))
        self.wait_ms(100)
        return inbox

    def wait_ms(self, delta_ms: int) -> None:
        self.clock.advance(delta_ms * 1_000_000)
        self._is_sound()

    def _is_sound(self) -> None:
        assert [defect.trace for defect in self.world.defects] == []

    def lines(self, kind: str | None = None, venue: str | None = None) -> list[dict[str, Any]]:
        return [line for line in self.tail.lines if kind in (None, line["kind"]) and venue in (None, line["venue"])]

    def held(self, venue: str, symbol: str = "BTCUSDT") -> str:
        return str(self.world.venues[venue].position(ME, symbol).quantity)


def faulty(name: str, **rule: object) -> Virtual:
    """Both venues, with one rule."""
    virtual = Virtual.start()
    virtual.fault(name, **rule)
    return virtual


def _body(answer: HttpResponse) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        return answer.body
