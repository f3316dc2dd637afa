"""A WebSocket that is kept up: dialled again for ever, told quiet from dead, subscribed to what is wanted.

ccxt.pro's client speaks the wire: handshake, compression, parsing. When to dial, what is alive, and who gets the frames
is decided here, because a `watch_…` call of ccxt misses what arrives between two calls, notices a dead link late, and
ignores that a listen key has died.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any, TypeVar

import aiohttp
from attrs import define, field

T = TypeVar("T")

OPENING_S = 10.0
"""How long the address, the handshake and the greeting may take, each."""

GOODBYE_S = 0.5
"""How long the other side may take to answer our close frame; a dead one never does."""

FRAME_PAUSE_S = 0.2
"""Between two subscription frames. Binance cuts a connection at more than 10 frames a second, pings included
("Websocket Market Streams", connection limits)."""

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 30.0
HURRIED_PAUSE_S = 3.0
"""What is left of one that is hurried: 100 attempts in five minutes. Binance takes 300 from one address (ibidem)."""

PROVEN_S = 5.0
"""A connection that was up for so long (or for `silence_s`, if that is less) is dialled again at once when it ends."""

MOST_PATIENCE = 32


@define(eq=False)
class Frames:
    """Brings each frame to the stream on whose connection it came. Goes into `framework_venue.client.tapped`."""

    streams: Sequence[Stream] = ()

    def __call__(self, client: Any, frame: Any) -> None:
        """A frame has arrived. What came on no stream's present connection is dropped."""
        for stream in self.streams:
            if stream.take(client, frame):
                return


@define(eq=False)
class _Link:
    """One connection, from the question for its address to its end. Times are the loop's, in seconds."""

    client: Any = None
    over: asyncio.Event = field(factory=asyncio.Event)
    wake: asyncio.Event = field(factory=asyncio.Event)
    why: str = ""
    retry_after_s: float = 0.0
    up_s: float | None = None
    proved: bool = False
    heard_s: float = 0.0
    beat_s: float | None = None
    watched_s: float = 0.0
    ping_s: float = 0.0
    free_s: float = 0.0
    ping_data: bytes | None = None
    topics: frozenset[str] = frozenset()
    outbox: deque[Any] = field(factory=deque)
    unanswered: int = 0
    asked_s: float = 0.0

    def end(self, why: str) -> None:
        """This connection is done for; the first reason counts."""
        if not self.over.is_set():
            self.why = why
            self.over.set()
            self.wake.set()


@define(eq=False)
class Stream:
    """One stream of an account. `run` keeps it up until it is cancelled; list it in `Frames.streams` before.

    `name` is for messages; `api` is an instance of a `tapped` class of ccxt.pro. `address` answers the URL of the next
    connection (it may fetch a listen key; what it raises is a failed attempt). `on_frame` gets every parsed frame, from
    the handshake on, also during `greet`. `on_up` is called when the connection is greeted and subscribed, `on_down`
    with the reason when one that was up has ended: events may be missed between the two.

    `greet` authenticates, and may wait for the answer that `on_frame` sees; raising fails the connection. Subscribe
    there to what must be certain to flow before `on_up`. `subscribe` and `unsubscribe` make the frames for topics, few
    enough in each; they go out one every `FRAME_PAUSE_S`. `answered` knows the venue's answer to such a frame: with it,
    `on_up` waits for the answers, and a connection on which one is missing for `silence_s` is dead. To a venue that
    refuses one, say `renew`.

    A connection is dead when neither a frame nor a pong has come for `silence_s`; a ping is sent every third of that
    (`ping` makes a JSON frame, None: the protocol's own). With `heartbeat`, while topics are wanted, it is dead too
    when no frame that `heartbeat` accepts has come for `silence_s`, even if pongs do: the subscriptions have died.
    After a connection that never brought one, the next is given twice the time, up to 32 times. Without `heartbeat` a
    stream may be quiet for ever.

    An end is followed by a new connection: at once if the old one had proved itself, else after a growing pause, which
    `hurry` cuts short.
    """

    name: str
    api: Any
    address: Callable[[], Awaitable[str]]
    on_frame: Callable[[Any], None]
    on_up: Callable[[], None]
    on_down: Callable[[str], None]
    silence_s: float
    greet: Callable[[Stream], Awaitable[None]] | None = None
    subscribe: Callable[[Sequence[str]], Sequence[Any]] | None = None
    unsubscribe: Callable[[Sequence[str]], Sequence[Any]] | None = None
    answered: Callable[[Any], bool] | None = None
    ping: Callable[[], Any] | None = None
    heartbeat: Callable[[Any], bool] | None = None
    random: Random = field(factory=Random)
    last_end: str = field(default="", init=False)
    """Why the last connection, or the last attempt at one, ended; empty before the first end."""

    _wanted: frozenset[str] = field(default=frozenset(), init=False)
    _link: _Link | None = field(default=None, init=False)
    _up: asyncio.Event = field(factory=asyncio.Event, init=False)
    _hurried: asyncio.Event = field(factory=asyncio.Event, init=False)
    _patience: int = field(default=1, init=False)

    # ── for the venue's plugin ──────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Keep the stream up for ever. Cancelling it closes the socket; `on_down` is not called then."""
        tries = 0
        while True:
            link = await self._connect()
            tries = 0 if link.proved else tries + 1
            pause_s = self._pause_s(tries, link)
            least_s = min(pause_s, max(link.retry_after_s, HURRIED_PAUSE_S))
            self._hurried.clear()
            await asyncio.sleep(least_s)
            await _wait(self._hurried, pause_s - least_s)

    def hurry(self) -> None:
        """The venue answers again: a pause ends, not before three seconds or what a Retry-After said are over."""
        self._hurried.set()

    def want(self, topics: frozenset[str]) -> None:
        """The topics that are wanted from now on, also on every later connection. Needs `subscribe` to act."""
        if topics != self._wanted:
            self._wanted = topics
            self._patience = 1
            if self._link is not None:
                self._link.wake.set()

    async def send(self, frame: Any) -> None:
        """Send a frame: JSON, or text as it is. Raises ConnectionError without a connection that takes it."""
        link = self._link
        if link is None or link.client is None or link.over.is_set():
            raise ConnectionError(f"the {self.name} stream is not connected")
        await self._write(link.client.send(frame))

    def renew(self, why: str) -> None:
        """Drop the connection and open a new one. Without a connection, one is on its way already."""
        if self._link is not None:
            self._link.end(why)

    @property
    def is_up(self) -> bool:
        """Whether events flow, as far as we know."""
        return self._up.is_set()

    async def wait_up(self, within_s: float) -> bool:
        """Wait until the stream is up; False if it is not within so many seconds."""
        try:
            async with asyncio.timeout(within_s):
                await self._up.wait()
        except TimeoutError:
            return False
        return True

    def take(self, client: Any, frame: Any) -> bool:
        """Take a frame that came on a connection. False if the connection is not this stream's present one."""
        link = self._link
        if link is None or link.client is not client:
            return False
        if self.heartbeat is not None and self.heartbeat(frame):
            link.beat_s = link.heard_s
            self._patience = 1
        if link.unanswered and self.answered is not None and self.answered(frame):
            link.unanswered, link.asked_s = link.unanswered - 1, link.heard_s
            link.wake.set()
        self.on_frame(frame)
        return True

    # ── one connection ──────────────────────────────────────────────────────────────────────────────────────

    async def _connect(self) -> _Link:
        """Open a connection and keep it until it ends; answers what is left of it."""
        link = self._link = _Link()
        try:
            try:
                await self._open(link)
                await self._keep(link)
            except Exception as error:
                link.end(_told(error))
            self.last_end = link.why
            link.proved = self._has_proved(link)
            if self._up.is_set():
                self._up.clear()
                self.on_down(link.why)
        finally:
            self._up.clear()
            self._link = None
            await _close(link.client)
        return link

    async def _open(self, link: _Link) -> None:
        url = await _unless_over(link, self.address(), "asking for the address")
        client = link.client = self.api.client(url)
        # Whoever closes ccxt's exchange does not close this: the stream does, and it wants no other to share it.
        self.api.clients.pop(url, None)
        self._tap(link, client)
        await _unless_over(link, self._dial(link, client), "the handshake")
        link.heard_s = asyncio.get_running_loop().time()
        client.receive_loop()
        if self.greet is not None:
            await _unless_over(link, self.greet(self), "the greeting")

    async def _dial(self, link: _Link, client: Any) -> None:
        try:
            client.connection = await client.create_connection(self.api.session)
        except aiohttp.WSServerHandshakeError as error:
            link.retry_after_s = _seconds(None if error.headers is None else error.headers.get("Retry-After"))
            # Its own text shows the address, which may hold a listen key.
            raise ConnectionError(f"the handshake was refused with HTTP {error.status}") from None

    def _tap(self, link: _Link, client: Any) -> None:
        """Let ccxt's client tell us of everything, and start nothing of its own."""
        parse = client.handle_message
        time = asyncio.get_running_loop().time

        def heard(message: Any) -> None:
            if link.over.is_set():
                return
            link.heard_s = time()
            if message.type is aiohttp.WSMsgType.PING:
                link.ping_data = message.data
                link.wake.set()
                return
            try:
                parse(message)
            except Exception as error:
                # ccxt would stop to listen without a word.
                link.end(f"a frame was not understood: {_told(error)}")

        client.handle_message = heard
        client.on_close = lambda code: link.end(f"the connection was closed ({code})")
        client.on_error = lambda error: link.end(str(error))

    async def _keep(self, link: _Link) -> None:
        """Say what is to be said and look whether anybody is there, until the connection ends."""
        while not link.over.is_set():
            link.wake.clear()
            await self._speak(link)
            if link.over.is_set():
                return
            if link.up_s is None and not link.outbox and not link.unanswered:
                link.up_s = asyncio.get_running_loop().time()
                self._up.set()
                self.on_up()
            await _wait(link.wake, self._look(link))

    async def _speak(self, link: _Link) -> None:
        now = asyncio.get_running_loop().time()
        connection = link.client.connection
        if link.ping_data is not None:
            data, link.ping_data = link.ping_data, None
            await self._write(connection.pong(data))
        if not link.outbox and now >= link.free_s:
            # Not earlier: what is wanted in the meantime goes out in one frame.
            self._queue(link, now)
        if link.outbox and now >= link.free_s:
            link.free_s = now + FRAME_PAUSE_S
            if self.answered is not None:
                link.unanswered, link.asked_s = link.unanswered + 1, now
            await self._write(link.client.send(link.outbox.popleft()))
        if now >= link.ping_s:
            # The first one waits too: some servers want to hear the subscriptions first.
            if link.ping_s:
                await self._write(connection.ping() if self.ping is None else link.client.send(self.ping()))
            link.ping_s = now + self.silence_s / 3

    def _queue(self, link: _Link, now: float) -> None:
        """Queue the frames that bring the subscriptions in step with what is wanted."""
        new, gone = self._wanted - link.topics, link.topics - self._wanted
        if self.subscribe is not None and new:
            if not link.topics:
                link.watched_s = now
            link.outbox.extend(self.subscribe(sorted(new)))
            link.topics |= new
        if self.unsubscribe is not None and gone:
            link.outbox.extend(self.unsubscribe(sorted(gone)))
            link.topics -= gone

    def _look(self, link: _Link) -> float:
        """How many seconds until we have to look again. Ends a connection that is dead."""
        now = asyncio.get_running_loop().time()
        dead_s = link.heard_s + self.silence_s
        if now >= dead_s:
            link.end(f"nothing came for {self.silence_s:g} s, not even a pong")
        looks = [link.ping_s, dead_s]
        if link.free_s > now:
            looks.append(link.free_s)
        if link.unanswered:
            if now >= link.asked_s + self.silence_s:
                link.end(f"a subscription was not answered for {self.silence_s:g} s")
            looks.append(link.asked_s + self.silence_s)
        if self.heartbeat is not None and self._wanted and link.topics:
            patience_s = self.silence_s * (1 if link.beat_s is not None else self._patience)
            beatless_s = max(link.watched_s, link.beat_s or 0.0) + patience_s
            if now >= beatless_s and not link.over.is_set():
                if link.beat_s is None:
                    self._patience = min(MOST_PATIENCE, self._patience * 2)
                link.end(f"no data came for {patience_s:g} s, although pongs do: the subscriptions have died")
            looks.append(beatless_s)
        return max(0.0, min(looks) - now)

    async def _write(self, sending: Awaitable[Any]) -> None:
        """Send; a connection that takes nothing for `silence_s` is dead."""
        try:
            async with asyncio.timeout(self.silence_s):
                await sending
        except TimeoutError:
            raise ConnectionError(f"nothing could be sent for {self.silence_s:g} s") from None

    # ── between connections ─────────────────────────────────────────────────────────────────────────────────

    def _has_proved(self, link: _Link) -> bool:
        if link.up_s is None:
            return False
        return asyncio.get_running_loop().time() - link.up_s >= min(PROVEN_S, self.silence_s)

    def _pause_s(self, tries: int, link: _Link) -> float:
        if not tries:
            return link.retry_after_s
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(tries - 1, 20))
        return max(link.retry_after_s, pause * self.random.uniform(0.5, 1))


async def _unless_over(link: _Link, work: Awaitable[T], what: str) -> T:
    """What `work` gives. Raises ConnectionError if the connection ends first, or it takes longer than `OPENING_S`."""
    doing = asyncio.ensure_future(work)
    over = asyncio.ensure_future(link.over.wait())
    try:
        await asyncio.wait((doing, over), timeout=OPENING_S, return_when=asyncio.FIRST_COMPLETED)
        if link.over.is_set():
            raise ConnectionError(link.why)
        if not doing.done():
            raise ConnectionError(f"{what} took longer than {OPENING_S:g} s")
        return doing.result()
    finally:
        doing.cancel()
        over.cancel()
        await asyncio.gather(doing, over, return_exceptions=True)


async def _close(client: Any) -> None:
    """Close a connection politely, but not for long: what is cancelled in the middle of it closes the socket anyway."""
    if client is None or client.connection is None:
        return
    try:
        async with asyncio.timeout(GOODBYE_S):
            await client.connection.close()
    except (TimeoutError, OSError, aiohttp.ClientError):
        pass


async def _wait(event: asyncio.Event, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        pass


def _seconds(text: str | None) -> float:
    """A Retry-After in seconds; 0 for none, or one that is no number of seconds."""
    return float(text) if text is not None and text.isascii() and text.isdigit() else 0.0


def _told(error: Exception) -> str:
    if isinstance(error, ConnectionError) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
