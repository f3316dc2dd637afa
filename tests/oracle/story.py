"""Short ledgers written by hand: what a venue would have written down, one deed after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from .bounds import Bounds
from .judging import Case, Judgement, judge
from .ledger import Line
from .plans import Plan
from .uptime import Uptime

P1, P2 = "a" * 16, "b" * 16
START_NS = 1_700_000_000_000_000_000
MS = 1_000_000
S = 1000 * MS
ORDER = ("POST", "/fapi/v1/order")
ALGO = ("POST", "/fapi/v1/algoOrder")
CREATE = ("POST", "/v5/order/create")
TRADING_STOP = ("POST", "/v5/position/trading-stop")


@dataclass
class Story:
    """A ledger in the making, of one market. `quantity` is the position after all that was written."""

    venue: str = "binance"
    account: str = "demo"
    symbol: str = "BTCUSDT"
    lines: list[Line] = field(default_factory=list)
    t: int = START_NS
    quantity: Decimal = Decimal(0)
    requests: int = 0
    filled: dict[str, Decimal] = field(default_factory=dict)

    def wait(self, ms: float) -> Story:
        self.t += int(ms * MS)
        return self

    def write(self, kind: str, **fields: Any) -> Line:
        line = {"seq": len(self.lines) + 1, "t": self.t, "venue": self.venue, "account": self.account, "kind": kind}
        self.lines.append({**line, **fields})
        return self.lines[-1]

    # ── single lines ────────────────────────────────────────────────────────────────────────────────────────

    def price(self, bid: str = "50000") -> Story:
        self.write("price", symbol=self.symbol, bid=bid, ask=bid, mark=bid, last=bid)["account"] = None
        return self

    def fault(self, name: str = "refuse", **fields: Any) -> Story:
        self.write("fault", name=name, **fields)
        return self

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        status: int = 200,
        code: int | None = None,
        more: Mapping[str, Any] | None = None,
        **params: Any,
    ) -> Iterator[None]:
        """A request, and its response when the block is left."""
        self.requests += 1
        number = self.requests
        self.write("request", id=number, method=method, path=path, params=params, **(more or {}))
        yield
        if code is None and self.venue == "bybit":
            code = 0
        self.write("response", request=number, status=status, code=code)

    def read(self, path: str = "/fapi/v1/openOrders", status: int = 200, code: int | None = None) -> Story:
        with self.request("GET", path, status, code):
            pass
        return self

    def order(
        self,
        id: str,  # noqa: A002 - the ledger's own word
        client_id: str | None,
        side: str,
        qty: str,
        status: str = "new",
        **fields: Any,
    ) -> Story:
        """An order as it stands; `filled` is what its fills say unless another is given."""
        told = {
            "type": "market", "filled": str(self.filled.get(id, 0)), "price": None, "avg_price": None,
            "reduce_only": False, "close_position": False, "created_by": "client", **fields,
        }  # fmt: skip
        self.write("order", id=id, client_id=client_id, symbol=self.symbol, side=side, qty=qty, status=status, **told)
        return self

    def fill(self, order: str, side: str, qty: str, price: str = "50000") -> Story:
        """A fill and the position after it."""
        self.filled[order] = self.filled.get(order, Decimal(0)) + Decimal(qty)
        self.quantity += Decimal(qty) if side == "buy" else -Decimal(qty)
        told = {"symbol": self.symbol, "side": side, "qty": qty, "price": price, "fee": "0", "realized_pnl": "0"}
        self.write("fill", order=order, **told)
        entry_price = price if self.quantity else "0"
        self.write("position", symbol=self.symbol, qty=str(self.quantity), entry_price=entry_price)
        return self

    def stop(
        self,
        id: str,  # noqa: A002 - the ledger's own word
        trigger: str,
        qty: str | None = "1",
        status: str = "untriggered",
        client_id: str | None = None,
        **fields: Any,
    ) -> Story:
        """A stop as it stands: one of ours that sells, unless told otherwise."""
        attached = self.venue == "bybit"
        told = {"side": "sell", "trigger_by": "last", "reduce_only": not attached, "attached": attached, **fields}
        if client_id is None and not told["attached"]:
            client_id = id
        quantity = None if told["attached"] else qty
        self.write(
            "stop",
            **{
                "id": id, "client_id": client_id, "symbol": self.symbol, "qty": quantity,
                "trigger_price": trigger, "status": status, **told,
            },
        )  # fmt: skip
        return self

    # ── whole deeds of the product ──────────────────────────────────────────────────────────────────────────

    def enter(self, position: str = P1, qty: str = "1", sequence: int = 0, side: str = "buy", parts: int = 1) -> Story:
        """An entry that fills at once, in so many fills; on Bybit with its stop 2 % away."""
        name = f"fw-{position}-e{sequence}"
        with self.request(*self._place, **self._wish(name, side, qty)):
            self.order(name, name, side, qty)
            for _ in range(parts):
                self.fill(name, side, str(Decimal(qty) / parts))
            self.order(name, name, side, qty, "filled")
            if self.venue == "bybit":
                falling = side == "buy"
                self.stop("attached", "49000" if falling else "51000", side="sell" if falling else "buy")
        return self

    def place_stop(self, trigger: str = "49000", qty: str = "1", sequence: int = 0, position: str = P1) -> Story:
        """A reduce-only stop of its own, as on Binance."""
        name = f"fw-{position}-s{sequence}"
        wish: dict[str, Any] = {"symbol": self.symbol, "side": "SELL", "quantity": qty, "triggerPrice": trigger}
        with self.request(*ALGO, clientAlgoId=name, reduceOnly="true", **wish):
            self.stop(name, trigger, qty)
        return self

    def move_stop(self, trigger: str) -> Story:
        """The attached stop of Bybit moves."""
        with self.request(*TRADING_STOP, symbol=self.symbol, stopLoss=trigger):
            self.stop("attached", trigger)
        return self

    def cancel_stop(self, trigger: str = "49000", sequence: int = 0, qty: str = "1", position: str = P1) -> Story:
        name = f"fw-{position}-s{sequence}"
        with self.request("DELETE", ALGO[1], symbol=self.symbol, clientAlgoId=name):
            self.stop(name, trigger, qty, "cancelled")
        return self

    def close(self, qty: str = "1", sequence: int = 0, position: str = P1, side: str = "sell") -> Story:
        """A reduce-only market order; what is attached goes when the position is flat."""
        name = f"fw-{position}-x{sequence}"
        with self.request(*self._place, **self._wish(name, side, qty), reduceOnly="true"):
            self.order(name, name, side, qty, reduce_only=True)
            self.fill(name, side, qty)
            self.order(name, name, side, qty, "filled", reduce_only=True)
            if self.venue == "bybit" and not self.quantity:
                self.stop("attached", "49000", status="cancelled", side=side)
        return self

    def fire(self, trigger: str = "49000", qty: str = "1", filled: str | None = None, sequence: int = 0) -> Story:
        """The stop of its own triggers, and its order fills: all of it unless told otherwise."""
        name, part = f"fw-{P1}-s{sequence}", qty if filled is None else filled
        child = f"child-{name}"
        told: dict[str, Any] = {"reduce_only": True, "created_by": "stop"}
        self.price(trigger)
        self.stop(name, trigger, qty, "triggering").stop(name, trigger, qty, "triggered")
        self.order(child, name, "sell", qty, **told)
        if Decimal(part):
            self.fill(child, "sell", part, trigger)
        self.order(child, name, "sell", qty, "filled" if part == qty else "expired", **told)
        self.stop(name, trigger, qty, "finished")
        return self

    @property
    def _place(self) -> tuple[str, str]:
        return CREATE if self.venue == "bybit" else ORDER

    def _wish(self, name: str, side: str, qty: str) -> dict[str, Any]:
        key = "orderLinkId" if self.venue == "bybit" else "newClientOrderId"
        return {"symbol": self.symbol, "side": side.upper(), "type": "MARKET", "quantity": qty, key: name}

    # ── judging ─────────────────────────────────────────────────────────────────────────────────────────────

    def judged(
        self,
        *,
        up: tuple[tuple[int, int], ...] | None = None,
        plans: Mapping[str, Plan] | None = None,
        hosts: tuple[str, ...] = (),
        unheard: tuple[tuple[float, float], ...] = (),
        **bounds: int,
    ) -> Judgement:
        """`up` in ms since the start, `unheard` in ms; plans by position id."""
        silent = {(self.venue, self.symbol): [(START_NS + int(a * MS), START_NS + int(b * MS)) for a, b in unheard]}
        case = Case(bounds=replace(Bounds(), **bounds), hosts=hosts, unheard=silent)
        if up is not None:
            case = replace(case, uptime=Uptime(tuple((START_NS + a * MS, START_NS + b * MS) for a, b in up)))
        if plans is not None:
            case = replace(case, plans={(self.venue, self.account, name): plan for name, plan in plans.items()})
        return judge(rows(self.lines), case)


def rows(lines: list[Line]) -> list[str]:
    """The lines as a ledger has them."""
    return [json.dumps(line) + "\n" for line in lines]


def broken(judgement: Judgement) -> list[int]:
    """The numbers of the invariants that do not hold."""
    return [verdict.number for verdict in judgement.verdicts if verdict.count]


def told(judgement: Judgement, number: int) -> list[str]:
    """What is told of one invariant."""
    return [violation.what for violation in judgement.verdicts[number - 1].first]


def opened(venue: str = "binance") -> Story:
    """A position of 1 that is protected from its first moment; on Binance 20 ms after its fill."""
    story = Story(venue).price().enter()
    return story if venue == "bybit" else story.wait(20).place_stop()


def short(venue: str = "bybit") -> Story:
    """The same the other way round."""
    return Story(venue).price().enter(side="sell")
