"""The protection `trailing-stop`."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any, ClassVar

from attrs import evolve, field, frozen

from framework import (
    Ask,
    Guard,
    Holding,
    MarketSnapshot,
    Need,
    Percent,
    PriceSource,
    Side,
    Signal,
    nearest_to,
    not_negative,
    positive,
)

from .atr import Atr
from .pacing import Pace
from .settings import below_hundred, require_activation, require_distance

_ONE = Decimal(1)
_UP = Context(prec=28, rounding=ROUND_CEILING)
_DOWN = Context(prec=28, rounding=ROUND_FLOOR)


@frozen
class Trail:
    """The state: whether the activation price was reached, and the price that the stop was last set from.

    Before the activation `best` is the entry price and `stop`, which is unrounded, None. `level` is the nearest price
    at which `stop` changes; None when no price can change it. With a minimum interval `placed` is the stop that was
    given out last, unrounded, at `placed_ns`: `stop` may be ahead of it.
    """

    activated: bool
    best: Decimal
    stop: Decimal | None
    level: Decimal | None
    placed: Decimal | None = None
    placed_ns: int | None = None


@frozen
class _Distance:
    """How far the stop stays behind the best price: a share of that price, or an amount in USD."""

    percent: Percent | None
    amount: Decimal

    def stop_for(self, side: Side, best: Decimal) -> Decimal:
        away = self.amount if self.percent is None else self.percent.of(best)
        return best - side.sign * away

    def best_for(self, side: Side, stop: Decimal) -> Decimal:
        """The price whose stop is at `stop`; the last digit is rounded in the position's favour."""
        if self.percent is None:
            return stop + side.sign * self.amount
        share = _ONE - side.sign * self.percent.of(_ONE)
        return (_UP if side is Side.LONG else _DOWN).divide(stop, share)


@frozen
class TrailingStop:
    """Let the stop follow the price at a distance once the position is in profit, and never give way.

    The stop is armed when the price reaches `activation_percent` beyond the entry price (0: at once). From then on it
    is set at `distance_percent` of the best price, or `distance_price` away from it, or `distance_atr`, a multiple of
    the average true range before the entry. It moves when it improves by at least `min_improvement_ticks`, and by at
    least `step_percent` of its own price. Set exactly one of the three distances. A signal's activation and
    distance win where the deployment lets signals set `trailing`.

    At the venue it moves at most once in `min_interval_s`, unless the move is `urgent_percent` of its own price or
    more. A price that meets the stop that waits to be placed closes the position at once.
    """

    name: ClassVar[str] = "trailing-stop"
    state_type: ClassVar[type] = Trail

    distance_percent: Percent | None = field(default=None, validator=[positive, below_hundred])
    distance_price: Decimal | None = field(default=None, validator=positive)
    activation_percent: Percent = field(default=Percent(Decimal(0)), validator=[not_negative, below_hundred])
    step_percent: Percent = field(default=Percent(Decimal(0)), validator=[not_negative, below_hundred])
    min_improvement_ticks: int = field(default=1, validator=positive)
    min_interval_s: int = field(default=0, validator=not_negative)
    urgent_percent: Percent | None = field(default=None, validator=[positive, below_hundred])
    trigger: PriceSource = PriceSource.LAST
    distance_atr: Atr | None = None

    _own_distance: _Distance = field(init=False, repr=False, eq=False)

    @_own_distance.default
    def _(self) -> _Distance:
        return _Distance(self.distance_percent, self.distance_price or Decimal(0))

    _pace: Pace = field(init=False, repr=False, eq=False)

    @_pace.default
    def _(self) -> Pace:
        return Pace(self.min_interval_s, self.urgent_percent)

    def __attrs_post_init__(self) -> None:
        distances = (self.distance_percent, self.distance_price, self.distance_atr)
        if sum(each is not None for each in distances) != 1:
            raise ValueError("set exactly one of distance_percent, distance_price and distance_atr")
        if self.urgent_percent is not None and not self.min_interval_s:
            raise ValueError("urgent_percent is about min_interval_s: set that too, or neither")

    @property
    def needs(self) -> frozenset[Need]:
        """The candles of `distance_atr`."""
        return frozenset() if self.distance_atr is None else self.distance_atr.needs

    def measure(self, signal: Signal, market: MarketSnapshot) -> dict[str, Decimal]:
        """The average true range, unless the signal brings a distance along."""
        if self.distance_atr is None or signal.settings.trailing_distance_percent is not None:
            return {}
        return self.distance_atr.measure(market)

    def start(self, holding: Holding) -> Guard:
        """The answer at the entry price: armed at once, or waiting for the activation price.

        Raises `ValueError` when the distance is no less than the price, when the average true range is not known, or
        when a signal's setting makes no sense.
        """
        entry = holding.entry_price
        distance = self._distance(holding)
        if distance.stop_for(holding.side, entry) <= 0:
            raise ValueError(f"the trailing distance of {distance.amount} must be below the entry price of {entry}")
        level = self._activation_price(holding)
        waiting = Trail(activated=False, best=entry, stop=None, level=level)
        return self._answer(holding, waiting, entry, holding.opened_ns)

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        """The answer at `price`. A price that reaches no level of the last answer changes nothing."""
        return self._answer(holding, state, price, time_ns)

    def _answer(self, holding: Holding, trail: Trail, price: Decimal, time_ns: int) -> Guard:
        """Move the stop if `price` reaches the level where it would, and name the next level.

        The level that is asked for and the one that decides are the same, so being asked in between is harmless.
        """
        side, level = holding.side, trail.level
        distance = self._distance(holding)
        if level is not None and (price >= level if side.sign > 0 else price <= level):
            stop = distance.stop_for(side, price)
            level = self._level(holding, stop, distance)
            trail = Trail(True, price, stop, level, trail.placed, trail.placed_ns)
        ask = Ask(above=level) if side.sign > 0 else Ask(below=level)
        numbers = self._numbers(holding, trail, distance)
        if trail.stop is None or not self.min_interval_s:
            return Guard(trail, trail.stop, ask, numbers=numbers, trigger_by=self.trigger)
        placed, placed_ns, close, ask = self._pace.kept(holding, trail, ask, price, time_ns)
        trail = evolve(trail, placed=placed, placed_ns=placed_ns)
        return Guard(trail, placed, ask, close, numbers, trigger_by=self.trigger)

    def _level(self, holding: Holding, stop: Decimal, distance: _Distance) -> Decimal | None:
        """The nearest price whose stop is enough better than `stop` once both are rounded; None when no price can be.

        Rounding to the nearest tick sends ties away from zero, so a long's stop improves at half a tick above where
        it is, a short's only below half a tick, by however little.
        """
        side, tick = holding.side, holding.rules.tick_size
        resting = nearest_to(stop, tick)
        half_a_tick = resting + side.sign * tick * (2 * self.min_improvement_ticks - 1) / 2
        a_step = resting + side.sign * self.step_percent.of(resting) if self.step_percent.value else half_a_tick
        if side.sign > 0:
            return distance.best_for(side, max(half_a_tick, a_step))
        next_best = distance.best_for(side, half_a_tick)
        if distance.stop_for(side, next_best) >= half_a_tick:
            next_best = _DOWN.next_minus(next_best)
        if self.step_percent.value:
            next_best = min(next_best, distance.best_for(side, a_step))
        return next_best if next_best > 0 else None

    def _activation_price(self, holding: Holding) -> Decimal:
        percent = self.activation_percent
        if holding.settings.trailing_activation_percent is not None:
            percent = require_activation(holding.settings.trailing_activation_percent)
        return percent.above(holding.entry_price) if holding.side.sign > 0 else percent.below(holding.entry_price)

    def _distance(self, holding: Holding) -> _Distance:
        carried = holding.settings.trailing_distance_percent
        if carried is None and self.distance_atr is not None:
            return _Distance(None, self.distance_atr.distance(holding))
        if carried is None:
            return self._own_distance
        return _Distance(require_distance("trailing distance", carried), Decimal(0))

    def _numbers(self, holding: Holding, trail: Trail, distance: _Distance) -> dict[str, Decimal]:
        numbers = {"best": trail.best, "activation_price": self._activation_price(holding)}
        if distance.percent is None:
            numbers["distance_price"] = distance.amount
        else:
            numbers["distance_percent"] = distance.percent.value
        return numbers
