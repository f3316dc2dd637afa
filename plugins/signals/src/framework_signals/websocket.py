"""The source `websocket`: the waves of a wave server, live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import attrs
from attrs import define, evolve, field

from framework import (
    BadSignal,
    Batch,
    Checkup,
    Secret,
    Signal,
    SourceLink,
    SourceState,
    Timeline,
    not_negative,
    positive,
)

from .expecting import Expected
from .instants import write_instant
from .pauses import Pauses
from .recording import venues_named
from .resent import Resent, digest_of
from .wave_server import VENUES, is_whole, items_of, parse_items, parse_message

if TYPE_CHECKING:
    from .conversation import Conversation

SMALL_TALK = frozenset({"pong", "stats", "error", "auth_success"})
"""Messages that are heard and hold no signals."""


def _socket_url(instance: object, attribute: attrs.Attribute[Any], value: str) -> None:
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("ws", "wss") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if not fine:
        raise ValueError(f'must be a URL such as "wss://host:8765", got {value!r}')
    if "@" in parts.netloc:
        raise ValueError("must not hold a user or password; the token is a setting of its own")


@define(kw_only=True)
class WebSocketSource:
    """Take the waves that a wave server pushes. Reconnects for ever, and asks for what it missed.

    `url` is the server's, `token` what it lets us in with. `venues` names the account for each ``exchange_id`` that
    signals carry. `lists_are_whole`: a list holds all signals of its bar, so its wave is decided at once; false: the
    wave waits for more (`[framework] wave_settle_s`). `connect_within_s`: how long connecting and logging in may
    take. A ping goes out every `ping_every_s`; without any answer within `answer_within_s` the connection is dead.
    The list is asked for after each login and every `ask_every_s`. Between two tries it waits `retry_first_s`, then
    twice as long each time, up to `retry_most_s`, a part of it left to chance. `wave_every_minutes` (0: not known):
    a wave is expected for every bar of so many minutes, `wave_within_minutes` after the bar has opened at the latest.
    """

    name: ClassVar[str] = "websocket"

    url: str = field(validator=_socket_url)
    token: Secret
    venues: Mapping[str, str] = field(factory=lambda: dict(VENUES), validator=venues_named)
    lists_are_whole: bool = True
    connect_within_s: Decimal = field(default=Decimal(10), validator=positive)
    ping_every_s: Decimal = field(default=Decimal(20), validator=positive)
    answer_within_s: Decimal = field(default=Decimal(10), validator=positive)
    ask_every_s: Decimal = field(default=Decimal(60), validator=positive)
    retry_first_s: Decimal = field(default=Decimal(1), validator=positive)
    retry_most_s: Decimal = field(default=Decimal(60), validator=positive)
    wave_every_minutes: int = field(default=0, validator=not_negative)
    wave_within_minutes: int = field(default=25, validator=positive)
    _state: SourceState = field(factory=lambda: SourceState(connected=False, authenticated=False), init=False)
    _taken: Resent = field(factory=Resent, init=False, repr=False)
    _refused: Resent = field(factory=Resent, init=False, repr=False)
    _expected: Expected | None = field(default=None, init=False, repr=False)

    def timeline(self) -> Timeline | None:
        """None: a live source."""
        return None

    def state(self) -> SourceState:
        """Whether it is connected and logged in, since when, and what was heard last."""
        overdue_ns = None if self._expected is None else self._expected.overdue_ns
        return evolve(self._state, overdue_ns=overdue_ns)

    async def run(self, link: SourceLink) -> None:
        """Deliver until cancelled."""
        work = [self._stay_connected(link)]
        if self.wave_every_minutes:
            self._expected = Expected(self.wave_every_minutes, self.wave_within_minutes, link.clock.now_ns())
            work.append(self._look_out(link, self._expected))
        tasks = [asyncio.get_running_loop().create_task(each) for each in work]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def checkup(self) -> tuple[Checkup, ...]:
        """Connects, logs in and leaves."""
        from .conversation import LostError

        secrecy = "" if self.url.startswith("wss:") else "; the token and the signals travel unencrypted"
        try:
            await self._conversation(_ignored, _unheard).try_login()
        except LostError as lost:
            return (Checkup("websocket", ok=False, message=f"{self.url}: {lost}"),)
        return (Checkup("websocket", ok=True, message=f"{self.url}: connected and let in{secrecy}"),)

    # ── the connection ──────────────────────────────────────────────────────────────────────────────────────

    async def _stay_connected(self, link: SourceLink) -> None:
        from .conversation import LostError, TurnedAwayError

        async def heard(raw: str | bytes, value: object) -> bool:
            return await self._heard(link, raw, value)

        loop = asyncio.get_running_loop()
        pauses = Pauses(float(self.retry_first_s), float(self.retry_most_s))
        while True:
            began = loop.time()
            try:
                await self._conversation(lambda: self._let_in(link), heard).hold()
            except LostError as lost:
                pauses.lived(loop.time() - began)
                self._lost(link, str(lost), turned_away=isinstance(lost, TurnedAwayError))
            await asyncio.sleep(pauses.next())

    def _conversation(self, greeted: Callable[[], None], heard: Callable[[str | bytes, object], Any]) -> Conversation:
        from .conversation import Conversation, Timing

        timing = Timing(
            float(self.connect_within_s), float(self.ping_every_s), float(self.answer_within_s), float(self.ask_every_s)
        )
        return Conversation(self.url, self.token.reveal(), timing, greeted, heard)

    def _let_in(self, link: SourceLink) -> None:
        now_ns = link.clock.now_ns()
        self._state = evolve(self._state, connected=True, authenticated=True, since_ns=now_ns, trouble="")
        link.tell("info", "source_connected", f"connected to {self.url}")

    def _lost(self, link: SourceLink, why: str, *, turned_away: bool) -> None:
        """Not connected any more, or not yet: said when it begins, and when it turns out that the token is wrong."""
        before = self._state
        began = before.connected or before.since_ns is None
        since_ns = link.clock.now_ns() if began else before.since_ns
        self._state = evolve(before, connected=False, authenticated=False, trouble=why, since_ns=since_ns)
        if turned_away and before.trouble != why:
            link.tell("error", "source_refused", why)
        elif began:
            link.tell("warning", "source_lost", f"{why}; trying again for ever")

    # ── what is heard ───────────────────────────────────────────────────────────────────────────────────────

    async def _heard(self, link: SourceLink, raw: str | bytes, value: object) -> bool:
        """Hand over what is new in a message. False: it made no sense."""
        now_ns = link.clock.now_ns()
        self._state = evolve(self._state, heard_ns=now_ns)
        kind = value.get("type") if isinstance(value, Mapping) else None
        if isinstance(kind, str) and kind in SMALL_TALK:
            return True
        items = items_of(value)
        if items is None:
            said = raw if isinstance(raw, str) else raw.decode(errors="replace")
            await self._hand_over(link, [(digest_of(said), each) for each in self._parsed(raw, now_ns)], whole=False)
            return False
        fresh = [(digest, item) for item in items if (digest := digest_of(item)) not in self._taken]
        judged = parse_items([item for _, item in fresh], source=self.name, venues=self.venues, received_ns=now_ns)
        answers = [(digest, answer) for (digest, _), answer in zip(fresh, judged, strict=True)]
        await self._hand_over(link, answers, whole=self.lists_are_whole and is_whole(value))
        return True

    def _parsed(self, raw: str | bytes, now_ns: int) -> tuple[Signal | BadSignal, ...]:
        return parse_message(raw, source=self.name, venues=self.venues, received_ns=now_ns)

    async def _hand_over(
        self, link: SourceLink, answers: list[tuple[bytes, Signal | BadSignal]], *, whole: bool
    ) -> None:
        """Submit what was not handed over before; remember it once it is on the disk.

        What was refused before is judged again, for its time may have come, but not refused again.
        """
        new = {digest: each for digest, each in answers if isinstance(each, Signal) or digest not in self._refused}
        if not new:
            return
        await link.submit(Batch(tuple(new.values()), complete=whole))
        for digest, answer in new.items():
            if isinstance(answer, Signal):
                self._taken.add(digest)
                self._came(link, answer)
            else:
                self._refused.add(digest)

    def _came(self, link: SourceLink, signal: Signal) -> None:
        self._state = evolve(self._state, signal_ns=signal.received_ns)
        if self._expected is not None and self._expected.came(signal.bar_time_ns):
            link.tell("info", "wave_resumed", f"waves come again: that of {write_instant(signal.bar_time_ns)}")

    async def _look_out(self, link: SourceLink, expected: Expected) -> None:
        """Say so when an expected wave does not come."""
        while True:
            await link.until(expected.next_due_ns(link.clock.now_ns()))
            missing_ns = expected.missing_ns(link.clock.now_ns())
            if missing_ns is not None:
                within = f"within {self.wave_within_minutes} minutes"
                state = "connected" if self._state.connected else f"not connected: {self._state.trouble}"
                text = f"the wave of {write_instant(missing_ns)} did not come {within}; {state}"
                link.tell("warning", "wave_missing", text)


def _ignored() -> None:
    """Nobody waits to be told."""


async def _unheard(raw: str | bytes, value: object) -> bool:
    """A check listens to nothing."""
    return True
