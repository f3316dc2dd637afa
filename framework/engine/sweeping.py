"""Removing orders of ours that were left behind: each a request of its own, written down like every other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import define, field

from ..components import Clock
from ..core.ids import Leg, leg_of
from ..core.orders import Refusal, Unknown
from ..core.records import Event, Intent, Outcome
from ..core.resting import RestingKind, RestingOrder
from ..errors import JournalError
from .desk import Desk


@define
class Sweeper:
    """Cancels orders whose position is over or unknown. One that stays is found again by the next reading."""

    clock: Clock
    append: Callable[..., Awaitable[None]]
    timeout_s: float
    tasks: dict[str, asyncio.Task[None]] = field(factory=dict, init=False)

    def sweep(self, desk: Desk, order: RestingOrder) -> None:
        """Begin to remove an order, unless that is under way."""
        if order.client_id in self.tasks:
            return
        task = asyncio.get_running_loop().create_task(self._sweep(desk, order))
        self.tasks[order.client_id] = task
        task.add_done_callback(lambda _: self.tasks.pop(order.client_id, None))

    async def aclose(self) -> None:
        """Give up what is under way."""
        tasks = [*self.tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _sweep(self, desk: Desk, order: RestingOrder) -> None:
        owner, action = order.owner or "", _action(order)
        sent_ns = self.clock.now_ns()
        await self._write(Intent(sent_ns, owner, desk.account, order.symbol, action, order.client_id, {}))
        result, said = await self._cancelled(desk, order)
        now_ns = self.clock.now_ns()
        outcome = Outcome(
            now_ns, owner, desk.account, order.symbol, action, order.client_id, result, now_ns - sent_ns, said
        )
        if result == "accepted":
            level, what = "warning", "was left behind and is removed"
        else:
            level, what = "error", f"was left behind and could not be removed: {said}; trying again"
        text = f"{desk.account} {order.symbol}: the {order.kind.value} {order.client_id} {what}"
        await self._write(outcome, Event(now_ns, level, "order_left_behind", text, desk.account, order.symbol, owner))

    async def _cancelled(self, desk: Desk, order: RestingOrder) -> tuple[str, str]:
        """What came of it: the result as outcomes call it, and the venue's words."""
        exchange = desk.exchange
        cancel = exchange.cancel_stop if _action(order) == "cancel-stop" else exchange.cancel_entry
        try:
            async with asyncio.timeout(self.timeout_s):
                answer = await cancel(order.symbol, order.client_id)
        except Exception as error:
            return "unknown", f"{type(error).__name__}: {error}"
        match answer:
            case Refusal():
                return "refused", f"{answer.code}: {answer.message}"
            case Unknown():
                return "unknown", answer.message
            case _:
                return "accepted", answer.reason

    async def _write(self, *records: Any) -> None:
        try:
            await self.append(*records)
        except JournalError:
            return  # the engine has been told by the journal itself; an order that does harm is removed all the same


def _action(order: RestingOrder) -> str:
    """What removing it is called. Plain orders and conditional ones are cancelled at different doors."""
    if leg_of(order.client_id) is Leg.TARGET:
        return "cancel-target"
    return "cancel-entry" if order.kind is RestingKind.ENTRY else "cancel-stop"
