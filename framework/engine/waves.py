"""Waves at work: candidates screened, planned and opened per account until its target is reached or none is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from attrs import define, field

from ..components import Clock, Filter
from ..core.decide import Rulebook, decide
from ..core.lifecycle import begin
from ..core.market import Account, MarketData, MarketSnapshot, Need, Portfolio, union_of
from ..core.measuring import needs_of
from ..core.plan import SizedPlan
from ..core.position import Position, State
from ..core.records import Decision, Event, Record, WaveDecided
from ..core.screen import failed, screen
from ..core.signal import Signal
from ..core.steering import Policy, Step
from ..core.verdict import Refused, Rejection
from ..core.wave import Queue, queue_for, targets_of
from ..errors import ExchangeError
from .desk import Desk
from .messages import BalanceRead, CandidatesReady, Message


@define
class Wave:
    """A wave that is being decided."""

    id: str
    queues: dict[str, Queue]
    states: dict[str, Account] = field(factory=dict)


@define
class Waves:
    """Decides waves. `post` puts a message into the engine's queue, `open_position` starts a position's life."""

    clock: Clock
    desks: dict[str, Desk]
    filters: Sequence[Filter]
    rulebook: Rulebook
    post: Callable[[Message], None]
    write: Callable[[Sequence[Record]], None]
    open_position: Callable[[Desk, Step], None]
    max_quote_age_ns: int
    data_timeout_s: float
    forbidden: Callable[[str], str]
    saw: Callable[[str, MarketData], None]
    active: dict[str, Wave] = field(factory=dict, init=False)
    tasks: set[asyncio.Task[None]] = field(factory=set, init=False)
    needs: frozenset[Need] = field(init=False)

    def __attrs_post_init__(self) -> None:
        measured = map(needs_of, self.rulebook.protections)
        self.needs = union_of([frozenset({Need.BOOK_TOP}), *(f.needs for f in self.filters), *measured])

    def start(self, wave_id: str, signals: list[Signal]) -> None:
        """Begin to decide a wave: its queues are formed, and each account's money is read once."""
        queues = {
            account: queue_for(account, (s for s in signals if s.account == account), desk.target, desk.opened(wave_id))
            for account, desk in self.desks.items()
            if any(s.account == account for s in signals)
        }
        self.active[wave_id] = Wave(wave_id, queues)
        for account in queues:
            self._start(self._read_balance(wave_id, self.desks[account]))

    def balance_read(self, message: BalanceRead) -> None:
        """Go on with an account whose money is known; without it none of its candidates can be decided."""
        self.desks[message.account].new_balance(message.balance)
        self.desks[message.account].found(message.held)
        wave = self.active.get(message.wave_id)
        if wave is None:  # nobody of this account was wanted, and the others are done
            return
        if message.balance is None:
            queue = wave.queues[message.account]
            rejection = Rejection("account_unknown", f"the balance of {message.account} is unknown: {message.failure}")
            for signal in queue.waiting:
                self._refuse(wave.id, Refused(signal, "plan", "kernel", rejection, ()))
            wave.queues[message.account] = Queue(message.account, queue.target, ())
        self._go_on(wave, message.account)

    def candidates_ready(self, message: CandidatesReady) -> None:
        """Decide candidates in order: each plan counts before the next is made."""
        wave = self.active[message.wave_id]
        desk = self.desks[message.account]
        for signal, data in message.candidates:
            self._decide(wave, desk, signal, data)
        self._go_on(wave, message.account)

    def position_changed(self, before: Position | None, after: Position) -> None:
        """A position of a wave was opened, or failed and frees its place."""
        wave = self.active.get(after.wave_id)
        queue = None if wave is None else wave.queues.get(after.account)  # None: an earlier run's, of the same bar
        if wave is None or queue is None or after.signal_id not in queue.busy:
            return
        opened = after.protected_ns is not None
        if not opened and not after.state.is_final:
            return
        wave.queues[after.account] = queue.settle(after.signal_id, opened=opened)
        self.write([_outcome_of(after, opened, self.clock.now_ns())])
        self._go_on(wave, after.account)

    async def aclose(self) -> None:
        """Give up what is being fetched."""
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ── one account's candidates ────────────────────────────────────────────────────────────────────────────

    def _go_on(self, wave: Wave, account: str) -> None:
        queue, taken = wave.queues[account].take()
        wave.queues[account] = queue
        if taken:
            self._start(self._fetch(wave.id, self.desks[account], taken))
        elif all(queue.is_done for queue in wave.queues.values()):
            self._end(wave)

    def _decide(self, wave: Wave, desk: Desk, signal: Signal, data: MarketData) -> None:
        now_ns = self.clock.now_ns()
        portfolio = Portfolio(now_ns, {name: d.as_account(now_ns) for name, d in self.desks.items()})
        market = MarketSnapshot(
            symbol=signal.symbol,
            account=desk.account,
            time_ns=now_ns,
            rules=desk.markets.get(signal.symbol),
            data=data,
            state=portfolio.accounts[desk.account],
            max_age_ns=self.max_quote_age_ns,
        )
        verdict = screen(signal, market, self.filters)
        forbidden = self.forbidden(desk.account)
        if not isinstance(verdict, Refused):
            if forbidden:
                rejection = Rejection("entries_stopped", forbidden)
                verdict = Refused(signal, "plan", "kernel", rejection, verdict.checks)
            elif desk.is_taken(signal.symbol):
                text = f"{desk.account} holds a position in {signal.symbol}, or had one that may still turn up"
                rejection = Rejection("already_open", text)
                verdict = Refused(signal, "plan", "kernel", rejection, verdict.checks)
        plan = verdict if isinstance(verdict, Refused) else decide(verdict, self.rulebook, portfolio)
        if isinstance(plan, Refused):
            self._give_up(wave, plan)
            return
        step = _begin(plan, wave.id, desk.policy, now_ns)
        if isinstance(step, Refused):
            self._give_up(wave, step)
            return
        self.write(
            [
                Decision(
                    now_ns, wave.id, signal.id, signal.account, signal.symbol, "plan", "planned",
                    checks=plan.checks, numbers=plan.size.numbers, position_id=step[0].id,
                )
            ]
        )  # fmt: skip
        desk.reserve(plan.notional_usd)
        self.open_position(desk, step)

    def _give_up(self, wave: Wave, refused: Refused) -> None:
        account = refused.signal.account
        self._refuse(wave.id, refused)
        wave.queues[account] = wave.queues[account].settle(refused.signal.id, opened=False)

    def _refuse(self, wave_id: str, refused: Refused) -> None:
        signal, rejection = refused.signal, refused.rejection
        self.write(
            [
                Decision(
                    self.clock.now_ns(), wave_id, signal.id, signal.account, signal.symbol, refused.stage, "rejected",
                    refused.component, rejection.code, rejection.message, rejection.numbers, refused.checks,
                )
            ]
        )  # fmt: skip

    def _end(self, wave: Wave) -> None:
        now_ns = self.clock.now_ns()
        records: list[Record] = [
            Decision(
                now_ns, wave.id, signal.id, signal.account, signal.symbol, "wave", "not_attempted",
                code="target_reached", message=queue.why_not_attempted,
            )
            for queue in wave.queues.values()
            for signal in queue.waiting
        ]  # fmt: skip
        opened = {account: len(queue.opened) for account, queue in wave.queues.items()}
        records.append(WaveDecided(now_ns, wave.id, targets_of(wave.queues), opened))
        self.write(records)
        del self.active[wave.id]

    # ── fetching ────────────────────────────────────────────────────────────────────────────────────────────

    async def _read_balance(self, wave_id: str, desk: Desk) -> None:
        if desk.absent:
            self.post(BalanceRead(wave_id, desk.account, None, f"it is not connected: {desk.absent}"))
            return
        try:
            async with asyncio.timeout(self.data_timeout_s):
                balance, positions = await asyncio.gather(desk.exchange.balance(), desk.exchange.positions())
        except Exception as error:  # unknown money: nothing of this account can be decided
            self.post(BalanceRead(wave_id, desk.account, None, _why(error, self.data_timeout_s)))
        else:
            held = frozenset(position.symbol for position in positions if position.quantity)
            self.post(BalanceRead(wave_id, desk.account, balance, held=held))

    async def _fetch(self, wave_id: str, desk: Desk, signals: tuple[Signal, ...]) -> None:
        data = await asyncio.gather(*(self._market(desk, signal.symbol) for signal in signals))
        self.post(CandidatesReady(wave_id, desk.account, tuple(zip(signals, data, strict=True))))

    async def _market(self, desk: Desk, symbol: str) -> MarketData:
        """A market's data; empty when it can't be had, which refuses the signal where a component needs it."""
        if symbol not in desk.markets:
            return MarketData(symbol)
        try:
            async with asyncio.timeout(self.data_timeout_s):
                data = await desk.exchange.market_data(symbol, self.needs)
        except Exception as error:
            text = f"{desk.account} {symbol}: market data failed: {_why(error, self.data_timeout_s)}"
            self.write([Event(self.clock.now_ns(), "warning", "market_data_failed", text, desk.account, symbol)])
            return MarketData(symbol)
        self.saw(desk.account, data)
        return data

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def _begin(plan: SizedPlan, wave_id: str, policy: Policy, now_ns: int) -> Step | Refused:
    try:
        return begin(plan, wave_id, policy, now_ns)
    except Exception as error:  # a broken execution must not open anything, nor stop the wave
        name = policy.execution.name
        return Refused(plan.signal, "plan", name, failed(name, error), plan.checks)


def _outcome_of(position: Position, opened: bool, now_ns: int) -> Decision:
    if opened:
        outcome, code, message = "opened", "", ""
    elif position.state is State.ABORTED:
        outcome, code, message = "rejected", "entry_failed", position.failure or "nothing was filled"
    else:
        reason = position.exit.reason if position.exit is not None else "unknown"
        outcome, code, message = "rejected", "never_protected", f"opened, never protected, closed: {reason}"
    return Decision(
        now_ns, position.wave_id, position.signal_id, position.account, position.symbol, "execution", outcome,
        "kernel", code, message, position_id=position.id,
    )  # fmt: skip


def _why(error: Exception, timeout_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:.0f} s"
    return str(error) if isinstance(error, ExchangeError) else f"{type(error).__name__}: {error}"
