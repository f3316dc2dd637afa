"""One position on its way along prices, protected by the rules that run live: what rests acts, then they are asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from attrs import define, evolve, field, frozen

from ..core import watch as live
from ..core.numbers import ceil_to, floor_to, unit
from ..core.plan import wrong_side
from ..core.protection import Holding, Target, beyond_limit, named, on_tick
from ..core.signal import Side
from ..core.watch import Close, Protector, Watch, is_due, next_ask

ZERO, ONE, INFINITY = Decimal(0), Decimal(1), Decimal("Infinity")
NEVER_NS = 1 << 63


@frozen
class WalkExit:
    """Where all that was open has been closed. `index` is that of the tick or candle, `reason` the component's name."""

    index: int
    price: Decimal
    reason: str


@frozen
class WalkTake:
    """A part that was closed in profit. `share` is a fraction of all that was entered."""

    index: int
    price: Decimal
    share: Decimal
    reason: str


@frozen
class Walk:
    """What became of a position. `stops` has the stop after each tick or candle, None where there is none.

    At the tick of the exit it is the stop that was in force; afterwards there is none. `first_stop` is the one at the
    entry, before any tick. `exit` is None while anything is open; `takes` are the parts that were closed on the way.
    """

    stops: list[Decimal | None]
    exit: WalkExit | None
    takes: list[WalkTake] = field(factory=list)
    first_stop: Decimal | None = None


@define
class Walker:
    """Goes along candles; a tick is a candle of one price."""

    holding: Holding
    watch: Watch
    _protections: Sequence[Protector]
    _reasons: dict[str, str]
    _trims: bool
    _close: Close | None
    _first_stop: Decimal | None
    _open: Decimal = ONE
    _stops: list[Decimal | None] = field(factory=list, init=False)
    _takes: list[WalkTake] = field(factory=list, init=False)
    _done: dict[str, int] = field(factory=dict, init=False)
    _exit: WalkExit | None = field(default=None, init=False)
    _low: Decimal = field(default=ZERO, init=False)
    _high: Decimal = field(default=ZERO, init=False)
    _at_ns: int = field(default=0, init=False)

    @classmethod
    def begun(cls, holding: Holding, components: Sequence[Any], *, trims: bool) -> Walker:
        """A position that has just been opened. Raises `ValueError` when no plan would be made with its first stop."""
        protections: list[Any] = named(components)
        watched = live.begin(holding, protections, {})
        if watched.failures:
            raise ValueError("; ".join(watched.failures))
        watch = watched.watch
        if watch.stop is not None and wrong_side(holding.side, watch.stop, holding.entry_price):
            raise ValueError(
                f"{watch.stop_by} wants a stop at {watch.stop} for a {holding.side.value} at {holding.entry_price}, "
                "which acts at once: no plan is made with it"
            )
        beyond = None if watch.stop is None else beyond_limit(holding.side, watch.stop, watch.guards)
        if beyond is not None:
            raise ValueError(f"the stop at {watch.stop} lies beyond {beyond[1]}, the limit of {beyond[0]}")
        reasons = {each.name: component.name for each, component in zip(protections, components, strict=True)}
        walker = cls(holding, watch, protections, reasons, trims, watched.close, watch.stop)
        walker._look_ahead()
        return walker

    @property
    def exited(self) -> WalkExit | None:
        """The exit, once all is closed."""
        return self._exit

    def result(self) -> Walk:
        """What has become of it so far."""
        return Walk(
            [self._shown(stop) for stop in self._stops], self._exit, list(self._takes), self._shown(self._first_stop)
        )

    def candle(self, index: int, time_ns: int, points: tuple[Decimal, ...]) -> None:
        """Go through the prices of one candle, in their order."""
        if self._exit is not None:
            self._stops.append(None)
            return
        if time_ns >= self._at_ns or min(points) <= self._low or max(points) >= self._high:
            self._pass(_Spot(index, time_ns), points)
        self._stops.append(self.watch.stop)

    def _pass(self, spot: _Spot, points: tuple[Decimal, ...]) -> None:
        before: Decimal | None = None
        for price in points:
            for event in self._at(price) if before is None else self._between(spot, before, price):
                if self._exit is None:
                    self._act(spot, event)
            if self._exit is None:
                self._ask(spot, price)
            before = price

    # ── what happens at a price ─────────────────────────────────────────────────────────────────────────────

    def _at(self, price: Decimal) -> list[_Event]:
        """What a first price brings about: everything that it has reached acts at this price."""
        if self._close is not None:
            return [_Event(price, self._close.component)]
        return [evolve(event, price=price) for event in self._resting(price)]

    def _between(self, spot: _Spot, before: Decimal, price: Decimal) -> list[_Event]:
        """What happens on the way from one price to another, each at its own price, in the order of the way."""
        events = [*self._resting(price), *self._closes(spot, before, price)]
        return sorted(events, key=lambda event: abs(event.price - before))

    def _resting(self, price: Decimal) -> Iterator[_Event]:
        """What rests and is reached: the stop, else the targets, nearest first."""
        side, stop = self.holding.side, self.watch.stop
        if stop is not None and wrong_side(side, stop, price):
            yield _Event(stop, self.watch.stop_by)
        targets = sorted(self._targets(), key=lambda each: each[1].price * side.sign)
        for name, target in targets:
            if (price - target.price) * side.sign >= 0:
                yield _Event(target.price, name, target.share)

    def _closes(self, spot: _Spot, before: Decimal, price: Decimal) -> Iterator[_Event]:
        """The protections that want it closed at the level that they asked for, reached on the way."""
        tick = self.holding.rules.tick_size
        for protection in self._protections:
            guard = self.watch.guards[protection.name]
            above, below = guard.ask.above, guard.ask.below
            if above is not None and before < above <= price:
                at = min(ceil_to(above, tick), price)
            elif below is not None and price <= below < before:
                at = max(floor_to(below, tick), price)
            else:
                continue
            if protection.on_price(self.holding, guard.state, at, spot.time_ns).close is not None:
                yield _Event(at, protection.name)

    def _targets(self) -> Iterator[tuple[str, Target]]:
        for name, guard in self.watch.guards.items():
            for target in guard.targets[self._done.get(name, 0) :]:
                yield name, evolve(target, price=on_tick(self.holding.rules, target.price))

    # ── what comes of it ────────────────────────────────────────────────────────────────────────────────────

    def _act(self, spot: _Spot, event: _Event) -> None:
        reason = self._reasons[event.name]
        if event.share is not None:
            share = min(event.share, self._open)
            self._open -= share
            self._done[event.name] = self._done.get(event.name, 0) + 1
            self._takes.append(WalkTake(spot.index, self._bare(event.price), share, reason))
            self._look_ahead()
            if self._open > 0:
                return
        self._exit = WalkExit(spot.index, self._bare(event.price), reason)

    def _ask(self, spot: _Spot, price: Decimal) -> None:
        if not is_due(next_ask(self.watch.guards.values()), price, spot.time_ns):
            return
        watched = live.ask(self.watch, self.holding, self._protections, price, spot.time_ns)
        if watched.failures:
            raise ValueError("; ".join(watched.failures))
        self.watch = watched.watch
        self._look_ahead()
        if watched.close is not None:
            self._act(spot, _Event(price, watched.close.component))

    def _look_ahead(self) -> None:
        """Note between which prices, and until when, nothing can happen."""
        ask = next_ask(self.watch.guards.values())
        lows = [ZERO if ask.below is None else ask.below]
        highs = [INFINITY if ask.above is None else ask.above]
        losing, winning = (lows, highs) if self.holding.side is Side.LONG else (highs, lows)
        if self.watch.stop is not None:
            losing.append(self.watch.stop)
        winning.extend(target.price for _, target in self._targets())
        self._low, self._high = max(lows), min(highs)
        self._at_ns = NEVER_NS if ask.at_ns is None else ask.at_ns
        if self._close is not None:
            self._at_ns = 0

    def _shown(self, stop: Decimal | None) -> Decimal | None:
        return None if stop is None else self._bare(stop)

    def _bare(self, price: Decimal) -> Decimal:
        return unit(price) if self._trims else price


@frozen
class _Spot:
    """Where the walk is."""

    index: int
    time_ns: int


@frozen
class _Event:
    """A close at a price because of a protection: of all that is open, or of a share."""

    price: Decimal
    name: str
    share: Decimal | None = None
