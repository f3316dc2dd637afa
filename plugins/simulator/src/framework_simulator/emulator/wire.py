"""What a venue's face looks like to whatever carries its bytes: sockets on the loopback, or virtual ones in a test.

Everything here is synchronous and runs on emulator time. A transport (``server.py``) hands requests in and obeys
what comes back; it knows nothing of a venue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import field, frozen

from ..engine.events import Event


@frozen
class HttpRequest:
    """A request as it arrived. `path` is decoded, `query` and `body` are raw: signatures are made over the raw text."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


@frozen
class Transport:
    """What the transport does to an answer instead of just delivering it: the faults that no venue code can act out.

    `delay_ns` waits before the answer goes out. `drop` closes the connection without one. `truncate` sends the full
    Content-Length and only that many bytes of the body, then closes. The rest of the answer is as it says itself.
    """

    delay_ns: int = 0
    drop: bool = False
    truncate: int | None = None


PLAIN = Transport()


@frozen
class HttpResponse:
    """An answer. `after` is called once the answer was handed to the client's socket (or dropped); see `Transport`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    transport: Transport = PLAIN
    after: Callable[[], None] | None = field(default=None, eq=False)


class Peer(Protocol):
    """The client's end of one WebSocket, given by the transport."""

    def send(self, text: str) -> None:
        """Queue one text frame. Never blocks and never raises, even when the client is gone."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close from the venue's side after what was queued. A second call does nothing."""
        ...

    def ping(self) -> None:
        """Send a protocol-level ping; the answer arrives at `Socket.pong`."""
        ...


class Socket(Protocol):
    """The venue's end of one WebSocket, made by a wire."""

    def receive(self, text: str) -> None:
        """A text frame (or a binary one, decoded) arrived. Never raises."""
        ...

    def pong(self) -> None:
        """A protocol-level pong arrived."""
        ...

    def closed(self) -> None:
        """The client went away, or the transport closed. Called exactly once."""
        ...


class Wire(Protocol):
    """One venue's face."""

    @property
    def venue(self) -> str:
        """ "binance" or "bybit"."""
        ...

    def owns(self, path: str) -> bool:
        """Whether a path (of HTTP or WebSocket) is this venue's. Paths of the two do not collide."""
        ...

    def http(self, request: HttpRequest) -> HttpResponse:
        """Answer a request. Never raises: a defect becomes the venue's own "unknown error" and `World.defects`."""
        ...

    def connect(self, path: str, query: str, headers: Mapping[str, str], peer: Peer) -> Socket | HttpResponse:
        """Open a WebSocket, or refuse the upgrade with an answer."""
        ...

    def on_event(self, account: str, event: Event) -> None:
        """Something happened on an account. Called after the ledger's line, in the order of decision."""
        ...

    def on_quote(self, symbol: str) -> None:
        """The market of a symbol changed."""
        ...

    @property
    def is_behind(self) -> bool:
        """Whether somebody who listens has yet to be told that a market has changed."""
        ...
