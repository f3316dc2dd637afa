"""What stands in for aiohttp's `ClientSession`: bytes go straight into the wires of the emulator, in virtual time.

ccxt signs and parses, ccxt.pro's client frames, and neither knows the difference. A request arrives, and is answered,
by timers of the world: it is on its way whether the process that sent it still lives or not. What is used of aiohttp
is exactly what ccxt uses of it: `get`, `post`, `put` and `delete` as context managers, and `ws_connect`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import aiohttp
from aiohttp.client_reqrep import ConnectionKey
from attrs import define, field

from framework.testing import Fate, SimulatedLoop

from ..emulator.transport import carry_out
from ..emulator.wire import HttpRequest, HttpResponse
from ..emulator.world import World
from .points import ANSWERED, SEND, SENT, for_ever
from .rest import OURS
from .sockets import Dialling, SimulatedSocket


class Journey(Protocol):
    """How one request travels. Times in ns.

    `refused`: no connection is made. `arrives` False: it is lost on its way. `resets`: the connection breaks instead
    of an answer. `answers` False: the answer is lost.
    """

    @property
    def there_ns(self) -> int: ...
    @property
    def back_ns(self) -> int: ...
    @property
    def refused(self) -> bool: ...
    @property
    def arrives(self) -> bool: ...
    @property
    def resets(self) -> bool: ...
    @property
    def answers(self) -> bool: ...


class Roads(Protocol):
    """How requests and frames travel at the moment."""

    def request(self, venue: str, method: str, path: str, within_s: float) -> Journey:
        """The way of a request that is given up after `within_s`."""
        ...

    def frame(self, venue: str, *, outward: bool) -> tuple[int, ...]:
        """When the copies of a stream's frame arrive, in ns from now; none: it is lost. `outward`: to the venue."""
        ...

    def is_cut(self, venue: str) -> bool:
        """Whether nothing gets through."""
        ...


@define(eq=False)
class Carrier:
    """The network of one process. `loop` is the process's; after `die` nothing of it reaches the world.

    `on_send` is told the client ids in a request that changes something, when it leaves.
    """

    world: World
    roads: Roads
    fate: Fate
    on_send: Callable[[Sequence[str]], None] = lambda identifiers: None
    loop: SimulatedLoop | None = None
    is_dead: bool = field(default=False, init=False)
    sockets: dict[int, SimulatedSocket] = field(factory=dict, init=False)

    def session(self) -> SimulatedSession:
        """What an exchange gets instead of an aiohttp session."""
        return SimulatedSession(self)

    def begin(self, loop: SimulatedLoop) -> None:
        """The process is born."""
        self.loop = loop

    def die(self) -> None:
        """The process is gone: what it had open is closed by the operating system."""
        self.is_dead = True
        for socket in tuple(self.sockets.values()):
            socket.drop()
        self.sockets.clear()

    def survives(self, point: str) -> bool:
        """Whether the process goes on after this point. If not, its loop ends with what runs now."""
        if self.is_dead or self.loop is None:
            return False
        if self.fate.reached(point):
            self.loop.kill()
            return False
        return True

    def cut(self, venue: str) -> None:
        """Break every connection to a venue."""
        for socket in tuple(self.sockets.values()):
            if socket.venue == venue:
                socket.breaks()

    def venue_of(self, path: str) -> str:
        """Whose path it is; empty for nobody's."""
        return next((wire.venue for wire in self.world.wires.values() if wire.owns(path)), "")


@define(eq=False)
class SimulatedSession:
    """Used like an `aiohttp.ClientSession`."""

    carrier: Carrier
    closed: bool = field(default=False, init=False)
    headers: Mapping[str, str] = field(factory=dict, init=False)

    def get(self, url: Any, **how: Any) -> _Exchange:
        """GET."""
        return _Exchange(self.carrier, "GET", url, how)

    def post(self, url: Any, **how: Any) -> _Exchange:
        """POST."""
        return _Exchange(self.carrier, "POST", url, how)

    def put(self, url: Any, **how: Any) -> _Exchange:
        """PUT."""
        return _Exchange(self.carrier, "PUT", url, how)

    def delete(self, url: Any, **how: Any) -> _Exchange:
        """DELETE."""
        return _Exchange(self.carrier, "DELETE", url, how)

    def ws_connect(self, url: str, **how: Any) -> Dialling:
        """Open a WebSocket."""
        return Dialling(self.carrier, url)

    async def close(self) -> None:
        """Let go of everything."""
        self.closed = True


@define(eq=False)
class SimulatedResponse:
    """What is read of an answer. A body that broke off raises `aiohttp.ClientPayloadError`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    broken: bool = False
    reason: str = ""

    async def text(self, *, errors: str = "strict") -> str:
        """The body, decoded."""
        if self.broken:
            raise aiohttp.ClientPayloadError("Response payload is not completed")
        return self.body.decode("utf-8", errors)


@define(eq=False)
class _Exchange:
    """One request and its answer, as a context manager."""

    carrier: Carrier
    method: str
    url: Any
    how: Mapping[str, Any]

    async def __aenter__(self) -> SimulatedResponse:
        carrier = self.carrier
        if not carrier.survives(SEND):
            await for_ever()
        limit = self.how.get("timeout")
        within_s = float(limit.total) if limit is not None else 300.0
        answered = self._send(within_s)
        if not carrier.survives(SENT):
            await for_ever()
        async with asyncio.timeout(within_s):
            answer = await answered
        if not carrier.survives(ANSWERED):
            await for_ever()
        return answer

    async def __aexit__(self, *exception: object) -> None:
        return None

    def _send(self, within_s: float) -> asyncio.Future[SimulatedResponse]:
        carrier, url = self.carrier, self.url
        future: asyncio.Future[SimulatedResponse] = asyncio.get_running_loop().create_future()
        venue = carrier.venue_of(url.path)
        journey = carrier.roads.request(venue, self.method, url.path, within_s)
        world = carrier.world
        if journey.refused:
            world.schedule(journey.there_ns, lambda: self._fail(future, _refused(url)))
            return future
        request = HttpRequest(
            method=self.method,
            path=url.path,
            query=url.raw_query_string,
            headers={str(name).lower(): str(value) for name, value in (self.how.get("headers") or {}).items()},
            body=self.how.get("data") or b"",
        )

        def arrives() -> None:
            if journey.arrives:
                self._answered(future, carry_out(world, request), journey)
            elif journey.resets:
                self._fail(future, aiohttp.ClientOSError(104, "Connection reset by peer"))

        if self.method != "GET":
            carrier.on_send(OURS.findall(f"{request.query} {request.body.decode()}"))
        world.schedule(journey.there_ns, arrives)
        return future

    def _answered(self, future: asyncio.Future[SimulatedResponse], answer: HttpResponse, journey: Journey) -> None:
        """The venue has decided; the answer sets out."""
        how = answer.transport

        def back() -> None:
            if how.drop or journey.resets:
                self._fail(future, aiohttp.ServerDisconnectedError())
            elif journey.answers and self._is_awaited(future):
                broken = how.truncate is not None and how.truncate < len(answer.body)
                future.set_result(SimulatedResponse(answer.status, answer.headers, answer.body, broken))
            if answer.after is not None:
                answer.after()

        self.carrier.world.schedule(journey.back_ns + how.delay_ns, back)

    def _fail(self, future: asyncio.Future[SimulatedResponse], error: Exception) -> None:
        if self._is_awaited(future):
            future.set_exception(error)

    def _is_awaited(self, future: asyncio.Future[SimulatedResponse]) -> bool:
        return not self.carrier.is_dead and not future.done()


def _refused(url: Any) -> aiohttp.ClientConnectorError:
    key = ConnectionKey(url.host or "", url.port, False, True, None, None, None)
    return aiohttp.ClientConnectorError(key, ConnectionRefusedError(111, "Connect call failed"))


__all__ = ["ANSWERED", "SEND", "SENT", "Carrier", "Journey", "Roads", "SimulatedResponse", "SimulatedSession"]
