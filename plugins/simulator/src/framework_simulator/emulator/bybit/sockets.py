"""What Bybit's WebSockets have in common: pings, subscriptions, how long they live. Source: "Bybit v5, Connect"."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from attrs import define, field

from ..clock import NS_PER_S, Cancel
from ..wire import Peer
from ..world import World

QUIET_NS = 10 * 60 * NS_PER_S
GOING_AWAY = 1001
MAX_ARGS_CHARS = 21_000


def dump(value: Any) -> str:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"))


@define(eq=False)
class Connection:
    """A socket's life: it ends after `Settings.connection_ns`, or after ten minutes without a word of the client."""

    world: World
    peer: Peer
    id: str = field(init=False)
    _heard_ns: int = field(init=False)
    _timers: dict[str, Cancel] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.id = f"emulator-{self.world.now_ns():x}-{len(self.world.sockets)}"
        self._heard_ns = self.world.now_ns()
        self._timers["life"] = self.world.schedule(self.world.settings.connection_ns, self._cut)
        self._watch(QUIET_NS)

    def heard(self) -> None:
        """A frame of the client arrived."""
        self._heard_ns = self.world.now_ns()

    def send(self, frame: Any) -> None:
        """Send one JSON frame."""
        self.peer.send(dump(frame))

    def later(self, delay_ns: int, name: str, do: Callable[[], None]) -> None:
        """Do something after a while, unless the connection has ended by then."""

        def due() -> None:
            self._timers.pop(name, None)
            do()

        self._timers[name] = self.world.schedule(delay_ns, due)

    def end(self) -> None:
        """The connection is gone."""
        for cancel in self._timers.values():
            cancel()
        self._timers.clear()

    def _watch(self, delay_ns: int) -> None:
        self._timers["quiet"] = self.world.schedule(delay_ns, self._look)

    def _look(self) -> None:
        left_ns = self._heard_ns + QUIET_NS - self.world.now_ns()
        if left_ns <= 0:
            self._cut()
        else:
            self._watch(left_ns)

    def _cut(self) -> None:
        self.peer.close(GOING_AWAY, "")


def parse(text: str) -> dict[str, Any] | None:
    """A frame as an object; None for anything else."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return frame if isinstance(frame, dict) else None


def topics_of(frame: dict[str, Any]) -> list[str] | None:
    """The topics of a subscription; None where there are none, or far too many."""
    args = frame.get("args")
    if not isinstance(args, list) or not args or not all(isinstance(one, str) for one in args):
        return None
    return args if sum(len(one) for one in args) <= MAX_ARGS_CHARS else None


@define(eq=False)
class StreamSocket(ABC):
    """The venue's end of a public or private stream."""

    connection: Connection
    topics: set[str] = field(factory=set, init=False)
    _requests: int = field(default=0, init=False)

    def receive(self, text: str) -> None:
        """Answer a frame. An `op` that is not known is refused, as anything that is no JSON object."""
        self.connection.heard()
        frame = parse(text)
        if frame is None:
            self._answer({}, "", "error:invalid request, expect JSON object")
            return
        match frame.get("op"):
            case "ping":
                self._ping(frame)
            case "auth":
                self._auth(frame)
            case "subscribe":
                self._change(frame, self._subscribe)
            case "unsubscribe":
                self._change(frame, self._unsubscribe)
            case _:
                self._answer(frame, str(frame.get("op", ""))[:50], "error:invalid op")

    def pong(self) -> None:  # noqa: B027 - nothing to do, for either kind
        """Protocol-level pongs keep nothing alive: the venue counts frames."""

    def closed(self) -> None:
        """Forget the client."""
        self.connection.end()
        for topic in tuple(self.topics):
            self._leave(topic)
        self.topics.clear()

    @abstractmethod
    def _ping(self, frame: dict[str, Any]) -> None:
        """Answer a ping in this kind of socket's own form."""

    @abstractmethod
    def _auth(self, frame: dict[str, Any]) -> None:
        """Take an authentication, or refuse it."""

    @abstractmethod
    def _may_join(self, topic: str) -> str:
        """Why a topic can't be had; empty if it can."""

    @abstractmethod
    def _join(self, topic: str) -> None:
        """Begin to hear a topic."""

    @abstractmethod
    def _leave(self, topic: str) -> None:
        """Hear a topic no more."""

    def _change(self, frame: dict[str, Any], change: Callable[[dict[str, Any]], None]) -> None:
        # Some clients register what to call only after they have sent the request: the answer has to take a while.
        self._requests += 1
        delay_ns = self.connection.world.settings.subscribe_delay_ns
        self.connection.later(delay_ns, f"request {self._requests}", lambda: change(frame))

    def _subscribe(self, frame: dict[str, Any]) -> None:
        topics = topics_of(frame)
        if topics is None:
            self._answer(frame, "subscribe", "error:params error")
            return
        for topic in topics:
            # Unverified: whether one bad topic spoils the good ones that were sent along with it.
            why = f"error:already subscribed,topic:{topic}" if topic in self.topics else self._may_join(topic)
            if why:
                self._answer(frame, "subscribe", why)
                return
        fresh = list(dict.fromkeys(topics))
        self.topics.update(fresh)
        self._answer(frame, "subscribe", "")
        for topic in fresh:
            self._join(topic)

    def _unsubscribe(self, frame: dict[str, Any]) -> None:
        for topic in topics_of(frame) or ():
            if topic in self.topics:
                self.topics.discard(topic)
                self._leave(topic)
        self._answer(frame, "unsubscribe", "")

    def _answer(self, frame: dict[str, Any], op: str, why: str) -> None:
        # The request's id comes back as it was sent: a number of ccxt, a text of pybit.
        named = {"req_id": frame["req_id"]} if "req_id" in frame else {}
        self.connection.send({"success": not why, "ret_msg": why, "conn_id": self.connection.id, **named, "op": op})
