"""WebSockets for market data and user data: subscriptions, rhythms, and who hears what.

Source: "Binance USD-M Futures, Websocket Market Streams" and the notice on the split into /public, /market and
/private. The undivided /ws and /stream roots, retired on 2026-04-23, take connections and never say anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from attrs import define, field

from ..clock import NS_PER_S, Cancel
from ..compact import dump_own
from ..wire import Peer
from . import feeds
from .call import VENUE, Call
from .feeds import EVERY_SYMBOL
from .sources import Event, Source

MAX_STREAMS = 1024
FRAMES_PER_SECOND = 10
PING_NS = 3 * 60 * NS_PER_S
LATE_NS = NS_PER_S
POLICY_VIOLATION = 1008
GOING_AWAY = 1001
ROOTS = ("public", "market", "private")


_ENCODER = json.JSONEncoder(separators=(",", ":"))


def dump(value: Any) -> str:
    """Compact JSON. One encoder serves all: making one for each text costs as much as the text."""
    return _ENCODER.encode(value)


def wrap(name: str, raw: str) -> str:
    """An event with the name of its stream."""
    return f'{{"stream":{dump(name)},"data":{raw}}}'


@define(eq=False)
class Feed:
    """One market stream and its subscribers."""

    call: Call
    name: str
    source: Source
    sockets: dict[StreamSocket, None] = field(factory=dict, init=False)
    _spoke_ns: int | None = field(default=None, init=False)
    _timer: Cancel | None = field(default=None, init=False)
    is_behind: bool = field(default=False, init=False)
    """The market has moved since it spoke last."""

    def __attrs_post_init__(self) -> None:
        self.source.poke = self._speak

    def join(self, socket: StreamSocket) -> None:
        """A subscriber more."""
        self.sockets[socket] = None
        for event in self.source.first():
            socket.tell(self.name, event)
        if self.source.steady and self._timer is None:
            self._spoke_ns = self.call.world.now_ns()
            self._wait(self.source.interval_ns)

    def leave(self, socket: StreamSocket) -> None:
        """A subscriber less. Without any the stream is silent."""
        self.sockets.pop(socket, None)
        if not self.sockets and self._timer is not None:
            self._timer()
            self._timer = None

    def on_quote(self, symbol: str) -> None:
        """The market moved: speak now, or when the interval is over."""
        self.source.on_quote(symbol)
        self.is_behind = True
        interval_ns = self.source.interval_ns
        passed_ns = None if self._spoke_ns is None else self.call.world.now_ns() - self._spoke_ns
        if self.source.steady:
            # Time has leapt past its beats: it says at once what it would have said on the way.
            if passed_ns is not None and passed_ns > interval_ns + LATE_NS:
                self._speak()
        elif not interval_ns:
            self._speak()
        elif self._timer is None:
            if passed_ns is None or passed_ns >= interval_ns:
                self._speak()
            else:
                self._wait(interval_ns - passed_ns)

    def tell(self, event: Event) -> None:
        """Let every subscriber hear something. The text is made once for each of the two forms."""
        raw = dump_own(event)
        wrapped = wrap(self.name, raw)
        for socket in tuple(self.sockets):
            socket.peer.send(wrapped if socket.wrapped else raw)

    def _wait(self, delay_ns: int) -> None:
        self._timer = self.call.world.schedule(delay_ns, self._due)

    def _due(self) -> None:
        self._timer = None
        self._speak()
        if self.source.steady and self.sockets:
            self._wait(self.source.interval_ns)

    def _speak(self) -> None:
        self._spoke_ns = self.call.world.now_ns()
        self.is_behind = False
        for event in self.source.take():
            self.tell(event)


@define(eq=False)
class Hub:
    """Every market stream that somebody listens to."""

    call: Call
    _feeds: dict[str, Feed] = field(factory=dict, init=False)
    _by_symbol: dict[str, dict[str, Feed]] = field(factory=dict, init=False)

    def join(self, name: str, socket: StreamSocket) -> None:
        """Subscribe. A name that means nothing is taken, and stays silent."""
        feed = self._feeds.get(name)
        if feed is None:
            found = feeds.source_for(self.call, name)
            if found is None:
                return
            symbol, source = found
            feed = self._feeds[name] = Feed(self.call, name, source)
            self._by_symbol.setdefault(symbol, {})[name] = feed
        feed.join(socket)

    def leave(self, name: str, socket: StreamSocket) -> None:
        """Unsubscribe."""
        feed = self._feeds.get(name)
        if feed is None:
            return
        feed.leave(socket)
        if not feed.sockets:
            feed.source.end()
            del self._feeds[name]
            for feeds_of_symbol in self._by_symbol.values():
                feeds_of_symbol.pop(name, None)

    def on_quote(self, symbol: str) -> None:
        """The market of a symbol moved."""
        for place in (symbol, EVERY_SYMBOL):
            listening = self._by_symbol.get(place)
            if listening:
                for feed in tuple(listening.values()):
                    feed.on_quote(symbol)

    @property
    def is_behind(self) -> bool:
        """Whether somebody has yet to be told that the market has moved."""
        return any(feed.is_behind and feed.sockets for feed in self._feeds.values())

    def tell(self, names: Iterable[str], event: Event) -> None:
        """An event for certain streams."""
        for name in names:
            feed = self._feeds.get(name)
            if feed is not None:
                feed.tell(event)


@define(eq=False)
class UserHub:
    """The sockets that listen to an account, by listen key."""

    call: Call
    _sockets: dict[str, dict[StreamSocket, None]] = field(factory=dict, init=False)

    def join(self, key: str, socket: StreamSocket) -> None:
        """Listen with a key; one that is not valid hears nothing."""
        self._sockets.setdefault(key, {})[socket] = None

    def leave(self, key: str, socket: StreamSocket) -> None:
        """Listen no more."""
        listening = self._sockets.get(key, {})
        listening.pop(socket, None)
        if not listening:
            self._sockets.pop(key, None)

    def tell(self, account: str, kind: str, detail: str, symbol: str, event: dict[str, Any]) -> None:
        """Send an event to whoever listens to the account with a valid key."""
        key = self.call.state.listen_keys.key_of(account)
        if key is not None:
            self.tell_key(account, key, kind, detail, symbol, event)

    def tell_key(self, account: str, key: str, kind: str, detail: str, symbol: str, event: dict[str, Any]) -> None:
        """Send an event to whoever listens with a key."""
        if not self._sockets.get(key):
            return

        def send() -> None:
            raw = dump_own(event)
            for socket in tuple(self._sockets.get(key, ())):
                if socket.hears(kind):
                    socket.peer.send(wrap(key, raw) if socket.wrapped else raw)

        self.call.world.deliver(VENUE, account, kind, detail, symbol, send)


@define(eq=False)
class StreamSocket:
    """One WebSocket of a client. `hub` None: an undivided root, which never says anything."""

    hub: Hub | UserHub | None
    call: Call
    peer: Peer
    wrapped: bool
    kinds: frozenset[str] = frozenset()
    _names: dict[str, None] = field(factory=dict, init=False)
    _frames: int = field(default=0, init=False)
    _second: int = field(default=0, init=False)
    _timers: list[Cancel] = field(factory=list, init=False)
    _open: bool = field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        world = self.call.world
        self._timers.append(world.schedule(world.settings.connection_ns, lambda: self._end(GOING_AWAY, "24 hours")))
        self._ping_later()

    # ── what the client does ────────────────────────────────────────────────────────────────────────────────

    def receive(self, text: str) -> None:
        """A frame."""
        if self._too_fast():
            self._end(POLICY_VIOLATION, "Too many requests")
            return
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            self._refuse(None, 3, "Invalid JSON")
            return
        if not isinstance(frame, dict):
            self._refuse(None, 2, "Invalid request: expected an object")
            return
        self._carry_out(frame)

    def pong(self) -> None:
        """The client is there. One that never answers is not cut off: a jump in time leaves it no chance to."""

    def closed(self) -> None:
        """The client is gone."""
        self._open = False
        for cancel in self._timers:
            cancel()
        for name in tuple(self._names):
            self._leave(name)

    # ── what it hears ───────────────────────────────────────────────────────────────────────────────────────

    def hears(self, kind: str) -> bool:
        """Whether it asked for this kind of event; it hears all kinds unless it named some."""
        return not self.kinds or kind in self.kinds

    def tell(self, name: str, event: Event) -> None:
        """Send one event."""
        raw = dump_own(event)
        self.peer.send(wrap(name, raw) if self.wrapped else raw)

    def join_at_once(self, names: Iterable[str]) -> None:
        """Subscribe to what the address named: nothing that happens from now on is lost to it."""
        self._join_all([name for name in names if name])

    def _carry_out(self, frame: Mapping[str, Any]) -> None:
        number, method, names = frame.get("id"), frame.get("method"), frame.get("params", [])
        if method in ("SUBSCRIBE", "UNSUBSCRIBE"):
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                self._refuse(number, 2, "Invalid request: params must be a list of strings")
            elif method == "UNSUBSCRIBE":
                self._later(lambda: self._answer(number, None, lambda: self._leave_all(names)))
            elif len({*self._names, *names}) > MAX_STREAMS:
                self._refuse(number, 2, f"Invalid request: more than {MAX_STREAMS} streams")
            else:
                self._later(lambda: self._answer(number, None, lambda: self._join_all(names)))
        elif method == "LIST_SUBSCRIPTIONS":
            self._later(lambda: self._answer(number, list(self._names), lambda: None))
        elif method in ("SET_PROPERTY", "GET_PROPERTY"):
            self._property(number, str(method), names)
        else:
            self._refuse(number, 2, "Invalid request: unknown method")

    def _property(self, number: Any, method: str, names: Any) -> None:
        if method == "GET_PROPERTY":
            self._later(lambda: self._answer(number, self.wrapped, lambda: None))
        elif isinstance(names, list) and len(names) == 2 and names[0] == "combined" and isinstance(names[1], bool):
            self.wrapped = names[1]
            self._later(lambda: self._answer(number, None, lambda: None))
        else:
            self._refuse(number, 2, "Invalid request: unknown property")

    def _later(self, do: Callable[[], None]) -> None:
        """Some clients register their callback only after they have sent the request."""
        world = self.call.world
        world.schedule(world.settings.subscribe_delay_ns, lambda: do() if self._open else None)

    def _answer(self, number: Any, result: Any, then: Callable[[], None]) -> None:
        self.peer.send(dump({"result": result, "id": number}))
        then()

    def _refuse(self, number: Any, code: int, message: str) -> None:
        # Unverified: the shape of errors on stream sockets; this is that of the spot side's documentation.
        self.peer.send(dump({"error": {"code": code, "msg": message}, "id": number}))

    def _join_all(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._names:
                self._names[name] = None
                if self.hub is not None:
                    self.hub.join(name, self)

    def _leave_all(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._names:
                self._leave(name)

    def _leave(self, name: str) -> None:
        self._names.pop(name, None)
        if self.hub is not None:
            self.hub.leave(name, self)

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────

    def _too_fast(self) -> bool:
        second = self.call.world.now_ns() // NS_PER_S
        if second != self._second:
            self._second, self._frames = second, 0
        self._frames += 1
        return self._frames > FRAMES_PER_SECOND and self.call.world.settings.rate_limits

    def _ping_later(self) -> None:
        self._timers[1:] = [self.call.world.schedule(PING_NS, self._ping)]

    def _ping(self) -> None:
        self.peer.ping()
        self._ping_later()

    def _end(self, code: int, reason: str) -> None:
        self.peer.close(code, reason)


def open_stream(call: Call, market: Hub, users: UserHub, path: str, query: str, peer: Peer) -> StreamSocket | None:
    """The socket behind an address; None for an address that there is not."""
    root, rest = _split(path)
    mode, _, named = rest.partition("/")
    if mode not in ("ws", "stream"):
        return None
    asked = _asked(query)
    hubs: dict[str, Hub | UserHub | None] = {"public": market, "market": market, "private": users}
    kinds = frozenset(kind for text in asked.get("events", ()) for kind in text.split("/"))
    socket = StreamSocket(hubs.get(root), call, peer, mode == "stream", kinds)
    names = [*named.split("/"), *_split_all(asked.get("streams", ())), *_split_all(asked.get("listenKey", ()))]
    # A number behind /ws is a mere counter by which clients tell their connections apart.
    socket.join_at_once(name for name in names if not name.isdigit())
    return socket


def _asked(query: str) -> dict[str, list[str]]:
    try:
        return parse_qs(query, max_num_fields=MAX_STREAMS)
    except ValueError:
        return {}


def _split(path: str) -> tuple[str, str]:
    first, _, rest = path.lstrip("/").partition("/")
    return (first, rest) if first in ROOTS else ("", path.lstrip("/"))


def _split_all(texts: Iterable[str]) -> list[str]:
    return [name for text in texts for name in text.split("/")]
