"""A tiny venue that lies, forgets, repeats itself and is late, until it comes to its senses; and a world around it.

The world drives one position through `begin` and `advance`: it carries out commands against the venue and delivers
what the venue says, at random times, or not at all. It knows the truth, and checks the promises after every step.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

from attrs import define, evolve, field

from framework.core.guards import next_ask
from framework.core.happenings import (
    AwaitSilence,
    CancelEntry,
    CancelStop,
    CancelTarget,
    CloseAnswered,
    CloseWanted,
    Command,
    DeadlinePassed,
    EntryAnswered,
    EntryExpired,
    Filled,
    MoveStop,
    PlaceStop,
    PriceReached,
    ReadFailed,
    ReadVenue,
    SendClose,
    SendEntry,
    SilenceOver,
    StartDeadline,
    StopAnswered,
    StopChanged,
    VenueRead,
)
from framework.core.ids import GRAMMAR
from framework.core.legs import LegState
from framework.core.lifecycle import advance, begin
from framework.core.numbers import ZERO
from framework.core.orders import (
    CloseOrder,
    EntryOrder,
    Fill,
    OrderReport,
    OrderStatus,
    Refusal,
    StopOrder,
    StopReport,
    Unknown,
    VenuePosition,
)
from framework.core.position import Position, State
from framework.core.protection import NoState, tighter
from framework.core.restart import taken_over
from framework.core.signal import OrderSide, Side
from framework.core.steering import SECOND_NS, Policy, Step, look_at
from framework.core.watch import is_due
from framework.engine.snapshot import freeze, thaw
from framework.testing import NOW_NS, SYMBOL
from tests.core.strategies import Best, plan, within_share
from tests.core.venue_ends import check_end
from tests.core.venue_faults import Faults
from tests.core.venue_shown import Order, Shown, Stop

D = Decimal
MS = 1_000_000
STEP = D("0.1")

MOST_REQUESTS = 300
"""No life of a minute among faults needs more: what never ends is found."""

LONGEST_NAKED_NS = 45 * SECOND_NS
"""Once the venue is honest: a close that was refused often waits up to half a minute before the next try."""


@define
class World:
    """One position, one venue, one seed. `run` ends when nothing more will happen."""

    policy: Policy
    random: Random
    faults: Faults
    side: Side = Side.LONG
    now_ns: int = NOW_NS
    price: Decimal = D(100)
    shown: Shown = Shown()
    history: list[tuple[int, Shown]] = field(factory=list)
    queue: list[tuple[int, int, Callable[[], None]]] = field(factory=list)
    number: itertools.count[int] = field(factory=itertools.count)
    in_flight: set[str] = field(factory=set)
    sent: list[str] = field(factory=list)
    uncertain: bool = False
    strangers_were_here: bool = False
    stranger_held: Decimal = ZERO
    honest: bool = False
    honest_ns: int | None = None
    naked_since_ns: int | None = None
    epoch: int = 0
    reached: Decimal = D(100)
    trace: list[str] = field(factory=list)
    it: Position = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.history.append((self.now_ns, self.shown))
        self._take(begin(plan(self.side), "wave", self.policy, self.now_ns))

    # ── running ─────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Chaos for a while, then an honest venue and a stream that came back, until nothing is left to do."""
        chaos_ns = self.now_ns + self.random.randint(5, 60) * SECOND_NS
        self._later(0, self._market)
        while self.queue and self.queue[0][0] < chaos_ns:
            self._next()
        self.now_ns = max(self.now_ns, chaos_ns)
        self.honest, self.honest_ns = True, self.now_ns
        self._dispatch(look_at(self.it), self.epoch)
        end_ns = chaos_ns + 1200 * SECOND_NS
        while self.queue and self.queue[0][0] < end_ns:
            self._next()

    def _next(self) -> None:
        at_ns, _, action = heapq.heappop(self.queue)
        self.now_ns = max(self.now_ns, at_ns)
        action()

    def _later(self, delay_ns: int, action: Callable[[], None]) -> None:
        heapq.heappush(self.queue, (self.now_ns + max(0, delay_ns), next(self.number), action))

    def _chance(self, percent: int) -> bool:
        return not self.honest and self.random.randrange(100) < percent

    def _delay(self) -> int:
        if self.honest:
            return 20 * MS
        slow_ms = self.faults.slow_s * 1000
        return self.random.choice((1, 5, 20, 100, slow_ms)) * MS

    def _happens(self, happening: Any, epoch: int) -> None:
        if epoch != self.epoch:  # said to a process that is not there any more
            return
        self.trace.append(f"{(self.now_ns - NOW_NS) / 1e9:9.3f} {self.it.state.value:12} {happening}")
        if isinstance(happening, PriceReached):
            self.reached = happening.price
        self._take(advance(self.it, happening, self.policy, self.now_ns))

    def _take(self, step: Step) -> None:
        before = getattr(self, "it", None)
        self.it, commands = step
        for command in commands:
            self.trace.append(f"{'':10}{self.it.state.value:12}   > {command}")
        self._check_step(before, commands)
        self._dispatch(commands, self.epoch)

    # ── the market and its strangers ────────────────────────────────────────────────────────────────────────

    def _market(self) -> None:
        self._move_price()
        if self._chance(self.faults.strangers):
            self._stranger()
        if self._chance(self.faults.wishes):
            self._happens(CloseWanted("operator"), self.epoch)
        if self._chance(self.faults.restarts) and not self.it.state.is_final:
            self._restart()
        if not self.honest:
            self._later(self.random.choice((100, 500, 2000)) * MS, self._market)

    def _move_price(self) -> None:
        self.price += self.random.choice((D(-3), D(-1), D("-0.5"), ZERO, D("0.5"), D(1), D(3)))
        self.price = max(D(50), min(D(200), self.price))
        self._trigger_stops()
        for order in self.shown.orders:
            if order.price is None or order.status.is_final:
                continue
            if order.reduces:
                self._fill_target(order.client_id)
            elif self._chance(50):
                self._fill_entry(order.client_id)
        if not self.it.state.is_final and is_due(next_ask(self.it), self.price, self.now_ns):
            epoch = self.epoch
            happening = PriceReached(self.price, self.now_ns)
            self._later(MS, lambda: None if self.it.state.is_final else self._happens(happening, epoch))

    def _trigger_stops(self) -> None:
        for stop in self.shown.stops:
            crossed = (self.price - stop.trigger) * self.side.sign <= 0
            if not crossed or stop not in self.shown.stops:
                continue
            self._show(stops=tuple(s for s in self.shown.stops if s != stop))
            self._tell(StopChanged(StopReport(stop.client_id, SYMBOL, live=False, reason="triggered")))
            if self._chance(self.faults.refused):  # it fires, and is rejected
                continue
            quantity = self.shown.held if stop.attached else min(stop.quantity, self.shown.held)
            if self._chance(self.faults.partial):
                quantity = self._part(quantity)
            client_id = "" if stop.attached else stop.client_id
            self._execute(client_id, self.side.exit, quantity, cause="stop")

    def _stranger(self) -> None:
        """Somebody trades by hand: reduces, closes, adds, turns the position round and back, or cancels a stop."""
        deed = self.random.choice(("reduce", "close", "add", "turn", "cancel-stop"))
        self.strangers_were_here = True
        if deed == "cancel-stop" and self.shown.stops:
            stop = self.random.choice(self.shown.stops)
            self._show(stops=tuple(s for s in self.shown.stops if s != stop))
            self._tell(StopChanged(StopReport(stop.client_id, SYMBOL, live=False, reason="cancelled")))
        elif deed == "reduce" and self.shown.held > STEP:
            self._execute("", self.side.exit, self._part(self.shown.held))
        elif deed == "close" and self.shown.held > ZERO:
            self._execute("", self.side.exit, self.shown.held)
        elif deed == "add" and self.shown.held > ZERO:
            self.stranger_held += D("0.5")
            self._execute("", self.side.entry, D("0.5"))
        elif deed == "turn" and self.shown.held > ZERO:
            self.stranger_held += D("0.5")
            self._execute("", self.side.exit, self.shown.held + D("0.5"), through_zero=True)
        elif self.shown.held < ZERO:
            self._execute("", self.side.entry, -self.shown.held)

    def _restart(self) -> None:
        self.epoch += 1
        self.in_flight.clear()
        self.trace.append("--- restart ---")
        states = {"fixed": NoState, "trailer": Best}
        thawed = thaw(freeze(self.it), states)
        assert freeze(thawed) == freeze(self.it)
        if any(leg.state in (LegState.SENT, LegState.CANCELLING) for leg in thawed.entries):
            self.uncertain = True
        self._take(taken_over(thawed, self.policy))

    # ── what the venue does ─────────────────────────────────────────────────────────────────────────────────

    def _show(self, **changes: Any) -> None:
        self.shown = evolve(self.shown, **changes)
        self.history.append((self.now_ns, self.shown))
        naked = self.shown.held > ZERO and not self.covered()
        if naked and self.naked_since_ns is None:
            self.naked_since_ns = self.now_ns
        elif not naked and self.naked_since_ns is not None:
            naked_ns = self.now_ns - max(self.naked_since_ns, self.honest_ns or self.now_ns)
            assert naked_ns <= LONGEST_NAKED_NS or self.strangers_were_here, f"naked for {naked_ns / SECOND_NS} s"
            self.naked_since_ns = None

    def covered(self) -> bool:
        return any(stop.attached or stop.quantity >= self.shown.held for stop in self.shown.stops)

    def _part(self, quantity: Decimal) -> Decimal:
        pieces = int(quantity / STEP)
        return STEP * self.random.randint(1, max(1, pieces - 1))

    def _execute(
        self, client_id: str, side: OrderSide, quantity: Decimal, cause: str = "order", *, through_zero: bool = False
    ) -> None:
        """An execution: the position changes, attached stops go with it, the stream may tell. Exits only reduce."""
        opens = side is self.side.entry
        quantity = quantity if opens or through_zero else min(quantity, self.shown.held)
        if quantity <= ZERO:
            return
        held = self.shown.held + quantity if opens else self.shown.held - quantity
        fill = Fill(
            f"f{len(self.shown.fills)}", f"o-{client_id}", client_id, SYMBOL, side, quantity, self.price,
            D("0.01"), self.now_ns, cause,
        )  # fmt: skip
        stops = self.shown.stops if held > ZERO else tuple(s for s in self.shown.stops if not s.attached)
        self._show(held=held, average=self.price, stops=stops, fills=(*self.shown.fills, fill))
        if not self.strangers_were_here:
            assert held <= D(1), f"the position grew to {held}"
        self._tell(Filled(fill))

    def _order(self, client_id: str) -> Order | None:
        return next((o for o in self.shown.orders if o.client_id == client_id), None)

    def _keep_order(self, order: Order) -> None:
        others = tuple(o for o in self.shown.orders if o.client_id != order.client_id)
        self._show(orders=(*others, order))

    def _fill_entry(self, client_id: str, *, whole: bool = False) -> None:
        order = self._order(client_id)
        if order is None or order.status.is_final:
            return
        rest = order.quantity - order.filled
        quantity = self._part(rest) if not whole and self._chance(self.faults.partial) else rest
        done = quantity == rest
        status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
        self._keep_order(evolve(order, status=status, filled=order.filled + quantity, average=self.price))
        self._execute(client_id, self.side.entry, quantity)
        now = self._order(client_id)
        assert now is not None
        self._tell(EntryAnswered(client_id, now.report()))

    def _entry_lands(self, order: EntryOrder) -> OrderReport | Refusal:
        assert self._order(order.client_id) is None, "an entry landed twice"
        if self._chance(self.faults.refused):
            return Refusal("no", "insufficient margin")
        self._keep_order(Order(order.client_id, order.quantity, order.price, reduces=False))
        if order.stop is not None:
            stop = order.stop
            others = (s for s in self.shown.stops if not s.attached)
            attached = Stop(stop.client_id, stop.trigger_price, stop.quantity, True)
            self._show(stops=(*others, attached))
            if self._chance(30):
                self._tell(StopChanged(attached.report()))
        if order.price is None:
            if self._chance(30):  # acknowledged first, executed a moment later
                self._later(self._delay(), lambda: self._market_entry(order.client_id))
            else:
                self._market_entry(order.client_id)
        landed = self._order(order.client_id)
        assert landed is not None
        return landed.report()

    def _market_entry(self, client_id: str) -> None:
        """A market order fills at once; what is not filled is cancelled."""
        self._fill_entry(client_id)
        order = self._order(client_id)
        if order is not None and not order.status.is_final:
            self._keep_order(evolve(order, status=OrderStatus.CANCELLED))
            self._tell(EntryAnswered(client_id, evolve(order, status=OrderStatus.CANCELLED).report()))

    def _cancel_lands(self, client_id: str) -> OrderReport | Refusal:
        order = self._order(client_id)
        if order is None or order.status.is_final:
            return Refusal("-2011", "unknown order")
        order = evolve(order, status=OrderStatus.CANCELLED)
        self._keep_order(order)
        if self.shown.held <= ZERO:  # its attached stop goes with it
            self._show(stops=tuple(s for s in self.shown.stops if not s.attached))
        return order.report()

    def _stop_lands(self, order: StopOrder) -> StopReport | Refusal:
        if self._chance(self.faults.refused):
            return self._silenced() or Refusal("busy", "not now", for_good=self.random.random() < 0.3)
        if (self.price - order.trigger_price) * self.side.sign <= 0:
            return Refusal("-2021", "would immediately trigger", crossed=True)
        if self.shown.held <= ZERO:
            return Refusal("-4509", "no position", for_good=False)
        stop = Stop(order.client_id, order.trigger_price, order.quantity, order.attached)
        others = (s for s in self.shown.stops if s.client_id != order.client_id and not (s.attached and order.attached))
        self._show(stops=(*others, stop))
        return stop.report()

    def _move_lands(self, order: StopOrder) -> StopReport | Refusal:
        if not any(s.client_id == order.client_id for s in self.shown.stops):
            return Refusal("gone", "no such stop")
        return self._stop_lands(order)

    def _stop_cancel_lands(self, client_id: str, *, sent_to_an_honest_venue: bool) -> StopReport | Refusal:
        if self._chance(self.faults.refused):
            return Refusal("busy", "not now")
        rest = tuple(s for s in self.shown.stops if s.client_id != client_id)
        certain = sent_to_an_honest_venue and not self.strangers_were_here
        if self.shown.held > ZERO and rest != self.shown.stops and certain:
            assert any(s.attached or s.quantity >= self.shown.held for s in rest), "the last stop was cancelled"
        self._show(stops=rest)
        return StopReport(client_id, SYMBOL, live=False, reason="cancelled")

    def _close_lands(self, order: CloseOrder) -> OrderReport | Refusal:
        if self._chance(self.faults.refused):
            return self._silenced() or Refusal("busy", "not now", for_good=False)
        if self.shown.held <= ZERO:
            return Refusal("-2022", "reduce-only order is rejected")
        quantity = min(order.quantity, self.shown.held - self._resting())
        if quantity <= ZERO:
            return Refusal("-2022", "reduce-only order is rejected", for_good=False)
        filled = self._part(quantity) if self._chance(self.faults.partial) else quantity
        status = OrderStatus.FILLED if filled == order.quantity else OrderStatus.EXPIRED
        made = Order(order.client_id, order.quantity, None, True, status, filled, self.price)
        self._keep_order(made)
        self._execute(order.client_id, self.side.exit, filled)
        if self._chance(20):  # only acknowledged; the stream tells the rest
            self._tell(CloseAnswered(order.client_id, made.report()))
            return evolve(made, status=OrderStatus.NEW, filled=ZERO, average=None).report()
        return made.report()

    def _target_lands(self, order: CloseOrder) -> OrderReport | Refusal:
        """A limit order that reduces: it rests, beside others for no more than what is held, or fills at once."""
        if self._chance(self.faults.refused):
            return self._silenced() or Refusal("busy", "not now", for_good=self.random.random() < 0.3)
        if self.shown.held - self._resting() < order.quantity:
            return Refusal("-2022", "reduce-only order is rejected", for_good=False)
        self._keep_order(Order(order.client_id, order.quantity, order.price, reduces=True))
        if self._chance(20):
            self._cancel_lands(order.client_id)  # the venue lets it expire
            self._tell(CloseAnswered(order.client_id, self._known_order(order.client_id).report()))
        self._fill_target(order.client_id)
        return self._known_order(order.client_id).report()

    def _fill_target(self, client_id: str) -> None:
        """What rests is filled where the price has come to it, perhaps in part."""
        order = self._known_order(client_id)
        if order.status.is_final or order.price is None or (self.price - order.price) * self.side.sign < 0:
            return
        rest = min(order.quantity - order.filled, self.shown.held)
        quantity = self._part(rest) if self._chance(self.faults.partial) else rest
        done = order.filled + quantity == order.quantity
        status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
        self._keep_order(evolve(order, status=status, filled=order.filled + quantity, average=self.price))
        self._execute(client_id, self.side.exit, quantity)
        self._tell(CloseAnswered(client_id, self._known_order(client_id).report()))

    def _resting(self) -> Decimal:
        """What orders that reduce may still fill."""
        return sum((o.quantity - o.filled for o in self.shown.orders if o.reduces and not o.status.is_final), ZERO)

    def _known_order(self, client_id: str) -> Order:
        order = self._order(client_id)
        assert order is not None
        return order

    def _silenced(self) -> Refusal | None:
        """Perhaps it was not sent at all, because the venue wants silence."""
        if not self._chance(40):
            return None
        return Refusal("budget", "silent", for_good=False, silent_ns=self.random.randint(1, 9) * SECOND_NS)

    # ── between the position and the venue ──────────────────────────────────────────────────────────────────

    def _tell(self, happening: Any) -> None:
        """The venue's stream: perhaps lost, repeated, late."""
        if self._chance(self.faults.lost):
            return
        for _ in range(2 if self._chance(self.faults.repeated) else 1):
            self._later(self._delay(), lambda: self._say(happening))

    def _say(self, happening: Any) -> None:
        self._happens(happening, self.epoch)

    def _request(self, land: Callable[[], Any], answered: Callable[[Any], None], latest_s: int = 9) -> None:
        """Send something: answered, or unknown: carried out in time, too late, or never."""
        epoch = self.epoch

        def say(answer: Any) -> None:
            if epoch == self.epoch:
                answered(answer)

        def arrive() -> None:
            answer = land()
            self._later(self._delay(), lambda: say(answer))

        if not self._chance(self.faults.unknown):
            self._later(self._delay(), arrive)
            return
        if self.random.random() < 0.6:
            late_ms = self.random.choice((5, 500, 9000, latest_s * 1000))
            self._later(late_ms * MS, lambda: _only(land()))
        self._later(self._delay(), lambda: say(Unknown("timeout")))

    def _dispatch(self, commands: tuple[Command, ...], epoch: int) -> None:
        for command in commands:
            match command:
                case SendEntry(order, cancel_after_ns):
                    self._send_entry(order, cancel_after_ns, epoch)
                case CancelEntry(client_id):
                    self._request(
                        lambda i=client_id: self._cancel_lands(i),  # type: ignore[misc]
                        lambda a, i=client_id: self._entry_answer(i, a, epoch),  # type: ignore[misc]
                    )
                case PlaceStop(order):
                    self._request(
                        lambda o=order: self._stop_lands(o),  # type: ignore[misc]
                        lambda a, o=order: self._happens(StopAnswered(o.client_id, a), epoch),  # type: ignore[misc]
                    )
                case MoveStop(order):
                    self._request(
                        lambda o=order: self._move_lands(o),  # type: ignore[misc]
                        lambda a, o=order: self._happens(StopAnswered(o.client_id, a), epoch),  # type: ignore[misc]
                    )
                case CancelStop(client_id):
                    self._request(
                        lambda i=client_id, h=self.honest: self._stop_cancel_lands(i, sent_to_an_honest_venue=h),  # type: ignore[misc]
                        lambda a, i=client_id: self._happens(StopAnswered(i, a, cancelling=True), epoch),  # type: ignore[misc]
                    )
                case SendClose(order):
                    lands = self._close_lands if order.price is None else self._target_lands
                    self._request(
                        lambda o=order, f=lands: f(o),  # type: ignore[misc]
                        lambda a, o=order: self._happens(CloseAnswered(o.client_id, a), epoch),  # type: ignore[misc]
                    )
                case CancelTarget(client_id):
                    self._request(
                        lambda i=client_id: self._cancel_lands(i),  # type: ignore[misc]
                        lambda a, i=client_id: self._happens(CloseAnswered(i, a, cancelling=True), epoch),  # type: ignore[misc]
                    )
                case ReadVenue(delay_ns, orders):
                    self._later(delay_ns, lambda o=orders: self._read(o, epoch))  # type: ignore[misc]
                case StartDeadline(delay_ns):
                    early = self.random.choice((0, 0, 7))
                    self._later(delay_ns - early, lambda: self._happens(DeadlinePassed(), epoch))
                case AwaitSilence(delay_ns):
                    self._later(delay_ns, lambda: self._happens(SilenceOver(), epoch))

    def _send_entry(self, order: EntryOrder, cancel_after_ns: int | None, epoch: int) -> None:
        self.in_flight.add(order.client_id)

        def answered(answer: Any) -> None:
            self.in_flight.discard(order.client_id)
            self._entry_answer(order.client_id, answer, epoch)
            if isinstance(answer, OrderReport) and not answer.status.is_final and cancel_after_ns is not None:
                self._later(cancel_after_ns, lambda: self._happens(EntryExpired(order.client_id), epoch))

        self._request(lambda: self._entry_lands(order), answered, latest_s=self.faults.very_late_s or 9)

    def _entry_answer(self, client_id: str, answer: Any, epoch: int) -> None:
        if isinstance(answer, Unknown):
            self.uncertain = True
        self._happens(EntryAnswered(client_id, answer), epoch)

    def _read(self, orders: tuple[str, ...], epoch: int) -> None:
        """Several requests one after another, each of them answered with what the venue knew a while ago."""
        if self._chance(self.faults.failed_reads):
            self._later(self._delay(), lambda: self._happens(ReadFailed("timeout"), epoch))
            return
        parts: dict[str, Any] = {}

        def ask(name: str) -> None:
            parts[name] = self._known()

        total = 0
        for name in ("orders", "stops", "position", "fills"):
            total += self._delay()
            self._later(total, lambda n=name: ask(n))  # type: ignore[misc]
        self._later(total + self._delay(), lambda: self._read_done(orders, parts, epoch))

    def _known(self) -> Shown:
        late_s = 0 if self.honest else self.random.choice((0, 0, self.faults.late_reads_s))
        at_ns = self.now_ns - late_s * SECOND_NS
        return next((shown for time_ns, shown in reversed(self.history) if time_ns <= at_ns), Shown())

    def _read_done(self, orders: tuple[str, ...], parts: dict[str, Shown], epoch: int) -> None:
        known = {o.client_id: o.report() for o in parts["orders"].orders}
        seen = parts["position"]
        position = VenuePosition(SYMBOL, seen.held * self.side.sign, seen.average) if seen.held else None
        read = VenueRead(
            self.now_ns,
            position,
            tuple(s.report() for s in parts["stops"].stops if not s.attached or parts["stops"].held > ZERO),
            {identifier: known.get(identifier) for identifier in orders},
            parts["fills"].fills,
        )
        self._happens(read, epoch)

    # ── the promises ────────────────────────────────────────────────────────────────────────────────────────

    def _check_step(self, before: Position | None, commands: tuple[Command, ...]) -> None:
        for command in commands:
            match command:
                case SendEntry(order, _):
                    assert GRAMMAR.fullmatch(order.client_id)
                    assert order.client_id not in self.sent, "an entry was sent twice"
                    assert not self.in_flight, "two entries in flight"
                    assert not self.uncertain, "an entry after one of unknown outcome"
                    assert order.side is self.side.entry
                    self.sent.append(order.client_id)
                case SendClose(order):
                    assert order.side is self.side.exit
                    assert order.client_id not in self.sent
                    assert ZERO < order.quantity <= max(D(1), self.it.entered)
                    if self.it.state in (State.PROTECTED, State.UNPROTECTED) and not self.strangers_were_here:
                        assert within_share(self.it, order, self.reached, self.shown), "a part was taken twice"
                    self.sent.append(order.client_id)
                case PlaceStop(order) | MoveStop(order):
                    assert order.side is self.side.exit
                    assert order.quantity > ZERO
                    assert order.quantity <= D(1) or self.strangers_were_here
                    assert isinstance(command, MoveStop) or order.client_id not in self.sent
                    self.sent.append(order.client_id)
                case CancelStop(client_id) if not self.it.state.is_final:
                    live = self.it.live_stop
                    assert live is not None, "a stop was cancelled while none protects"
                    assert live.client_id != client_id, "the stop that protects was cancelled"
        assert len(self.sent) < MOST_REQUESTS, "the venue is flooded"
        if before is not None and before.initial_stop is not None:
            assert not tighter(self.side, before.wanted_stop, self.it.wanted_stop), "the wanted stop was loosened"

    def check_end(self) -> None:
        """Once the venue has been honest for long: protected, or flat with nothing of ours left."""
        check_end(self)


def _only(_answer: Any) -> None:
    """The answer is lost."""
