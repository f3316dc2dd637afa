"""Invariant 10."""

from __future__ import annotations

from collections import Counter

from ..asks import Ask
from ..bounds import NS_PER_MS
from ..hearing import Asked
from ..ledger import Line
from ..names import ENTRY, Owner
from ..scene import Scene
from ..verdicts import Judge


class SentOnce(Judge):
    """No entry is sent after its deadline, nor after an unknown outcome of the same intent.

    Counts: `request` lines that place an order with a client id of ours and the leg ``e``. The same id is never asked
    for twice, whatever came of it. Another sequence of the position may follow only if every earlier one has ended
    and its sender could know: its `order` line told so, or its `response` refused it and no fault kept that from
    arriving. With a plan, its ``t`` is at most ``deadline_ns`` plus the time that a request may travel. That an
    instance still had its lease when it sent is beyond what a ledger shows. A request that was refused before the
    venue looked whose it is counts too: its line tells no account.
    """

    number = 10
    name = "no entry after its deadline, none after an unknown outcome"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._sent: Counter[tuple[str, str | None]] = Counter()

    def on_place(self, asked: Asked, ask: Ask) -> None:
        """Judge an entry that is to be placed."""
        if ask.owner is not None and ask.owner.leg == ENTRY:
            self._judge(asked.line, ask, ask.owner)

    def _judge(self, line: Line, ask: Ask, owner: Owner) -> None:
        venue, account = line["venue"], line["account"]
        book = self.scene.books.of(venue, account, owner, ask.symbol, ask.side)
        entry = book.entry(owner.sequence)
        entry.requests += 1
        self._sent[venue, ask.client_id] += 1
        if (times := self._sent[venue, ask.client_id]) > 1:
            self.tell(venue, account, ask.symbol, f"{ask.client_id} was sent {times} times")
        for sequence, other in book.entries.items():
            if other is not entry and (other.requests or other.orders) and not other.known:
                what = f"{ask.client_id} was sent while nobody could know what became of entry {sequence}"
                self.tell(venue, account, ask.symbol, what)
        plan = (self.scene.plans or {}).get((venue, account, owner.position))
        if plan is not None and plan.deadline_ns is not None:
            late_ns = self.scene.now_ns - plan.deadline_ns
            if late_ns > self.scene.bounds.entry_transit_ms * NS_PER_MS:
                what = f"{ask.client_id} arrived {late_ns / NS_PER_MS:.0f} ms after its deadline"
                self.tell(venue, account, ask.symbol, what)
