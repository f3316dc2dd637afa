"""One pass over a ledger: what holds after every line, and who is told of it.

The scene keeps only what is still open (orders, stops, positions, unanswered requests), timers, and what an id may be
judged by later; its size does not grow with the number of lines.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from .asks import PLACE, asked
from .bounds import NS_PER_MS, NS_PER_S, Bounds
from .entries import Books, is_refusal
from .hearing import Asked, Hooks, Touched
from .ledger import Line
from .names import ENTRY, STOP, Names
from .outages import Outages, Window
from .plans import Plan, Plans
from .state import FINAL, STOP_GONE, ZERO, Episode, Holding, Order, Stop, falls, level_of
from .uptime import Uptime
from .verdicts import Judge, Naked

_PASSED = -2021
"""Binance refuses a stop whose price has been reached already ("Error Codes", ORDER_WOULD_IMMEDIATELY_TRIGGER)."""


class Scene:
    """See the module."""

    def __init__(
        self,
        bounds: Bounds,
        uptime: Uptime,
        plans: Plans | None,
        names: Names,
        told: Mapping[str, Sequence[Window]] | None = None,
        unheard: Mapping[tuple[str, str], Sequence[Window]] | None = None,
    ) -> None:
        self.bounds, self.uptime, self.plans, self.names = bounds, uptime, plans, names
        self.outages = Outages(bounds.fault_window_s * NS_PER_S, told, unheard or {})
        self.books = Books()
        self.hooks = Hooks()
        self.holdings: dict[tuple[str, str, str], Holding] = {}
        self.seq = self.now_ns = 0
        self.open_requests: dict[int, Asked] = {}
        self.current: Asked | None = None
        self.filled: Callable[[Line], None] | None = None
        self._prices: dict[tuple[str, str], Line] = {}
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._grace_ns = bounds.trigger_grace_s * NS_PER_S
        self._takers: dict[str, Callable[[Line], None]] = {
            kind: getattr(self, f"_{kind}")
            for kind in ("request", "response", "order", "stop", "fill", "position", "fault", "price")
        }

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────────

    def take(self, line: Line) -> None:
        """Take a line in, after everything that fell due before it."""
        now_ns = line["t"]
        if self._timers and self._timers[0][0] <= now_ns:
            self._pass_time(now_ns)
        self.seq, self.now_ns = line["seq"], now_ns
        if self.filled is not None:
            filled, self.filled = self.filled, None
            filled(line)
        taker = self._takers.get(line["kind"])
        if taker is not None:
            taker(line)

    def end(self, judges: Sequence[Judge]) -> None:
        """The last line has been taken in: what is still naked counts up to here."""
        for holding in self.holdings.values():
            self._covered_again(holding)
        for judge in judges:
            judge.finish()

    def at(self, due_ns: int, call: Callable[[], None]) -> None:
        """Call at an instant, before any line of that instant or later; never, if the ledger ends before."""
        heapq.heappush(self._timers, (due_ns, next(self._numbers), call))

    def _pass_time(self, until_ns: int) -> None:
        while self._timers and self._timers[0][0] <= until_ns:
            due_ns, _, call = heapq.heappop(self._timers)
            self.now_ns = due_ns
            call()

    # ── requests, faults, prices ────────────────────────────────────────────────────────────────────────────

    def _request(self, line: Line) -> None:
        self.current = self.open_requests[line["id"]] = Asked(line, asked(line, self.names))
        for hear in self.hooks.request:
            hear(self.current)
        for ask in self.current.asks:
            if ask.what == PLACE:
                for hear in self.hooks.place:
                    hear(self.current, ask)

    def _response(self, line: Line) -> None:
        found = self.open_requests.pop(line["request"], None)
        if found is not None:
            for hear in self.hooks.response:
                hear(found, line)
            self._refused(found, line)
            self._passed(found, line)
        if found is self.current:
            self.current = None

    def _refused(self, found: Asked, line: Line) -> None:
        """An entry that was refused for sure has ended, and its sender knows."""
        for ask in found.asks:
            owner = ask.owner
            if owner is not None and owner.leg == ENTRY:
                names = [str(fault["name"]) for fault in found.faults]
                book = self.books.of(line["venue"], line["account"], owner, ask.symbol, ask.side)
                entry = book.entry(owner.sequence)
                if not entry.orders and is_refusal(line["venue"], line["status"], line["code"], names):
                    entry.known = True

    def _passed(self, found: Asked, line: Line) -> None:
        """A stop was refused because the price had passed it, and nothing else protects: a close has to follow."""
        if line["code"] != _PASSED or found.faults:
            return
        for ask in found.asks:
            holding = self.holding(line["venue"], line["account"], ask.symbol)
            episode = holding.judged
            if ask.owner is None or ask.owner.leg != STOP or episode is None or episode.position != ask.owner.position:
                continue
            if episode.naked_since_ns is not None:
                episode.passed.add(ask.client_id)

    def _fault(self, line: Line) -> None:
        self.outages.add(line)
        if self.current is not None:
            self.current.faults.append(line)

    def _price(self, line: Line) -> None:
        self._prices[line["venue"], line["symbol"]] = line
        for holding in self.holdings.values():
            if (holding.venue, holding.symbol) == (line["venue"], line["symbol"]):
                self._seen(holding)

    def _seen(self, holding: Holding) -> None:
        """Remember the best price that an open position has seen."""
        episode, price = holding.episode, self._prices.get((holding.venue, holding.symbol))
        if episode is not None and price is not None:
            last = Decimal(price["last"])
            best = last if episode.best is None else episode.best
            episode.best = max(best, last) if holding.quantity > ZERO else min(best, last)

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def _order(self, line: Line) -> None:
        holding = self.holding(line["venue"], line["account"], line["symbol"])
        order = holding.orders.get(line["id"])
        is_new = order is None
        if order is None:
            order = self._new_order(holding, line)
        else:
            order.quantity = Decimal(line["qty"])
        ended = line["status"] in FINAL
        if ended:
            del holding.orders[order.id]
            self._order_ended(holding, order, line["status"])
        for hear in self.hooks.order:
            hear(holding, order, line, is_new=is_new)
        if ended and (order.stop is not None or order.is_entry):
            self.watch(holding)

    def _new_order(self, holding: Holding, line: Line) -> Order:
        stop = _parent(holding, line) if line["created_by"] == "stop" else None
        client_id = line["client_id"]
        owner = self.names.owner(client_id) if stop is None else holding.owner_of(stop)
        reduces = line["reduce_only"] or line["close_position"]
        order = Order(
            line["id"], client_id, owner, line["side"], Decimal(line["qty"]), reduces, line["created_by"], stop
        )
        holding.orders[order.id] = order
        if order.is_entry and owner is not None:
            holding.entries_open += 1
            if holding.turned_ns is not None and self.now_ns - holding.turned_ns < self.bounds.crossing_ms * NS_PER_MS:
                holding.crossed |= _entries_against(holding)  # it was under way when that happened
            book = self.books.of(holding.venue, holding.account, owner, holding.symbol, order.side)
            book.largest = max(book.largest, order.quantity)
            entry = book.entry(owner.sequence)
            entry.orders, entry.order_id, entry.begun_seq, entry.known = entry.orders + 1, order.id, self.seq, False
        return order

    def _order_ended(self, holding: Holding, order: Order, status: str) -> None:
        if order.stop is not None:
            holding.stops.pop(order.stop.id, None)
        if order.is_entry and order.owner is not None:
            holding.entries_open -= 1
            book = self.books.of(holding.venue, holding.account, order.owner, holding.symbol, order.side)
            entry = book.entry(order.owner.sequence)
            entry.ended_seq, entry.known, entry.in_full = self.seq, True, status == "filled"

    # ── stops ───────────────────────────────────────────────────────────────────────────────────────────────

    def _stop(self, line: Line) -> None:
        holding = self.holding(line["venue"], line["account"], line["symbol"])
        stop, status = holding.stops.get(line["id"]), line["status"]
        is_new = stop is None
        if stop is None:
            if status == "finished":
                return
            stop = self._new_stop(holding, line)
        self._touch(holding, lost_one=status == "cancelled")
        stop.status = status
        if status in STOP_GONE:
            holding.stops.pop(stop.id, None)
            if self.current is None and status != "finished":
                holding.taken_ns = self.now_ns
        elif status == "untriggered":
            self._rests(holding, stop, line)
        elif stop.triggered_ns is None:
            self._fires(holding, stop)
        for hear in self.hooks.stop:
            hear(holding, stop, line, is_new=is_new)
        self.watch(holding)

    def _new_stop(self, holding: Holding, line: Line) -> Stop:
        trigger, quantity = Decimal(line["trigger_price"]), line["qty"]
        stop = Stop(
            id=line["id"],
            client_id=line["client_id"],
            owner=self.names.owner(line["client_id"]),
            side=line["side"],
            quantity=None if quantity is None else Decimal(quantity),
            trigger=trigger,
            falls=self._falls(holding, line, trigger),
            reduces=bool(line["reduce_only"] or line["attached"] or quantity is None),
            attached=bool(line["attached"]),
            status=line["status"],
        )
        holding.stops[stop.id] = stop
        return stop

    def _rests(self, holding: Holding, stop: Stop, line: Line) -> None:
        trigger, quantity = Decimal(line["trigger_price"]), line["qty"]
        if stop.attached and trigger != stop.trigger:
            stop.falls = self._falls(holding, line, trigger)
        stop.trigger = trigger
        stop.quantity = None if quantity is None else Decimal(quantity)

    def _fires(self, holding: Holding, stop: Stop) -> None:
        stop.triggered_ns = self.now_ns
        if holding.episode is not None:
            holding.episode.fired = True
        self.at(self.now_ns + self._grace_ns, lambda: self.watch(holding))

    def _falls(self, holding: Holding, line: Line, trigger: Decimal) -> bool:
        price = self._prices.get((holding.venue, holding.symbol))
        seen = None if price is None else Decimal(price["mark" if line["trigger_by"] == "mark" else "last"])
        entry_price = holding.entry_price if holding.quantity else ZERO
        return falls(line["side"], trigger, seen, entry_price, attached=bool(line["attached"]))

    def _touch(self, holding: Holding, *, lost_one: bool) -> None:
        """Remember how a position stood before the request under way touched its stops."""
        if self.current is None or holding.judged is None:
            return
        key = (holding.venue, holding.account, holding.symbol)
        before = self.current.touched.get(key)
        if before is None:
            episode = holding.judged
            settles = self._free_ns(holding, episode.opened_ns) < self.bounds.settling_s * NS_PER_S
            baseline = None if episode.opening or settles else episode.level
            before = Touched(episode, holding.level, baseline, episode.level_size)
            self.current.touched[key] = before
        before.lost_one = before.lost_one or lost_one

    def _free_ns(self, holding: Holding, since_ns: int) -> int:
        """How long the product has been up since then with nothing in its way that we were told of."""
        windows = self.outages.told_within(holding.venue, since_ns, self.now_ns)
        shut_ns = sum(self.uptime.overlap_ns(begin, end) for begin, end in windows)
        return self.uptime.overlap_ns(since_ns, self.now_ns) - shut_ns

    # ── fills and positions ─────────────────────────────────────────────────────────────────────────────────

    def _fill(self, line: Line) -> None:
        holding = self.holding(line["venue"], line["account"], line["symbol"])
        order = holding.orders.get(line["order"])
        quantity, before = Decimal(line["qty"]), holding.quantity
        after = before + quantity if line["side"] == "buy" else before - quantity
        if order is not None:
            order.filled += quantity
            if order.stop is not None:
                order.stop.filled += quantity
        if before and after * before <= ZERO:
            self._flat(holding)
        holding.quantity = after
        if order is None or order.owner is None:
            holding.crossed |= _entries_against(holding)
            if after * before <= ZERO:
                holding.turned_ns = self.now_ns
        if after and holding.episode is None:
            holding.episode, holding.level, holding.entry_price = Episode(self.now_ns), None, Decimal(line["price"])
            self._seen(holding)
        if order is not None and order.is_entry and order.owner is not None:
            self._entry_filled(holding, order, quantity)
        for hear in self.hooks.fill:
            hear(holding, order, line, before)
        self.watch(holding)

    def _entry_filled(self, holding: Holding, order: Order, quantity: Decimal) -> None:
        owner = order.owner
        if owner is None:
            return
        book = self.books.of(holding.venue, holding.account, owner, holding.symbol, order.side)
        book.filled += quantity
        book.entry(owner.sequence).filled += quantity
        if (episode := holding.episode) is not None:
            episode.position = owner.position if episode.position is None else episode.position
            episode.grown_ns = self.now_ns
            episode.passed.clear()

    def _flat(self, holding: Holding) -> None:
        episode = holding.episode
        if episode is None:
            return
        self._covered_again(holding)
        holding.episode, holding.level, holding.flat_since_ns = None, None, self.now_ns
        if self.current is not None:
            self.current.flat.add((holding.venue, holding.account, holding.symbol))
        if episode.position is not None:
            self.books.went_flat(holding, episode.position, self.seq)
        for hear in self.hooks.flat:
            hear(holding, episode)

    def _position(self, line: Line) -> None:
        holding = self.holding(line["venue"], line["account"], line["symbol"])
        for hear in self.hooks.position:
            hear(holding, line)
        told = Decimal(line["qty"])
        if told != holding.quantity:
            # The fills are judged already; from here on the venue is believed, so that one fault is told once.
            if holding.quantity and not told:
                self._flat(holding)
            holding.quantity = told
        holding.entry_price = Decimal(line["entry_price"])

    # ── protection ──────────────────────────────────────────────────────────────────────────────────────────

    def watch(self, holding: Holding) -> None:
        """Whether the position is covered now, and what follows from that."""
        episode = holding.judged
        if episode is None:
            return
        level = holding.level = level_of(holding, self.now_ns, self._grace_ns)
        if level is None:
            if episode.naked_since_ns is None:
                episode.naked_since_ns, episode.naked_by_stop = self.now_ns, episode.fired
                episode.naked_taken = holding.taken_ns == self.now_ns
                for hear in self.hooks.naked_begins:
                    hear(holding, episode)
            return
        self._covered_again(holding)
        over_ns = self.now_ns - self._grace_ns
        if all(stop.triggered_ns is None or stop.triggered_ns <= over_ns for stop in holding.stops.values()):
            episode.fired = False
        if not holding.entries_open:
            episode.opening = False
            # Where a stop has fired the market is: what is left can only be protected further away.
            episode.level = None if episode.fired else level
            episode.level_size = abs(holding.quantity)

    def _covered_again(self, holding: Holding) -> None:
        episode = holding.episode
        if episode is None or episode.naked_since_ns is None:
            return
        start_ns, end_ns = episode.naked_since_ns, self.now_ns
        episode.naked_since_ns = None
        if end_ns == start_ns:
            return
        naked = self._split(holding, episode, start_ns, end_ns)
        episode.up_ns += naked.up_ns
        episode.down_ns += naked.down_ns
        episode.fault_ns += naked.fault_ns
        if naked.by_stop:
            episode.stuck_up_ns += naked.up_ns
            episode.stuck_fault_ns += naked.fault_ns
        elif naked.taken:
            episode.taken_up_ns += naked.up_ns
        elif naked.down_ns:
            episode.blind_up_ns += naked.up_ns
        if naked.down_ns or self.outages.excuses(*holding.key, start_ns, end_ns):
            self._excuse(holding, episode)
        for hear in self.hooks.naked:
            hear(holding, episode, naked)

    def _excuse(self, holding: Holding, episode: Episode) -> None:
        """What was lost to a fault, or while down, is replaced as well as can be: perhaps further from the market."""
        episode.level = None
        if self.current is not None and holding.key in self.current.touched:
            self.current.touched[holding.key].baseline = None

    def _split(self, holding: Holding, episode: Episode, start_ns: int, end_ns: int) -> Naked:
        up_ns = self.uptime.overlap_ns(start_ns, end_ns)
        windows = self.outages.within(*holding.key, start_ns, end_ns)
        fault_ns = sum(self.uptime.overlap_ns(begin, end) for begin, end in windows)
        rest = (up_ns - fault_ns, end_ns - start_ns - up_ns, fault_ns)
        return Naked(start_ns, end_ns, *rest, episode.naked_by_stop, episode.naked_taken)

    def plan_of(self, holding: Holding, position: str) -> Plan | None:
        """What was planned for a position; None where nothing was told."""
        return None if self.plans is None else self.plans.get((holding.venue, holding.account, position))

    def holding(self, venue: str, account: str, symbol: str) -> Holding:
        """What is known of a market of an account."""
        key = (venue, account, symbol)
        if (found := self.holdings.get(key)) is None:
            found = self.holdings[key] = Holding(venue, account, symbol)
        return found


def _parent(holding: Holding, line: dict[str, Any]) -> Stop | None:
    """The stop that made an order: on Bybit it has the same id, elsewhere the same client id."""
    if (stop := holding.stops.get(line["id"])) is not None:
        return stop
    fired = [stop for stop in holding.stops.values() if stop.client_id == line["client_id"] and stop.triggered_ns]
    return fired[-1] if fired else None


def _entries_against(holding: Holding) -> set[str]:
    """The positions whose entry rests on the other side of what is held now: once it fills, it passes through zero."""
    against = "sell" if holding.quantity > ZERO else "buy" if holding.quantity < ZERO else ""
    resting = (order for order in holding.orders.values() if order.is_entry and order.side == against)
    return {order.owner.position for order in resting if order.owner is not None}
