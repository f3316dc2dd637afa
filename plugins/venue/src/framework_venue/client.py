"""One account's way to a venue over REST: ccxt signs and sends, everything that comes back is one `Answer`.

Nothing that ccxt raises or returns strangely gets past this file. Its own retries, throttle and error mapping are off:
they wait blindly, resend orders, and lose the codes of Binance's futures on any other address than the production one.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Protocol

import aiohttp
from attrs import Factory, define, field, frozen

from framework import ExchangeError

from .answers import Answer, Hint, Kind, Reply, of_transport
from .budget import Budget, BudgetError, Purpose
from .clock import VenueClock
from .insisting import Heard, Insisting, Manner, RoundTrips
from .shared import Shared

KEEP_ALIVE_S = 600
"""How long an idle connection is kept on our side; the venue may close it earlier."""

PATIENT_S = 30.0
"""How long what has time waits for its turn in the budget."""

URGENT_S = 2.0
"""How long an answer is waited for by what changes something about open positions.

Venues answer within a fraction of it. What is still open is not known to be protected meanwhile, and a stop or a close
of unknown outcome is read back.
"""

TRIES = {Purpose.PROTECT: 7, Purpose.ENTER: 3, Purpose.READ: 3, Purpose.PREPARE: 5}
"""How many copies are sent at most of what may arrive more than once."""

PATIENCE = {Purpose.PROTECT: 1, Purpose.ENTER: 1, Purpose.READ: 4, Purpose.PREPARE: 2}
"""How long an answer may take before another copy is sent, in units of the least time."""

PAUSE_S = {Purpose.PROTECT: 0.05, Purpose.ENTER: 0.05, Purpose.READ: 0.25, Purpose.PREPARE: 0.25}
"""Before the second copy of what is known not to have been answered; then twice as long, and so on."""

_reply: ContextVar[Reply | None] = ContextVar("reply", default=None)


@frozen
class Route:
    """One request of a venue: ccxt's implicit method, and what it costs, by window of the budget."""

    method: str
    costs: Mapping[str, int]


class Dialect(Protocol):
    """What a `Client` has to know of its venue."""

    @property
    def venue(self) -> str:
        """The venue's name, for messages."""

    def classify(self, reply: Reply) -> Answer:
        """What a reply that was read means, by the venue's table of codes. `reply.status` is not None."""

    def heard(self, budget: Budget, route: Route, reply: Reply) -> None:
        """Correct the budget by the headers of an answer."""

    @property
    def time_route(self) -> Route:
        """The request that tells the venue's time."""

    def time_ms(self, body: Any) -> int:
        """The venue's time in its answer, ms UTC."""


def tapped(base: Any, clock: VenueClock, on_frame: Callable[[Any, Any], None]) -> Any:
    """A subclass of ccxt's exchange class with taps: replies and frames are taken raw, and time is the venue's."""

    class Tapped(base):  # type: ignore[misc]
        def milliseconds(self) -> int:
            return clock.now_ms()

        def on_rest_response(
            self, code: int, reason: str, url: str, method: str, headers: Any, body: str, *request: Any
        ) -> str:
            reply = _reply.get()
            if reply is not None:
                reply.status, reply.text = code, body
                reply.headers = {str(name).lower(): str(value) for name, value in dict(headers).items()}
            return body

        def parse_json(self, text: str) -> Any:
            parsed = super().parse_json(text)
            reply = _reply.get()
            if reply is not None:
                reply.body = parsed
            return parsed

        def handle_errors(self, *arguments: Any) -> None:
            """What an answer means is decided by the plugin's table."""

        def handle_http_status_code(self, *arguments: Any) -> None:
            """As above."""

        def handle_message(self, client: Any, message: Any) -> None:
            on_frame(client, message)

    return Tapped


def open_session(timeout_s: float) -> aiohttp.ClientSession:
    """A session whose connections stay open between waves, as many at once as a wave needs."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S, ttl_dns_cache=300)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(connect=timeout_s),
        cookie_jar=aiohttp.DummyCookieJar(),  # no venue wants its cookies back
    )


@frozen
class _Timed:
    """An answer, and when it was asked for and had come, by our clock."""

    answer: Answer
    sent_ns: int
    received_ns: int


@define(eq=False)
class Client:
    """Sends requests and understands what comes back. `api` is an instance of a `tapped` class of ccxt.

    `within_s` is how long a request may wait for its turn in the budget. `on_stale_rules` is called when an answer
    says that our idea of a market's rules is old. `is_starting`: nothing that is open is looked after yet, so whatever
    the start needs may use what is kept for stops. `repeat_after_s` is the least time that an answer may take before
    what may arrive more than once is sent again. `on_reached` is called when an answer came after a request that got
    none.
    """

    account: str
    api: Any
    dialect: Dialect
    budget: Budget
    clock: VenueClock
    timeout_s: float
    on_stale_rules: Callable[[Answer], None] = lambda answer: None
    on_notice: Callable[[str, str, str], None] = lambda level, code, message: None
    on_reached: Callable[[], None] = lambda: None
    is_starting: bool = False
    repeat_after_s: float = 0.25
    trips: RoundTrips = field(factory=RoundTrips, init=False)
    _is_reached: bool = field(default=True, init=False)
    _measuring: Shared[None] = field(default=Factory(lambda self: Shared(self._sync), takes_self=True), init=False)

    async def call(
        self,
        route: Route,
        params: Mapping[str, Any],
        purpose: Purpose,
        *,
        within_s: float | None = None,
        answer_s: float | None = None,
        left: asyncio.Event | None = None,
        worth: float = math.inf,
    ) -> Answer:
        """Send one request. Never raises, but for cancellation; what can't be known is `Kind.UNKNOWN`.

        What was refused because of our clock was not carried out: the clock is set, and all but entries are sent
        once more. `answer_s` is how long the answer may take: `URGENT_S` unless told, and `timeout_s` for an entry and
        for what prepares, which nothing open waits for. `left` is set when the request leaves, or can't.
        `worth`: see `Budget.take`.
        """
        if answer_s is None:
            answer_s = self.timeout_s if purpose in (Purpose.ENTER, Purpose.PREPARE) else URGENT_S
        refused = await self._turn(route, purpose, within_s, worth)
        if left is not None:
            left.set()
        if refused is not None:
            return refused
        return await self._carried(route, params, purpose, answer_s)

    async def insist(
        self,
        route: Route,
        params: Mapping[str, Any],
        purpose: Purpose,
        *,
        within_s: float | None = None,
        answer_s: float = URGENT_S,
        worth: float = math.inf,
    ) -> Heard[Answer]:
        """Send what may arrive more than once; again, as soon as an answer is later than this account's answers are.

        Another copy goes out beside the first one, `TRIES` in all and within `answer_s`, where the budget has room
        that is not kept for stops and closes. The first answer that tells something counts; see `Insisting`.
        """
        refused = await self._turn(route, purpose, within_s, worth)
        if refused is not None:
            return Heard(refused, alone=True)
        manner = Purpose.PROTECT if self.is_starting else purpose  # what is open waits for all that a start asks
        return await Insisting(
            send=lambda left_s: self._carried(route, params, purpose, left_s),
            is_lost=lambda answer: answer.kind is Kind.UNKNOWN,
            manner=Manner(TRIES[manner], answer_s, PAUSE_S[manner]),
            patience_s=lambda: self.patience_s(PATIENCE[manner]),
            may_repeat=lambda: self._spares(route),
        ).heard()

    async def ask(
        self, route: Route, params: Mapping[str, Any], purpose: Purpose = Purpose.READ, *, within_s: float | None = None
    ) -> Answer:
        """The answer to a question, which changes nothing: it is insisted on, and each copy may take `timeout_s`.

        So a venue that is slow is read by the first copy, and an answer that was lost by one of the next.
        """
        return (await self.insist(route, params, purpose, within_s=within_s, answer_s=self.timeout_s)).result

    async def read(
        self, route: Route, params: Mapping[str, Any], purpose: Purpose = Purpose.READ, *, within_s: float | None = None
    ) -> Any:
        """The body of an accepted answer; see `ask`. Raises `ExchangeError` for every other: a failed read is never
        empty.
        """
        answer = await self.ask(route, params, purpose, within_s=within_s)
        if not answer.accepted:
            raise self.error(answer, route)
        return answer.body

    def error(self, answer: Answer, route: Route) -> ExchangeError:
        """An answer as the error that a read raises."""
        text = f"{route.method}: {answer.message or answer.kind.value}"
        return ExchangeError(self.account, text, code=answer.code, for_good=answer.kind is Kind.CREDENTIALS)

    def patience_s(self, units: int = 1) -> float:
        """After how long an answer is late now; never less than so many times `repeat_after_s`."""
        return self.trips.patience_s(units * self.repeat_after_s)

    async def sync_clock(self) -> None:
        """Measure how far our clock is off. Several callers share one measurement; a failed one changes nothing."""
        await self._measuring.get()

    async def warm(self, count: int) -> None:
        """Open connections until `count` are open and idle: as many cheap requests at once, whatever they answer."""
        route = self.dialect.time_route
        await asyncio.gather(*(self._once(route, {}, Purpose.PREPARE, 1.0, self.timeout_s) for _ in range(count)))

    async def _sync(self) -> None:
        """Each copy is timed by its own sending, so that the answer to one is not taken for another's."""
        route = self.dialect.time_route
        if await self._turn(route, Purpose.PROTECT, None) is not None:
            return
        heard = await Insisting(
            send=self._timed,
            is_lost=lambda timed: timed.answer.kind is Kind.UNKNOWN,
            manner=Manner(TRIES[Purpose.PROTECT], self.timeout_s),
            patience_s=self.patience_s,
            may_repeat=lambda: self._spares(route),
        ).heard()
        timed = heard.result
        if not timed.answer.accepted:
            return
        try:
            venue_ms = self.dialect.time_ms(timed.answer.body)
        except (KeyError, TypeError, ValueError):
            return
        self.clock.measured(timed.sent_ns, timed.received_ns, venue_ms)

    async def _timed(self, answer_s: float) -> _Timed:
        sent_ns = self.clock.ours.now_ns()
        answer = await self._answered(self.dialect.time_route, {}, answer_s)
        return _Timed(answer, sent_ns, self.clock.ours.now_ns())

    async def _turn(
        self, route: Route, purpose: Purpose, within_s: float | None, worth: float = math.inf
    ) -> Answer | None:
        """Wait for one's turn in the budget; why it did not come, if it did not."""
        if within_s is None:
            within_s = PATIENT_S if purpose is Purpose.PREPARE else self.timeout_s
        try:
            urgency = Purpose.PROTECT if self.is_starting else purpose
            await self.budget.take(urgency, route.costs, within_s=within_s, worth=worth)
        except BudgetError as error:
            return error.answer()
        return None

    def _spares(self, route: Route) -> bool:
        """Whether there is room for another copy now. It takes nothing from what is kept for stops and closes."""
        return self.budget.take_now(Purpose.PROTECT if self.is_starting else Purpose.ENTER, route.costs)

    async def _once(
        self, route: Route, params: Mapping[str, Any], purpose: Purpose, within_s: float | None, answer_s: float
    ) -> Answer:
        refused = await self._turn(route, purpose, within_s)
        return await self._answered(route, params, answer_s) if refused is None else refused

    async def _carried(self, route: Route, params: Mapping[str, Any], purpose: Purpose, answer_s: float) -> Answer:
        """The answer to one request whose turn has come; once more where our clock was off."""
        answer = await self._answered(route, params, answer_s)
        if answer.hint is Hint.CLOCK:
            await self.sync_clock()
            if purpose is not Purpose.ENTER:
                answer = await self._once(route, params, purpose, None, answer_s)
        return answer

    async def _answered(self, route: Route, params: Mapping[str, Any], answer_s: float) -> Answer:
        reply = await self._send(route, params, answer_s)
        answer = of_transport(reply)
        if answer is None:
            answer = self._understood(reply)
            self._heed(route, reply)
        if answer.retry_after_s is not None:
            self.budget.be_silent(answer.retry_after_s, f"{self.dialect.venue} asked for silence ({answer.code})")
        self._react(answer, route)
        return answer

    async def _send(self, route: Route, params: Mapping[str, Any], answer_s: float) -> Reply:
        reply = Reply()
        _reply.set(reply)
        time_s = asyncio.get_running_loop().time
        sent_s = time_s()
        self.trips.under_way += 1
        try:
            async with asyncio.timeout(answer_s if answer_s < self.timeout_s else None):  # else it is ccxt that waits
                await getattr(self.api, route.method)(dict(params))
        except TimeoutError:
            # A reply that was read is understood by its code, whatever happened afterwards.
            if reply.status is None:
                reply.failure = f"it did not come within {min(answer_s, self.timeout_s):g} s"  # it may have arrived
        except Exception as error:
            if reply.status is None:
                reply.failure = _why(error)
                reply.sent = not _never_left(error)
        finally:
            # Not by a token: a generator that is given up is finished in another context than it began in.
            _reply.set(None)
            self.trips.under_way -= 1
            if reply.status is not None:
                self.trips.took(time_s() - sent_s)
        was_reached, self._is_reached = self._is_reached, reply.status is not None
        if self._is_reached and not was_reached:
            self.on_reached()
        return reply

    def _understood(self, reply: Reply) -> Answer:
        try:
            return self.dialect.classify(reply)
        except Exception as error:
            return Answer(Kind.UNKNOWN, "strange_answer", f"{type(error).__name__}: {error}", reply.body)

    def _heed(self, route: Route, reply: Reply) -> None:
        """Correct the budget. What is wrong with a header must not hide what became of the request."""
        try:
            self.dialect.heard(self.budget, route, reply)
        except Exception as error:
            self.on_notice("warning", "headers_not_understood", f"{route.method}: {type(error).__name__}: {error}")

    def _react(self, answer: Answer, route: Route) -> None:
        if answer.hint is Hint.RULES:
            self.on_stale_rules(answer)
        if answer.kind in (Kind.OUR_BUG, Kind.CREDENTIALS, Kind.BANNED):
            text = f"{route.method}: {answer.code}: {answer.message}"
            self.on_notice("error", f"venue_{answer.kind.value.replace('-', '_')}", text)


def _why(error: BaseException) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__


def _never_left(error: BaseException) -> bool:
    """Whether a request certainly did not reach the venue: no connection was made, or it could not be signed."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, aiohttp.ClientConnectorError):
            return True
        cause = cause.__cause__
    # What is no failure of the network was raised before anything was sent: by signing, or by bad parameters.
    return not isinstance(error.__cause__ or error, (OSError, TimeoutError, aiohttp.ClientError)) and not _of_ccxt(
        error
    )


def _of_ccxt(error: BaseException) -> bool:
    return type(error).__module__.startswith("ccxt.")
