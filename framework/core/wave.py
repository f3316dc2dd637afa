"""A wave: the signals of one bar, and the order in which they are tried.

Candidates are taken per account, best score first, until the account's target is reached or none is left, never
past it. What is being decided or opened counts as if it would succeed; one that fails frees its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from attrs import evolve, frozen

from .signal import Signal


@frozen
class Queue:
    """The candidates of one account: `waiting` in order, `busy` being decided or opened, `opened` for good."""

    account: str
    target: int
    waiting: tuple[Signal, ...]
    busy: frozenset[str] = frozenset()
    opened: frozenset[str] = frozenset()

    @property
    def is_done(self) -> bool:
        """Whether nothing more will come of this account's candidates."""
        return not self.busy and (len(self.opened) >= self.target or not self.waiting)

    def take(self) -> tuple[Queue, tuple[Signal, ...]]:
        """As many of the best waiting candidates as there are places left."""
        places = max(0, self.target - len(self.opened) - len(self.busy))
        taken = self.waiting[:places]
        busy = self.busy | {signal.id for signal in taken}
        return evolve(self, waiting=self.waiting[places:], busy=busy), taken

    def settle(self, signal_id: str, *, opened: bool) -> Queue:
        """The candidate was opened, or it failed and its place is free again."""
        if signal_id not in self.busy:
            raise ValueError(f"{signal_id} is not being decided or opened on {self.account}")
        done = self.opened | {signal_id} if opened else self.opened
        return evolve(self, busy=self.busy - {signal_id}, opened=done)

    @property
    def why_not_attempted(self) -> str:
        """Why those still waiting were not needed."""
        return f"target of {self.target} for {self.account} already reached"


def queue_for(account: str, signals: Iterable[Signal], target: int, opened: frozenset[str] = frozenset()) -> Queue:
    """The candidates of one account in order: best score first, then earliest made, then by id.

    `opened` are the signals of the same wave that an earlier run opened: they count towards the target.
    Where signals carry a target of their own (`settings.max_positions`), the smallest of them wins over `target`.
    """
    candidates = sorted(signals, key=lambda s: (-s.score, s.created_ns, s.id))
    carried = [s.settings.max_positions for s in candidates if s.settings.max_positions is not None]
    return Queue(account, min(carried) if carried else target, tuple(candidates), opened=opened)


def wave_id_of(bar_time_ns: int) -> str:
    """The name of a wave: the open of its bar in UTC, like ``2025-10-31T22:30Z``."""
    moment = datetime.fromtimestamp(bar_time_ns // 1_000_000_000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if moment.second else "%Y-%m-%dT%H:%MZ")


def targets_of(queues: Mapping[str, Queue]) -> dict[str, int]:
    """The target of each account."""
    return {account: queue.target for account, queue in queues.items()}
