"""Keeps journal and venues in step: reads each account at the start, after every gap and on a schedule, and acts.

What a reading shows goes through the engine's one queue. Known positions that do not look as expected are read
closely, and their own life does the rest; unknown ones are adopted or left alone; orders that were left behind are
removed. No position is opened on an account before its first good reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from attrs import define, field

from ..components import Clock
from ..core.adopting import Adoption, adopted, new_identity
from ..core.happenings import CloseWanted, Command, Happening
from ..core.health import Health
from ..core.orders import VenuePosition
from ..core.position import Position
from ..core.reconcile import (
    CONFIRM_NS,
    EMPTY,
    FOREIGN,
    AccountSeen,
    Finding,
    ForeignPolicy,
    Unread,
    opened_elsewhere,
    own_stops,
    reconcile,
    unknown_markets,
)
from ..core.records import Event, Record
from ..core.recovery import Action
from ..core.steering import SECOND_NS, Step, look_at
from .desk import Desk
from .messages import AccountRead, CloseAll, Message
from .reading import read_account
from .sweeping import Sweeper
from .watchman import Report

AGAIN_S = CONFIRM_NS / SECOND_NS + 1
"""When a reading is confirmed by another one."""

RETRY_S = 1.0
SLOWEST_RETRY_S = 8.0
MOST_DOUBLINGS = 30
"""An outage of hours fails a thousand times: two to that power is no float."""

READS_BEFORE_ERROR = 5
"""So many failed readings in a row are a case for a person."""


READINGS = "readings"
"""The condition of an account that tells whether it could be read as a whole."""


class _Run(Protocol):
    def __call__(self, desk: Desk, position: Position, commands: tuple[Command, ...]) -> None: ...


@define
class Accounted:
    """What is known of one account from its readings.

    `before` is what the next reading is compared with. `good` counts the readings that could be used, `failures` those
    in a row that could not, `clean` those in a row that showed nothing of ours. `told`: the markets that people have
    been told of. `again`: one more reading is due soon. `is_closing`: it is read until nothing of ours is left.
    `closes`: why every position of the account is closed, those that are not ours as well; empty: none. `since_ns`:
    when it was first read well. `not_alone`: why another instance must be trading it; empty: nothing says so.
    """

    before: AccountSeen | None = None
    good: int = 0
    failures: int = 0
    clean: int = 0
    told: set[str] = field(factory=set)
    again: bool = False
    is_closing: bool = False
    closes: str = ""
    since_ns: int | None = None
    not_alone: str = ""


@define
class Reconciler:
    """Reads accounts and acts on what is found.

    `is_read` says whether a position is being read already; `take_step` begins the life of an adopted one.
    """

    clock: Clock
    desks: dict[str, Desk]
    foreign: ForeignPolicy
    every_s: float
    timeout_s: float
    post: Callable[[Message], None]
    write: Callable[[Sequence[Record]], None]
    run: _Run
    is_read: Callable[[str], bool]
    take_step: Callable[[Desk, Step], None]
    happened: Callable[[str, Happening], None]
    report: Report
    sweeper: Sweeper
    accounts: dict[str, Accounted] = field(factory=dict, init=False)
    _timers: dict[str, asyncio.TimerHandle] = field(factory=dict, init=False)
    _tasks: dict[str, asyncio.Task[None]] = field(factory=dict, init=False)
    _first: asyncio.Event = field(factory=asyncio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        self.accounts = {account: Accounted() for account in self.desks}

    # ── when ────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Read every account that is connected now, and again and again from then on."""
        for desk in self.desks.values():
            if not desk.absent:
                self.read(desk)

    def read(self, desk: Desk, delay_s: float = 0.0) -> None:
        """Read an account after `delay_s`. One reading waits for each account: the one that was asked for last."""
        timer = self._timers.pop(desk.account, None)
        if timer is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[desk.account] = loop.call_later(delay_s, self._begin, desk)

    def gap(self, desk: Desk) -> None:
        """Events of an account may have been missed: read it now, and once more when a venue's reads have caught up."""
        account = self.accounts[desk.account]
        account.before, account.again = None, True
        self.read(desk)

    def close_all(self, message: CloseAll) -> None:
        """Read the accounts that are being closed until nothing of ours is left there."""
        for account in message.accounts:
            if message.strangers:
                self.accounts[account].closes = message.reason
                self.desks[account].foreign = frozenset()
            self.accounts[account].clean, self.accounts[account].is_closing = 0, True
            self.gap(self.desks[account])

    def is_clean(self, account: str) -> bool:
        """Whether two readings in a row showed nothing of ours: no position, no order."""
        return self.accounts[account].clean >= 2

    async def first_round(self) -> None:
        """Return once every account has been read well."""
        await self._first.wait()

    def forbids(self, account: str) -> str:
        """Why no position may be opened on an account; empty: it may."""
        absent = self.desks[account].absent
        if absent:
            return f"{account} is not connected: {absent}"
        if self.accounts[account].good:
            return self.accounts[account].not_alone
        return f"{account} is being read back: it is not known yet what is open there"

    async def aclose(self) -> None:
        """Read nothing any more."""
        for timer in self._timers.values():
            timer.cancel()
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.sweeper.aclose()

    def _begin(self, desk: Desk) -> None:
        if desk.account not in self._tasks:
            task = asyncio.get_running_loop().create_task(self._read(desk))
            self._tasks[desk.account] = task
            task.add_done_callback(lambda _: self._tasks.pop(desk.account, None))

    async def _read(self, desk: Desk) -> None:
        def unknown(held: Iterable[VenuePosition]) -> list[str]:
            return [symbol for symbol in unknown_markets(held, desk.positions.values()) if symbol not in desk.foreign]

        now_ns = self.clock.now_ns()
        seen = await read_account(desk.exchange, desk.account, now_ns, unknown, self.timeout_s)
        self.post(AccountRead(desk.account, seen))

    # ── what ────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, message: AccountRead) -> None:
        """Compare a reading with what is known, and act."""
        desk, account, seen = self.desks[message.account], self.accounts[message.account], message.seen
        findings = reconcile(
            seen,
            account.before,
            tuple(desk.positions.values()),
            foreign="adopt" if account.closes else self.foreign,
            fence_ns=desk.policy.fence_ns,
            now_ns=self.clock.now_ns(),
        )
        if isinstance(seen, Unread):
            self._failed(desk, account, findings[0])
            return
        if findings and findings[0].case == EMPTY:
            self._empty(desk, account, findings[0])
            return
        account.failures = 0
        account.good += 1
        account.since_ns = seen.time_ns if account.since_ns is None else account.since_ns
        self.report(f"account {desk.account}", READINGS, Health.HEALTHY)
        self._note_foreign(desk, account, seen, findings)
        for finding in findings:
            self._act(desk, seen, finding)
        self._go_on(desk, account, seen, findings)

    def _go_on(self, desk: Desk, account: Accounted, seen: AccountSeen, findings: Sequence[Finding]) -> None:
        """When to read next, and what the next reading is confirmed by."""
        waits = any(f.action is Action.WAIT and f.position_id not in desk.positions for f in findings)
        if account.before is None or seen.time_ns - account.before.time_ns >= CONFIRM_NS:
            account.before = seen
            bare = seen.positions.keys() <= desk.foreign and not any(order.owner for order in seen.resting)
            account.clean = account.clean + 1 if bare else 0
        soon = waits or account.again or (account.is_closing and account.clean < 2)
        account.again = False
        if account.is_closing and self.is_clean(desk.account) and not desk.open_positions():
            account.is_closing, account.closes = False, ""
            self._say(desk, "info", "flattened", f"{desk.account}: two readings show nothing of ours any more")
        self.read(desk, min(AGAIN_S, self.every_s) if soon else self.every_s)
        if all(each.good for each in self.accounts.values()):
            self._first.set()

    def _act(self, desk: Desk, seen: AccountSeen, finding: Finding) -> None:
        known = desk.positions.get(finding.position_id)
        if finding.order is not None:
            if finding.action is Action.CANCEL:
                self.sweeper.sweep(desk, finding.order)
        elif known is not None:
            if finding.action is not Action.KEEP and not self.is_read(known.id):
                self.run(desk, known, look_at(known))
        elif finding.action in (Action.ADOPT, Action.PROTECT):
            self._look_for_others(desk, seen, finding)
            self._adopt(desk, seen, finding)

    def _adopt(self, desk: Desk, seen: AccountSeen, finding: Finding) -> None:
        held, now_ns = seen.positions[finding.symbol], self.clock.now_ns()
        rules = desk.markets.get(finding.symbol)
        if rules is None:
            text = f"{desk.account} {finding.symbol}: {finding.why}; but its market is not listed, so it cannot be"
            self._say_once(desk, "error", "not_adopted", text, finding.symbol)
            return
        identity = finding.position_id or new_identity(desk.account, held, now_ns)
        adoption = Adoption(
            identity=identity,
            account=desk.account,
            held=held,
            stops=own_stops(held, identity, seen),
            rules=rules,
            follows=finding.action is Action.ADOPT,
        )
        self.take_step(desk, adopted(adoption, desk.policy, now_ns))
        closes = self.accounts[desk.account].closes
        if closes:
            self.happened(identity, CloseWanted(closes))

    def _look_for_others(self, desk: Desk, seen: AccountSeen, finding: Finding) -> None:
        """Two instances on one account, each with a journal of its own, would open a signal twice: neither goes on
        opening. What this one would have sent before its start has arrived by the fence.
        """
        account = self.accounts[desk.account]
        since_ns = seen.time_ns if account.since_ns is None else account.since_ns
        if not account.not_alone and opened_elsewhere(finding, seen, since_ns + desk.policy.fence_ns):
            account.not_alone = f"another instance trades {desk.account}: it has opened {finding.symbol}"
            text = f"{account.not_alone} ({finding.position_id}), and this journal knows nothing of it"
            more = "nothing is opened on this account here any more; end one of the two, and start again"
            self._say(desk, "error", "other_instance", f"{text}; {more}", finding.symbol)

    def _note_foreign(self, desk: Desk, account: Accounted, seen: AccountSeen, findings: Sequence[Finding]) -> None:
        """Nothing is entered in a market with a position that is not ours; people are told of it once."""
        desk.foreign = frozenset(f.symbol for f in findings if f.case == FOREIGN and f.action is Action.IGNORE)
        account.told &= {*seen.positions}
        for finding in findings:
            if finding.case == FOREIGN:
                text = f"{desk.account} {finding.symbol}: {finding.why}"
                self._say_once(desk, "warning", "foreign_position", text, finding.symbol)

    # ── what proves nothing ─────────────────────────────────────────────────────────────────────────────────

    def _failed(self, desk: Desk, account: Accounted, finding: Finding) -> None:
        account.failures += 1
        if account.failures in (1, READS_BEFORE_ERROR):
            level = "warning" if account.failures == 1 else "error"
            self._say(desk, level, "account_not_read", finding.why)
            self.report(f"account {desk.account}", READINGS, Health.DEGRADED, finding.why, told=True)
        self._retry(desk, account)

    def _empty(self, desk: Desk, account: Accounted, finding: Finding) -> None:
        """Each position is asked for by itself: executions tell whether it was closed."""
        account.failures += 1
        if account.failures in (1, READS_BEFORE_ERROR):
            level = "warning" if account.failures == 1 else "error"
            self._say(desk, level, "account_read_empty", f"{desk.account}: {finding.why}")
            self.report(f"account {desk.account}", READINGS, Health.DEGRADED, finding.why, told=True)
        for position in desk.open_positions():
            if not self.is_read(position.id):
                self.run(desk, position, look_at(position))
        self._retry(desk, account)

    def _retry(self, desk: Desk, account: Accounted) -> None:
        self.read(desk, min(RETRY_S * 2 ** min(account.failures - 1, MOST_DOUBLINGS), SLOWEST_RETRY_S))

    # ── saying ──────────────────────────────────────────────────────────────────────────────────────────────

    def _say(self, desk: Desk, level: str, code: str, text: str, symbol: str = "") -> None:
        self.write([Event(self.clock.now_ns(), level, code, text, desk.account, symbol)])

    def _say_once(self, desk: Desk, level: str, code: str, text: str, symbol: str) -> None:
        told = self.accounts[desk.account].told
        if symbol not in told:
            told.add(symbol)
            self._say(desk, level, code, text, symbol)
