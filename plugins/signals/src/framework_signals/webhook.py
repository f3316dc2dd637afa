"""The source `webhook`: alerts that others send here over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
from attrs import define, evolve, field, validators

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

from .alerts import Mapped
from .formats import ACCOUNTS, Format, Reader, known_fields
from .gate import Bucket, Tally, check_signature, same_secret
from .json_values import ValueRefusedError, raw_of
from .octobot import pairs_of
from .recording import venues_named
from .secrets_in_text import without_secrets
from .wishes import Namer, Rules

if TYPE_CHECKING:
    from .webhook_server import Answer, Request, WebhookServer

ANSWER_WITHIN_S = 2.5
"""Senders hang up after three seconds ("How to configure webhook alerts", TradingView)."""
TOLD_PER_MINUTE = 30
"""Requests that were turned away and are written down one by one; the others of a minute are counted."""
SUMMARY_EVERY_NS = 60 * 1_000_000_000
SHORTEST_SECRET = 16
STATUS: Mapping[str, int] = {"unauthorised": 401, "over_limit": 429, "too_large": 413, "not_found": 404}
HEADERS = ("x-signature", "x-timestamp")


def _a_path(instance: object, attribute: attrs.Attribute[Any], value: str) -> None:
    if not value.startswith("/") or value.endswith("/") or any(each in value for each in " ?#%"):
        raise ValueError(f'must be a path such as "/signals", got {value!r}')


def _long_enough(instance: object, attribute: attrs.Attribute[Any], value: Secret | None) -> None:
    if value is not None and len(value.reveal()) < SHORTEST_SECRET:
        raise ValueError(f"must have at least {SHORTEST_SECRET} characters: anybody may try to guess it")


@define(kw_only=True)
class WebhookSource:
    """Take alerts that are sent here over HTTP. Each is answered once its signal is on the disk.

    It listens on `host` and `port` for ``POST`` requests to `path`. Every request carries `secret`: as the last part of
    the path, or, where `body_field` names one, in that field of the body. With `hmac_secret` it is signed as well: the
    header ``X-Signature`` is the HMAC-SHA256 of ``timestamp.body``, and ``X-Timestamp`` at most `skew_s` seconds away
    from our clock. `format` is how alerts are written, `fields` where their objects hold what is read.
    `account` is for alerts that name no venue, `venues` names the account of each that they may name. `bar_minutes`:
    alerts of one bar of so many minutes form a wave; 0: those of one second. Alerts with an id are the same signal if
    the id is; before it stands `id_prefix`. Those without one and without a time are the same signal if they want the
    same within `same_within_s` seconds. `most_per_minute` alerts are taken, of `most_bytes` each, on
    `most_connections` at once and `most_connections_per_s` in a second, and each has to arrive within `read_within_s`
    seconds.
    """

    name: ClassVar[str] = "webhook"

    port: int = field(validator=[not_negative, validators.le(65535)])
    secret: Secret = field(validator=_long_enough)
    host: str = "127.0.0.1"
    path: str = field(default="/signals", validator=_a_path)
    body_field: str = ""
    hmac_secret: Secret | None = field(default=None, validator=_long_enough)
    skew_s: int = field(default=60, validator=positive)
    format: Format = "alert"
    fields: Mapping[str, str] = field(factory=dict, validator=known_fields)
    account: str = ""
    venues: Mapping[str, str] = field(factory=lambda: dict(ACCOUNTS), validator=venues_named)
    bar_minutes: int = field(default=0, validator=not_negative)
    id_prefix: str = "webhook:"
    same_within_s: int = field(default=60, validator=positive)
    most_per_minute: int = field(default=120, validator=positive)
    most_bytes: int = field(default=65536, validator=positive)
    most_connections: int = field(default=100, validator=positive)
    most_connections_per_s: int = field(default=100, validator=positive)
    read_within_s: int = field(default=3, validator=positive)
    _state: SourceState = field(factory=lambda: SourceState(connected=False, authenticated=False), init=False)
    _bucket: Bucket = field(init=False, repr=False)
    _tally: Tally = field(factory=lambda: Tally(TOLD_PER_MINUTE), init=False, repr=False)
    _reader: Reader = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.body_field and self.format == "text":
            raise ValueError("a posted text has no fields: leave body_field away, and put the secret into the path")
        rules = Rules(self.name, self.account, _lower(self.venues), self.bar_minutes, self.id_prefix)
        self._reader = Reader(self.format, rules, Mapped(self.fields), Namer(self.same_within_s))
        self._bucket = Bucket(self.most_per_minute)

    def timeline(self) -> Timeline | None:
        """None: a live source."""
        return None

    def state(self) -> SourceState:
        """Whether it listens, and when it last heard something."""
        return self._state

    async def run(self, link: SourceLink) -> None:
        """Serve until cancelled. Raises OSError, with what to do, if the port can't be had."""
        server = self._server(link)
        try:
            port = await server.start(self.host, self.port)
        except OSError as error:
            raise OSError(self._taken(error)) from None
        self._state = evolve(self._state, connected=True, authenticated=True, since_ns=link.clock.now_ns())
        link.tell("info", "source_connected", f"listening on http://{self._where(port)}")
        try:
            while True:
                await link.until(link.clock.now_ns() + SUMMARY_EVERY_NS)
                await self._sum_up(link)
        finally:
            self._state = evolve(self._state, connected=False, authenticated=False)
            await server.stop()

    async def checkup(self) -> tuple[Checkup, ...]:
        """Whether the port can be had."""
        server = self._server(None)
        try:
            port = await server.start(self.host, self.port)
        except OSError as error:
            return (Checkup(self.name, ok=False, message=self._taken(error)),)
        await server.stop()
        return (Checkup(self.name, ok=True, message=f"http://{self._where(port)} can be listened on"),)

    def _taken(self, error: OSError) -> str:
        return f"{self.host}:{self.port} can't be listened on: {error.strerror or error}; set another `port`"

    def _where(self, port: int) -> str:
        return f"{self.host}:{port}{self.path}{'' if self.body_field else '/***'}"

    def _server(self, link: SourceLink | None) -> WebhookServer:
        from .webhook_server import Answer, WebhookServer

        async def answer(request: Request) -> Answer:
            if link is None:
                return Answer(503, {"error": "only checked"})
            return await self._answer(link, request)

        def turned_away(code: str, message: str) -> None:
            if link is not None:
                self._turn_away(link, ValueRefusedError(code, message), "")

        return WebhookServer(
            answer=answer,
            turned_away=turned_away,
            most_bytes=self.most_bytes,
            most_connections=self.most_connections,
            most_per_s=self.most_connections_per_s,
            read_within_s=float(self.read_within_s),
        )

    # ── one request ─────────────────────────────────────────────────────────────────────────────────────────

    async def _answer(self, link: SourceLink, request: Request) -> Answer:
        from .webhook_server import Answer

        now_ns = link.clock.now_ns()
        try:
            body = self._admitted(request, now_ns)
        except ValueRefusedError as error:
            self._turn_away(link, error, "" if request.body is None else raw_of(request.body))
            return Answer(STATUS.get(error.code, 400), {"error": error.code, "message": self._clean(error.message)})
        self._state = evolve(self._state, heard_ns=now_ns)
        found = self._reader.read(body, now_ns, self._secrets)
        good = [each for each in found if isinstance(each, Signal)]
        bad = [each for each in found if isinstance(each, BadSignal)]
        if not await _durable(link, Batch(found)):
            return Answer(503, {"error": "not_durable", "message": "not on the disk yet; a repetition is recognised"})
        if good:
            self._state = evolve(self._state, signal_ns=now_ns)
        refused = [{"code": each.code, "message": each.message} for each in bad]
        return Answer(200 if good or not bad else 400, {"signals": [each.id for each in good], "refused": refused})

    def _admitted(self, request: Request, now_ns: int) -> bytes:
        """The body of a request that may come in. Raises `ValueRefusedError`."""
        under, _, given = (request.path, "", "") if self.body_field else request.path.rpartition("/")
        if request.method != "POST" or under != self.path:
            raise ValueRefusedError("not_found", "alerts are sent with POST to the path that is set")
        if not self.body_field and not same_secret(given, self.secret.reveal()):
            raise ValueRefusedError("unauthorised", "the secret in the path is not the right one")
        if request.body is None:
            raise ValueRefusedError("too_large", f"the body is longer than {self.most_bytes} bytes")
        if self.body_field and not same_secret(self._said_in(request.body), self.secret.reveal()):
            raise ValueRefusedError("unauthorised", f"the secret in the body's {self.body_field} is not the right one")
        if self.hmac_secret is not None:
            signature, timestamp = (request.headers.get(name, "") for name in HEADERS)
            check_signature(self.hmac_secret.reveal(), timestamp, signature, request.body, now_ns, self.skew_s)
        if not self._bucket.take(now_ns):
            raise ValueRefusedError("over_limit", f"more than {self.most_per_minute} alerts a minute")
        return request.body

    def _said_in(self, body: bytes) -> str:
        """The secret that a body carries; empty if there is none."""
        if self.format == "octobot":
            try:
                return pairs_of(body).get(self.body_field.upper(), "")
            except ValueRefusedError:
                return ""
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            return ""
        said = value.get(self.body_field) if isinstance(value, dict) else None
        return said if isinstance(said, str) else ""

    @property
    def _secrets(self) -> tuple[str, ...]:
        return (self.secret.reveal(), "" if self.hmac_secret is None else self.hmac_secret.reveal())

    def _clean(self, text: str) -> str:
        return without_secrets(text, *self._secrets)

    # ── who was turned away ─────────────────────────────────────────────────────────────────────────────────

    def _turn_away(self, link: SourceLink, error: ValueRefusedError, raw: str) -> None:
        """Write it down, but not every one of a flood."""
        now_ns = link.clock.now_ns()
        if self._tally.tells(error.code, now_ns):
            bad = BadSignal(self.name, error.code, self._clean(error.message), now_ns, self._clean(raw))
            _soon(link, Batch((bad,)))

    async def _sum_up(self, link: SourceLink) -> None:
        """Write down how many were not written down."""
        now_ns = link.clock.now_ns()
        counted = [
            BadSignal(self.name, code, f"{count} more requests were turned away in the last minute", now_ns, "")
            for code, count in sorted(self._tally.rest().items())
        ]
        if counted:
            await link.submit(Batch(tuple(counted)))


async def _durable(link: SourceLink, batch: Batch) -> bool:
    """Submit; whether it was on the disk in time. What was not goes on to it."""
    writing = asyncio.ensure_future(link.submit(batch))
    done, _ = await asyncio.wait({writing}, timeout=ANSWER_WITHIN_S)
    if not done:
        writing.add_done_callback(_forget)
        return False
    return writing.exception() is None


def _soon(link: SourceLink, batch: Batch) -> None:
    """Submit without waiting."""
    asyncio.ensure_future(link.submit(batch)).add_done_callback(_forget)


def _forget(writing: asyncio.Future[None]) -> None:
    if not writing.cancelled():
        writing.exception()  # the journal raises its own alarm


def _lower(venues: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): account for name, account in venues.items()}
