"""The rules of docs/protection.md once more, in fractions and plain words: what the product is judged by.

It shares no code with the product: standard library, whole histories instead of levels, every rule asked at every
price. Slow, and meant to be read beside the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Any

HOUR_NS = 3_600 * 10**9
Number = Any
Table = dict[str, Any]


def exact(value: Number) -> Fraction:
    """A number as it is written."""
    return Fraction(str(value))


def percent(table: Table, key: str, default: Number = 0) -> Fraction:
    return exact(table.get(key, default)) / 100


@dataclass
class Scene:
    """The position: s is +1 or −1."""

    s: int
    entry: Fraction
    tick: Fraction
    opened_ns: int
    before: Mapping[str, Sequence[Sequence[Number]]] = field(default_factory=dict)

    def nearest(self, price: Fraction) -> Fraction:
        return floor(price / self.tick + Fraction(1, 2)) * self.tick

    def in_profit(self, price: Fraction, level: Fraction) -> bool:
        return self.s * price >= self.s * level

    def reaches_stop(self, price: Fraction, stop: Fraction) -> bool:
        return self.s * price <= self.s * stop

    def break_even(self, table: Table) -> Fraction:
        f = percent(table, "fee_percent")
        return self.entry * (1 + self.s * f) / (1 - self.s * f)


@dataclass
class Rule:
    """One table at work. `stop` is what it wants, unrounded; `closes` says at which prices it would close now."""

    table: Table
    scene: Scene
    stop: Fraction | None = None
    targets: list[tuple[Fraction, Fraction]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.table["use"])

    def begin(self) -> None:
        """At the entry."""

    def see(self, price: Fraction, time_ns: int) -> None:
        """At a price."""

    def closes(self, time_ns: int) -> list[tuple[Fraction, bool]]:
        """Levels that close, each with whether it lies in the position's favour."""
        return []

    def expires(self, time_ns: int) -> bool:
        return False


def over(table: Table) -> int:
    """The number of candles that an average true range is reckoned over."""
    return int(table.get("candles", min(6 * int(table.get("periods", 14)) + 1, 999)))


def true_ranges(table: Table, scene: Scene) -> list[Fraction]:
    """The true ranges of the last closed candles, each a time, open, high, low and close."""
    rows = [[exact(price) for price in row[1:]] for row in scene.before[table.get("interval", "15m")]][-over(table) :]
    found = []
    for number in range(1, len(rows)):
        _, high, low, _ = rows[number]
        close_before = rows[number - 1][3]
        found.append(max(high - low, abs(high - close_before), abs(low - close_before)))
    return found


def average_true_range(table: Table, scene: Scene) -> Fraction:
    """Wilder's: the mean of the first ones, then each new one counts for one part of `periods`; twelve digits."""
    periods, ranges = int(table.get("periods", 14)), true_ranges(table, scene)
    average = sum(ranges[:periods], Fraction(0)) / periods
    for each in ranges[periods:]:
        average += (each - average) / periods
    return twelve_digits(average)


def twelve_digits(value: Fraction) -> Fraction:
    """Rounded to twelve digits; `round` of a fraction sends a tie to the even one."""
    if not value:
        return value
    power = 11
    while value * Fraction(10) ** power >= 10**12:
        power -= 1
    while value * Fraction(10) ** power < 10**11:
        power += 1
    return Fraction(round(value * Fraction(10) ** power)) / Fraction(10) ** power


def away_by_atr(table: Table, scene: Scene) -> Fraction:
    return exact(table["multiple"]) * average_true_range(table, scene)


class StopLoss(Rule):
    def begin(self) -> None:
        scene = self.scene
        if "atr" in self.table:
            self.stop = scene.entry - scene.s * away_by_atr(self.table["atr"], scene)
            return
        fixed = self.table.get("price")
        self.stop = scene.entry * (1 - scene.s * percent(self.table, "percent")) if fixed is None else exact(fixed)


class TrailingStop(Rule):
    meant: Fraction | None = None
    rested_ns: int = 0

    def begin(self) -> None:
        self.see(self.scene.entry, self.scene.opened_ns)

    def wanted(self, price: Fraction) -> Fraction:
        if "distance_atr" in self.table:
            return price - self.scene.s * away_by_atr(self.table["distance_atr"], self.scene)
        fixed = self.table.get("distance_price")
        away = price * percent(self.table, "distance_percent") if fixed is None else exact(fixed)
        return price - self.scene.s * away

    def see(self, price: Fraction, time_ns: int) -> None:
        scene, table = self.scene, self.table
        if self.meant is None:
            activation = scene.entry * (1 + scene.s * percent(table, "activation_percent"))
            if scene.in_profit(price, activation):
                self.meant = self.stop = self.wanted(price)
                self.rested_ns = time_ns
            return
        new, r = self.wanted(price), scene.nearest(self.meant)
        enough = scene.s * (scene.nearest(new) - r) >= table.get("min_improvement_ticks", 1) * scene.tick
        if enough and scene.s * (new - r) >= percent(table, "step_percent") * r:
            self.meant = new
        self.place(price, time_ns)

    def place(self, price: Fraction, time_ns: int) -> None:
        if self.meant is None or self.stop is None:
            return
        meant, rests = self.scene.nearest(self.meant), self.scene.nearest(self.stop)
        if meant == rests or self.scene.reaches_stop(price, meant):
            return
        waited = time_ns - self.rested_ns >= self.table.get("min_interval_s", 0) * 10**9
        urgent = "urgent_percent" in self.table and abs(meant - rests) >= percent(self.table, "urgent_percent") * rests
        if waited or urgent or not self.table.get("min_interval_s"):
            self.stop, self.rested_ns = self.meant, time_ns

    def closes(self, time_ns: int) -> list[tuple[Fraction, bool]]:
        if self.meant is None or self.stop is None or not self.table.get("min_interval_s"):
            return []
        meant = self.scene.nearest(self.meant)
        return [] if meant == self.scene.nearest(self.stop) else [(meant, False)]


class BreakEven(Rule):
    def see(self, price: Fraction, time_ns: int) -> None:
        scene = self.scene
        even = scene.break_even(self.table)
        profit = scene.entry * (1 + scene.s * percent(self.table, "after_percent"))
        beyond = scene.nearest(even) + scene.s * scene.tick
        if scene.in_profit(price, profit) and scene.in_profit(price, beyond):
            self.stop = even


class TakeProfit(Rule):
    def begin(self) -> None:
        scene = self.scene
        levels = sorted(self.table["levels"], key=lambda level: exact(level["percent"]))
        prices = [scene.nearest(scene.entry * (1 + scene.s * exact(level["percent"]) / 100)) for level in levels]
        self.targets = [(p, exact(level["share"])) for p, level in zip(prices, levels, strict=True) if p > 0]


class TimeExit(Rule):
    def age(self, time_ns: int) -> Fraction:
        return Fraction(time_ns - self.scene.opened_ns, HOUR_NS)

    def expires(self, time_ns: int) -> bool:
        return "max_age_hours" in self.table and self.age(time_ns) >= exact(self.table["max_age_hours"])

    def closes(self, time_ns: int) -> list[tuple[Fraction, bool]]:
        table, scene = self.table, self.scene
        if "grace_hours" not in table or self.age(time_ns) < exact(table["grace_hours"]):
            return []
        k = max(0, floor(self.age(time_ns) - exact(table["grace_hours"]) - exact(table.get("break_even_hours", 0))))
        tolerated = min(k * percent(table, "loss_percent_per_hour"), percent(table, "max_loss_percent"))
        return [(scene.break_even(table) - scene.s * scene.entry * tolerated, True)]


class LiquidationGuard(Rule):
    def closes(self, time_ns: int) -> list[tuple[Fraction, bool]]:
        table, s = self.table, self.scene.s
        away = 1 / exact(table["leverage"])
        at = self.scene.entry * (1 - s * away) / (1 - s * percent(table, "maintenance_margin_percent", 1))
        return [] if at <= 0 else [(at * (1 + s * percent(table, "buffer_percent", 1)), False)]


RULES: dict[str, type[Rule]] = {
    "stop-loss": StopLoss,
    "trailing-stop": TrailingStop,
    "break-even": BreakEven,
    "take-profit": TakeProfit,
    "time-exit": TimeExit,
    "liquidation-guard": LiquidationGuard,
}


@dataclass
class Outcome:
    """The stops after each candle, the exit as (index, price, reason), and the parts that were taken."""

    stops: list[Fraction | None]
    exit: tuple[int, Fraction, str] | None
    takes: list[tuple[int, Fraction, Fraction]]


@dataclass
class Course:
    """A position on its way."""

    scene: Scene
    rules: Sequence[Rule]
    stop: Fraction | None = None
    owner: str = ""
    open: Fraction = Fraction(1)
    index: int = 0
    out: Outcome = field(default_factory=lambda: Outcome([], None, []))

    def candle(self, time_ns: int, points: Sequence[Fraction]) -> None:
        for number, price in enumerate(points):
            for _, at, act in self.events(time_ns, points[number - 1] if number else None, price):
                if self.out.exit is None:
                    act(at)
            if self.out.exit is None:
                self.ask(time_ns, price)

    def events(self, time_ns: int, before: Fraction | None, price: Fraction) -> list[tuple[Fraction, Fraction, Any]]:
        """What is reached: how far on the way, at which price, and what it does. At an open all of it is there."""
        scene, found = self.scene, []
        if self.stop is not None and scene.reaches_stop(price, self.stop):
            found.append((self.stop, self.leave(self.owner)))
        targets = [(scene.s * target, target, share, rule) for rule in self.rules for target, share in rule.targets]
        for _, target, share, rule in sorted(targets, key=lambda each: each[0]):
            if scene.in_profit(price, target):
                found.append((target, self.take(rule, (target, share))))
        if before is None:
            return [(Fraction(0), price, act) for _, act in found]
        for rule in self.rules:
            for level, favourable in rule.closes(time_ns):
                reached = scene.in_profit(price, level) if favourable else scene.reaches_stop(price, level)
                if reached:
                    found.append((self.first_tick(level, before, price), self.leave(rule.name)))
        return sorted(((abs(at - before), at, act) for at, act in found), key=lambda each: each[0])

    def first_tick(self, level: Fraction, before: Fraction, price: Fraction) -> Fraction:
        """The first tick at or beyond a level, on the way to a price."""
        if price > before:
            return min(ceil(level / self.scene.tick) * self.scene.tick, price)
        return max(floor(level / self.scene.tick) * self.scene.tick, price)

    def ask(self, time_ns: int, price: Fraction) -> None:
        scene = self.scene
        for rule in self.rules:
            closing = any(
                scene.in_profit(price, level) if favourable else scene.reaches_stop(price, level)
                for level, favourable in rule.closes(time_ns)
            )
            if rule.expires(time_ns) or closing:
                self.leave(rule.name)(price)
                return
        for rule in self.rules:
            rule.see(price, time_ns)
        self.tighten(price)

    def tighten(self, price: Fraction) -> None:
        for rule in self.rules:
            if rule.stop is None:
                continue
            wanted = self.scene.nearest(rule.stop)
            if self.stop is not None and self.scene.s * wanted <= self.scene.s * self.stop:
                continue
            if self.scene.reaches_stop(price, wanted):
                self.leave(max(self.rules, key=self.tightness).name)(price)
                return
        best = max(self.rules, key=self.tightness)
        if best.stop is not None:
            wanted = self.scene.nearest(best.stop)
            if self.stop is None or self.scene.s * wanted > self.scene.s * self.stop:
                self.stop, self.owner = wanted, best.name

    def tightness(self, rule: Rule) -> tuple[bool, Fraction]:
        return (False, Fraction(0)) if rule.stop is None else (True, self.scene.s * self.scene.nearest(rule.stop))

    def leave(self, reason: str) -> Any:
        def act(at: Fraction) -> None:
            self.out.exit = (self.index, at, reason)

        return act

    def take(self, rule: Rule, target: tuple[Fraction, Fraction]) -> Any:
        def act(at: Fraction) -> None:
            share = min(target[1], self.open)
            self.open -= share
            rule.targets.remove(target)
            self.out.takes.append((self.index, at, share))
            if not self.open:
                self.leave(rule.name)(at)

        return act


def calculate(
    protections: Sequence[Table],
    side: str,
    entry: Number,
    tick: Number,
    candles: Iterable[tuple[int, Sequence[Number]]],
    before: Mapping[str, Sequence[Sequence[Number]]] | None = None,
) -> Outcome:
    """What becomes of a position along candles: each a time and its prices in their order; a tick has one.

    `before` are the closed candles before the entry, by interval.
    """
    listed = [(time_ns, [exact(price) for price in points]) for time_ns, points in candles]
    scene = Scene(1 if side == "long" else -1, exact(entry), exact(tick), listed[0][0] if listed else 0, before or {})
    rules = [RULES[table["use"]](table, scene) for table in protections]
    course = Course(scene, rules)
    for rule in rules:
        rule.begin()
    if any(rule.stop is not None for rule in rules):
        course.tighten(scene.entry)
    for course.index, (time_ns, points) in enumerate(listed):
        if course.out.exit is not None:
            course.out.stops.append(None)
            continue
        course.candle(time_ns, points)
        course.out.stops.append(course.stop)
    return course.out
