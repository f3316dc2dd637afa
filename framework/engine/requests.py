"""What is written down of a request: its intent before it is sent, what came of it afterwards."""

from __future__ import annotations

from attrs import frozen

from ..core.numbers import plain
from ..core.orders import CloseOrder, EntryAnswer, EntryOrder, OrderReport, Refusal, StopAnswer, StopOrder, Unknown
from ..core.position import Position
from ..core.records import Intent, Outcome
from ..core.verdict import Number


@frozen
class Request:
    """One request for a position. `action`: as the journal names it; `sent_ns`: when it was meant to leave."""

    position: Position
    action: str
    client_id: str
    sent_ns: int

    def intent(self, numbers: dict[str, Number]) -> Intent:
        """What is durable before it is sent."""
        p = self.position
        return Intent(self.sent_ns, p.id, p.account, p.symbol, self.action, self.client_id, numbers)

    def outcome(self, answer: EntryAnswer | StopAnswer, now_ns: int) -> Outcome:
        """What came of it."""
        p = self.position
        result, message, numbers = _outcome(answer)
        took_ns = now_ns - self.sent_ns
        return Outcome(
            now_ns, p.id, p.account, p.symbol, self.action, self.client_id, result, took_ns, message, numbers
        )


def _outcome(answer: EntryAnswer | StopAnswer) -> tuple[str, str, dict[str, Number]]:
    match answer:
        case Refusal():
            return "refused", f"{answer.code}: {answer.message}", {}
        case Unknown():
            return "unknown", answer.message, {}
        case OrderReport():
            numbers: dict[str, Number] = {"status": answer.status.value, "filled": answer.filled}
            if answer.average_price is not None:
                numbers["average_price"] = answer.average_price
            return "accepted", answer.reason, numbers
        case _:
            where = {} if answer.trigger_price is None else {"trigger_price": answer.trigger_price}
            return "accepted", answer.reason, {"live": "yes" if answer.live else "no", **where}


def entry_numbers(order: EntryOrder) -> dict[str, Number]:
    """An entry, with the stop that goes with it."""
    numbers: dict[str, Number] = {"side": order.side.value, "type": order.type.value, "quantity": order.quantity}
    if order.price is not None:
        numbers["price"] = order.price
    if order.stop is not None:
        numbers["stop_price"] = order.stop.trigger_price
        numbers["stop_id"] = order.stop.client_id
    return numbers


def stop_numbers(order: StopOrder) -> dict[str, Number]:
    """A stop that is placed or moved."""
    kind = "attached to the position" if order.attached else "stop-market order"
    return {
        "side": order.side.value,
        "kind": kind,
        "quantity": plain(order.quantity),
        "trigger_price": order.trigger_price,
        "trigger_by": order.trigger_by.value,
    }


def close_numbers(order: CloseOrder) -> dict[str, Number]:
    """A close at the market, or a target that rests."""
    numbers: dict[str, Number] = {"side": order.side.value, "type": "market", "quantity": order.quantity}
    return numbers if order.price is None else {**numbers, "type": "limit", "price": order.price}
