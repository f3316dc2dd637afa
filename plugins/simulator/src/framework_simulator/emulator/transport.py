"""What every transport does alike, over sockets or without: find the wire, guard the peers, obey faults."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, evolve, field

from .wire import HttpRequest, HttpResponse, Peer, Socket, Wire
from .world import World

NOT_FOUND = HttpResponse(404, {"Content-Type": "text/plain; charset=utf-8"}, b"no venue answers here\n")
UNAVAILABLE = HttpResponse(503, {"Content-Type": "text/plain; charset=utf-8"}, b"Service Unavailable.")
FAILED = HttpResponse(500, {"Content-Type": "text/plain; charset=utf-8"}, b"the emulator has a defect\n")


def carry_out(world: World, request: HttpRequest) -> HttpResponse:
    """The answer to a request. Never raises."""
    wire = wire_for(world, request.path)
    if wire is None:
        return NOT_FOUND
    try:
        return _as_late(world, wire.http(request))
    except Exception:
        world.defect(wire.venue, f"{request.method} {request.path}")
        return FAILED


def _as_late(world: World, answer: HttpResponse) -> HttpResponse:
    """The answer with the latency that every one has, beside what a fault adds."""
    latency_ns = world.settings.latency_ns
    if not latency_ns:
        return answer
    how = evolve(answer.transport, delay_ns=answer.transport.delay_ns + latency_ns)
    return evolve(answer, transport=how)


def open_socket(
    world: World, path: str, query: str, headers: Mapping[str, str], peer: Peer
) -> GuardedSocket | HttpResponse:
    """The venue's end of a WebSocket, or why there is none. Never raises."""
    wire = wire_for(world, path)
    if wire is None:
        return NOT_FOUND
    if world.faults.keeps_out(wire.venue, path):
        return UNAVAILABLE
    guarded = GuardedPeer(world, wire.venue, path, peer)
    try:
        opened = wire.connect(path, query, headers, guarded)
    except Exception:
        world.defect(wire.venue, f"WS {path}")
        return FAILED
    if isinstance(opened, HttpResponse):
        return opened
    world.sockets[id(guarded)] = guarded
    return GuardedSocket(world, guarded, opened)


def wire_for(world: World, path: str) -> Wire | None:
    """The wire whose path it is."""
    return next((wire for wire in world.wires.values() if wire.owns(path)), None)


@define
class GuardedPeer:
    """A peer that a fault can silence: what is sent then is lost, and the connection stays open."""

    world: World
    venue: str
    path: str
    peer: Peer
    is_closed: bool = field(default=False, init=False)

    def send(self, text: str) -> None:
        """Send, unless the stream is silent or closed."""
        if not self.is_closed and not self.world.faults.silences(self.venue, self.path):
            self.peer.send(text)

    def close(self, code: int, reason: str) -> None:
        """Close from the venue's side, once."""
        if not self.is_closed:
            self.is_closed = True
            self.peer.close(code, reason)

    def ping(self) -> None:
        """Ping, unless silent or closed."""
        if not self.is_closed and not self.world.faults.silences(self.venue, self.path):
            self.peer.ping()


@define
class GuardedSocket:
    """The venue's end, which can't raise into the transport."""

    world: World
    guard: GuardedPeer
    _socket: Socket
    _gone: bool = field(default=False, init=False)

    def receive(self, text: str) -> None:
        """A frame arrived."""
        if self.guard.is_closed or self.world.faults.silences(self.guard.venue, self.guard.path):
            return
        try:
            self._socket.receive(text)
        except Exception:
            self._broken("a frame")

    def pong(self) -> None:
        """A pong arrived."""
        try:
            self._socket.pong()
        except Exception:
            self._broken("a pong")

    def closed(self) -> None:
        """The client is gone. Only the first call counts."""
        if self._gone:
            return
        self._gone = self.guard.is_closed = True
        self.world.sockets.pop(id(self.guard), None)
        try:
            self._socket.closed()
        except Exception:
            self._broken("a goodbye")

    def _broken(self, what: str) -> None:
        self.world.defect(self.guard.venue, f"WS {self.guard.path}: {what}")
