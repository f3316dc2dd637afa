"""Carrying out commands: the intent is durable before the request is sent, the outcome is written after.

Each request is a task of its own, so that positions of a wave open concurrently and no lock is held across I/O.
What comes back, or does not, becomes a message to the engine's queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from attrs import define, field, frozen

from ..components import Clock
from ..core.happenings import (
    AwaitSilence,
    CancelEntry,
    CancelStop,
    CancelTarget,
    CloseAnswered,
    Command,
    DeadlinePassed,
    EntryAnswered,
    EntryExpired,
    Happening,
    MoveStop,
    PlaceStop,
    ReadFailed,
    ReadVenue,
    SendClose,
    SendEntry,
    SilenceOver,
    StartDeadline,
    StopAnswered,
    VenueRead,
)
from ..core.legs import EntryLeg
from ..core.numbers import ZERO
from ..core.orders import EntryAnswer, OrderReport, Refusal, StopAnswer, Unknown
from ..core.position import Position
from ..core.records import Event, Record
from ..core.verdict import Number
from ..errors import ExchangeError, JournalError
from .desk import Desk
from .requests import Request, close_numbers, entry_numbers, stop_numbers

NS = 1_000_000_000
CLOCK_MARGIN_NS = 2 * 3600 * NS
"""Executions are asked for since so long before the decision: the clock that showed its instant may have been off."""

HURRY_S = 0.25
"""Once a read has shown that an entry was filled, which nobody knew, the rest of it is waited for no longer than this.

What is open then needs a stop, and the rest may be lost.
"""

Say = Callable[[str, Happening], None]
Append = Callable[..., Awaitable[None]]
A = TypeVar("A", bound=EntryAnswer | StopAnswer)


@define
class Dispatcher:
    """Runs commands as tasks. `say` puts what happened into the engine's queue, under the position's id.

    An exchange that does not answer within `timeout_s` has not answered: nobody knows what came of the request.
    Entries whose stop has a request of its own leave one in each turn of the event loop, so that of a large wave none
    waits for its stop behind the rest.
    """

    clock: Clock
    append: Append
    say: Say
    timeout_s: float
    tasks: set[asyncio.Task[None]] = field(factory=set, init=False)
    waiting: set[asyncio.Task[None]] = field(factory=set, init=False)
    _reads: dict[str, _WaitingRead] = field(factory=dict, init=False)
    _reading: list[str] = field(factory=list, init=False)
    _turn: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    def run(self, desk: Desk, position: Position, commands: tuple[Command, ...]) -> None:
        """Start what these commands ask for. Returns at once; alerts and notes are the journal's business."""
        for command in commands:
            match command:
                case SendEntry():
                    self._start(self._entry(desk, position, command))
                case CancelEntry():
                    self._start(self._cancel_entry(desk, position, command))
                case PlaceStop() | MoveStop():
                    self._start(self._stop(desk, position, command))
                case CancelStop():
                    self._start(self._cancel_stop(desk, position, command))
                case SendClose():
                    self._start(self._close(desk, position, command))
                case CancelTarget():
                    self._start(self._cancel_target(desk, position, command))
                case ReadVenue():
                    self._look(desk, position, command)
                case StartDeadline():
                    self._start(self._say_later(position, command.delay_ns, DeadlinePassed()), later=True)
                case AwaitSilence():
                    self._start(self._say_later(position, command.delay_ns, SilenceOver()), later=True)
                case _:
                    pass

    async def aclose(self) -> None:
        """Give up what is under way. What was sent without an answer stays an intent without an outcome."""
        tasks = [*self.tasks, *self.waiting]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def start_later(self, position: Position, delay_ns: int, happening: Happening) -> None:
        """Say `happening` after a while."""
        self._start(self._say_later(position, delay_ns, happening), later=True)

    def is_read(self, position_id: str) -> bool:
        """Whether the market of a position is being read now: its news come without being asked for."""
        return position_id in self._reading

    def _start(self, work: Coroutine[Any, Any, None], *, later: bool = False) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        group = self.waiting if later else self.tasks
        group.add(task)
        task.add_done_callback(group.discard)
        return task

    def _look(self, desk: Desk, position: Position, command: ReadVenue) -> None:
        """Read a position's market after a delay. One read waits for each position at most: the earliest."""
        due_ns = self.clock.now_ns() + command.delay_ns
        orders = dict.fromkeys(command.orders)
        waiting = self._reads.get(position.id)
        if waiting is not None:
            waiting.orders.update(orders)
            if waiting.due_ns <= due_ns:
                return
            waiting.task.cancel()
            orders = waiting.orders
        task = self._start(self._read(desk, position, command.delay_ns), later=command.delay_ns > 0)
        self._reads[position.id] = _WaitingRead(due_ns, orders, task)

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────

    async def _entry(self, desk: Desk, position: Position, command: SendEntry) -> None:
        order = command.order
        request = Request(position, "entry", order.client_id, self.clock.now_ns())
        try:
            await self.append(request.intent(entry_numbers(order)))
        except JournalError as error:
            # An entry that would not be remembered is not sent.
            self.say(position.id, EntryAnswered(order.client_id, Refusal("journal", str(error))))
            return
        if order.stop is None:
            async with self._turn:
                await asyncio.sleep(0)  # what was heard meanwhile goes first: a fill that wants its stop
        answer: EntryAnswer
        if self.clock.now_ns() > order.send_before_ns:
            answer = Refusal("too_late", "the entry's deadline was over before it could be sent")
        else:
            answer = await self._answer(desk.exchange.place_entry(order))
        self._done(request, answer)
        self.say(position.id, EntryAnswered(order.client_id, answer))
        resting = isinstance(answer, OrderReport) and not answer.status.is_final
        if resting and command.cancel_after_ns is not None:
            self.start_later(position, command.cancel_after_ns, EntryExpired(order.client_id))

    async def _cancel_entry(self, desk: Desk, position: Position, command: CancelEntry) -> None:
        identifier = command.client_id
        answer = await self._carry_out(
            position, "cancel-entry", identifier, {}, lambda: desk.exchange.cancel_entry(position.symbol, identifier)
        )
        self.say(position.id, EntryAnswered(identifier, answer))

    async def _stop(self, desk: Desk, position: Position, command: PlaceStop | MoveStop) -> None:
        order = command.order
        action, call = "stop", desk.exchange.place_stop
        if isinstance(command, MoveStop):
            action, call = "move-stop", desk.exchange.move_stop
        numbers = stop_numbers(order)
        answer = await self._carry_out(position, action, order.client_id, numbers, lambda: call(order))
        self.say(position.id, StopAnswered(order.client_id, answer))

    async def _cancel_stop(self, desk: Desk, position: Position, command: CancelStop) -> None:
        identifier = command.client_id
        answer = await self._carry_out(
            position, "cancel-stop", identifier, {}, lambda: desk.exchange.cancel_stop(position.symbol, identifier)
        )
        self.say(position.id, StopAnswered(identifier, answer, cancelling=True))

    async def _close(self, desk: Desk, position: Position, command: SendClose) -> None:
        order = command.order
        action = "close" if order.price is None else "target"
        numbers = close_numbers(order)
        answer = await self._carry_out(
            position, action, order.client_id, numbers, lambda: desk.exchange.close_position(order)
        )
        self.say(position.id, CloseAnswered(order.client_id, answer))

    async def _cancel_target(self, desk: Desk, position: Position, command: CancelTarget) -> None:
        identifier = command.client_id
        answer = await self._carry_out(
            position, "cancel-target", identifier, {}, lambda: desk.exchange.cancel_entry(position.symbol, identifier)
        )
        self.say(position.id, CloseAnswered(identifier, answer, cancelling=True))

    async def _carry_out(
        self,
        position: Position,
        action: str,
        identifier: str,
        numbers: dict[str, Number],
        call: Callable[[], Awaitable[A]],
    ) -> A | Unknown:
        """A request that reduces risk: its intent, the request itself, its outcome."""
        request = Request(position, action, identifier, self.clock.now_ns())
        await self._intend(request, numbers)
        answer = await self._answer(call())
        self._done(request, answer)
        return answer

    async def _read(self, desk: Desk, position: Position, delay_ns: int) -> None:
        if delay_ns:
            await asyncio.sleep(delay_ns / NS)
        orders = tuple(self._reads.pop(position.id).orders)
        news: dict[str, OrderReport] = {}
        self._reading.append(position.id)
        try:
            async with asyncio.timeout(self.timeout_s) as limit:
                read = await self._read_all(desk, position, orders, _Noticed(desk, position, news, limit))
        except TimeoutError:
            why = "not all was answered in time" if news else f"no answer within {self.timeout_s:.0f} s"
            self._read_failed(position, news, why)
        except ExchangeError as error:
            self._read_failed(position, news, str(error))
        except Exception as error:  # a read that breaks is a read that failed, never "nothing there"
            self._read_failed(position, news, f"{type(error).__name__}: {error}")
        else:
            self.say(position.id, read)
        finally:
            self._reading.remove(position.id)

    def _read_failed(self, position: Position, news: dict[str, OrderReport], why: str) -> None:
        """What it has shown of fills before is told: it is enough to place a stop."""
        for identifier, report in news.items():
            self.say(position.id, EntryAnswered(identifier, report))
        self.say(position.id, ReadFailed(why))

    async def _read_all(self, desk: Desk, position: Position, orders: tuple[str, ...], noticed: _Noticed) -> VenueRead:
        symbol, exchange = position.symbol, desk.exchange

        async def report_of(identifier: str) -> OrderReport | None:
            report = await exchange.entry_report(symbol, identifier)
            noticed.take(identifier, report)
            return report

        try:  # at once, so that lost answers cost one wait and not one each
            async with asyncio.TaskGroup() as group:
                asked = {one: group.create_task(report_of(one)) for one in orders}
                resting = group.create_task(exchange.stops(symbol))
                positions = group.create_task(exchange.positions())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        everything = positions.result()
        held = next((p for p in everything if p.symbol == symbol), None)
        # Executions last: what is seen flat has its fills in the answer that follows.
        fills = await exchange.fills(symbol, _since_ns(position))
        empty = not everything and any(p.id != position.id and p.open_quantity > ZERO for p in desk.open_positions())
        reports = {one: task.result() for one, task in asked.items()}
        return VenueRead(self.clock.now_ns(), held, resting.result(), reports, fills, empty)

    async def _say_later(self, position: Position, delay_ns: int, happening: Happening) -> None:
        await asyncio.sleep(max(0, delay_ns) / NS)
        self.say(position.id, happening)

    async def _answer(self, call: Awaitable[A]) -> A | Unknown:
        """An exchange's answer. Silence, and whatever it raises against its contract, means that nobody knows."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await call
        except TimeoutError:
            return Unknown(f"no answer within {self.timeout_s:.0f} s")
        except Exception as error:
            return Unknown(f"{type(error).__name__}: {error}")

    # ── writing down ────────────────────────────────────────────────────────────────────────────────────────

    async def _intend(self, request: Request, numbers: dict[str, Number]) -> None:
        """Write down a request that reduces risk. It is sent even when the journal fails: protection goes first."""
        try:
            await self.append(request.intent(numbers))
        except JournalError:
            return  # the engine has been told by the journal itself, and enters nothing any more

    def _done(self, request: Request, answer: EntryAnswer | StopAnswer) -> None:
        now_ns = self.clock.now_ns()
        records: list[Record] = [request.outcome(answer, now_ns)]
        if isinstance(answer, Unknown):
            text = f"{request.position.account} {request.position.symbol}: {request.action}: {answer.message}"
            records.append(
                Event(
                    now_ns, "warning", "outcome_unknown", text, request.position.account, request.position.symbol,
                    request.position.id, request.position.signal_id,
                )
            )  # fmt: skip
        forget = self.append(*records)
        if isinstance(forget, asyncio.Future):
            forget.add_done_callback(_retrieve)


def _since_ns(position: Position) -> int:
    """Since when executions are asked for: not those of an adopted position, they belong to what nobody wrote down."""
    return position.decided_ns - (CLOCK_MARGIN_NS if position.first_sequence == 0 else 0)


@frozen
class _Noticed:
    """Fills of entries that a read has shown before it has ended, and that nobody knew of."""

    desk: Desk
    position: Position
    news: dict[str, OrderReport]
    limit: asyncio.Timeout

    def take(self, identifier: str, report: OrderReport | None) -> None:
        leg = self.desk.positions.get(self.position.id, self.position).leg_of(identifier)
        if report is None or not isinstance(leg, EntryLeg) or report.filled <= leg.filled:
            return
        self.news[identifier] = report
        until_s = asyncio.get_running_loop().time() + HURRY_S
        due_s = self.limit.when()
        self.limit.reschedule(until_s if due_s is None else min(due_s, until_s))


@frozen
class _WaitingRead:
    due_ns: int
    orders: dict[str, None]
    task: asyncio.Task[None]


def _retrieve(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.exception()  # the journal has raised the alarm itself
