"""How many best quotes a second pass through the trailing stops of many positions in one market.

The quotes are real. Positions are entered at random prices within the activation distance around the first quote, half
of them long, with the protections of the default deployment: at first nobody's stop trails, and as the market moves,
those who were entered far enough away begin to. Each is asked when one of its levels is reached, as live: by the
engine's `quote` and the core's `ask`. What follows a moved stop (the journal, the request) is not measured here.

Beside it, with the same stops at the end or there is no figure: every position's protections asked at every price, and
a plain loop that knows this one rule and nothing else.
"""

from __future__ import annotations

import csv
import gzip
import random
import statistics
import time
from decimal import ROUND_CEILING, Decimal
from typing import Any

from attrs import define, evolve, field, frozen

from framework.config import load_deployment
from framework.core import guards
from framework.core.decide import Rulebook
from framework.core.happenings import EntryAnswered
from framework.core.lifecycle import advance, begin
from framework.core.market import Quote
from framework.core.numbers import floor_to, nearest_to
from framework.core.orders import OrderReport, OrderStatus
from framework.core.position import Position
from framework.core.protection import on_tick, tighter
from framework.core.signal import Side
from framework.core.steering import Policy
from framework.engine.desk import Desk
from framework.engine.engine import Engine, Limits
from framework.engine.inbox import Inbox
from framework.engine.messages import Happened, Message
from framework.testing import make_plan, make_rules

from .measure import ROOT, Figure, count

BUDGET = 1_000_000
POSITIONS = (1, 20, 1_000)
RUNS = 5
MOVES = 5_000
MOVE_BUDGET_US = 20
SPREAD = 0.02
SYMBOL = "BTCUSDT"
TICK = Decimal("0.1")
Stops = dict[str, Decimal]


@frozen
class Setting:
    """What all runs share: the quotes and the components of the default deployment."""

    quotes: list[Quote]
    policy: Policy
    book: Rulebook


def setting() -> Setting:
    """The recorded best quotes, the last price being the best bid, and the default deployment's protections."""
    deployment = load_deployment(ROOT / "config.toml", environ={})
    protections = [each.component for each in deployment.enabled_protections]
    policy = Policy(
        protections=protections,
        execution=deployment.execution.component,
        attaches_stops=False,
        amends_stops=True,
        stop_tries=1,
        protect_within_ns=1,
        entry_deadline_ns=1,
    )
    path = ROOT / "bench" / "data" / "btcusdt-quotes-2024-07-18.csv.gz"
    with gzip.open(path, "rt", encoding="ascii", newline="") as lines:
        rows = [(int(row["time_us"]), Decimal(row["bid"]), Decimal(row["ask"])) for row in csv.DictReader(lines)]
    quotes = [Quote(bid, ask, bid, (bid + ask) / 2, time_us * 1000) for time_us, bid, ask in rows]
    return Setting(quotes, policy, Rulebook(protections, deployment.sizer.component, []))


def entered(number: int, given: Setting) -> list[Position]:
    """Positions that were just filled, each at a random price at most `SPREAD` away; the same ones every time."""
    chance = random.Random(7)  # noqa: S311
    first = given.quotes[0].last
    rules = make_rules(SYMBOL, tick_size=TICK)
    positions = []
    for index in range(number):
        price = floor_to(first * Decimal(1 + chance.uniform(-SPREAD, SPREAD)), TICK)
        side = Side.LONG if index % 2 == 0 else Side.SHORT
        plan = make_plan(side, symbol=SYMBOL, account="bench", price=price, rules=rules)
        signal = evolve(plan.signal, id=f"signal-{index}")
        plan = evolve(plan, accepted=evolve(plan.accepted, signal=signal))
        position, _ = begin(plan, "wave", given.policy, 0)
        report = OrderReport(position.entry.client_id, SYMBOL, OrderStatus.FILLED, Decimal(1), price)
        positions.append(advance(position, EntryAnswered(report.client_id, report), given.policy, 0)[0])
    return positions


# ── as live ─────────────────────────────────────────────────────────────────────────────────────────────────


class _Still:
    """A clock that stands: nothing here asks for the time."""

    def now_ns(self) -> int:
        return 0


class _Nobody:
    """Keeps no records: nothing that is measured here writes any."""

    def append(self, *records: object) -> Any:
        raise RuntimeError("nothing is written here")


@define
class _Asking(Engine):
    """The engine with a list in the place of its queue, so that quotes can be driven without an event loop."""

    asked: list[str] = field(factory=list, init=False)

    def _post(self, message: Message) -> None:
        if isinstance(message, Happened):
            self.asked.append(message.position_id)


def desk_of(positions: list[Position], policy: Policy) -> Desk:
    """A desk that holds these positions and waits for their levels. It never speaks to its exchange."""
    nobody: Any = None
    desk = Desk("bench", 0, nobody, policy)
    for position in positions:
        desk.keep(position)
    return desk


def by_level(desk: Desk, given: Setting) -> int:
    """A quote wakes only who asked for its price. How often somebody was asked."""
    inbox = Inbox((desk.account,), frozenset())
    engine = _Asking(_Still(), _Nobody(), {desk.account: desk}, inbox, [], given.book, Limits(1, 1, 1))
    quote, asked, account, times = engine.quote, engine.asked, desk.account, 0
    for each in given.quotes:
        quote(account, SYMBOL, each)
        if asked:
            for owner in asked:
                answer = guards.ask(desk.positions[owner], given.policy.protections, each.last, each.time_ns)
                desk.keep(answer.position)
            times += len(asked)
            asked.clear()
    return times


# ── beside it ───────────────────────────────────────────────────────────────────────────────────────────────


def asked_always(quotes: list[Quote], positions: list[Position], given: Setting) -> Stops:
    """Every protection of every position is asked at every one of these quotes, whether it wanted to be or not."""
    stops = {position.id: position.wanted_stop for position in positions}
    holdings = [(p, p.holding(p.entry_price or p.planned_price), dict(p.guards)) for p in positions]
    for each in quotes:
        for position, holding, answers in holdings:
            for protection in given.policy.protections:
                before = answers[protection.name]
                answer = protection.on_price(holding, before.state, each.last, each.time_ns)
                answers[protection.name] = answer
                if answer.stop is not None and answer.stop != before.stop:
                    stop = on_tick(holding.rules, answer.stop)
                    if tighter(position.side, stop, stops[position.id]):
                        stops[position.id] = stop
    return stops


@define
class _Trailing:
    """The default trailing stop in whole ticks: `level` is the activation price, and the best price once armed."""

    sign: int
    level: int
    armed: bool = False


def plain_loop(prices: list[int], trails: list[_Trailing]) -> None:
    """The rule itself, in one loop over whole numbers: one comparison a position and a quote."""
    for price in prices:
        for trail in trails:
            if price * trail.sign >= trail.level:
                trail.level = price * trail.sign
                trail.armed = True


def trails_of(positions: list[Position], activation: Decimal) -> list[_Trailing]:
    """A trailing stop for each position; levels are negative for shorts, so that further is always more."""
    trails = []
    for position in positions:
        sign = position.side.sign
        level = position.planned_price * (1 + sign * activation) / TICK * sign
        trails.append(_Trailing(sign, int(level.to_integral_value(ROUND_CEILING))))
    return trails


def stops_of(trails: list[_Trailing], positions: list[Position], distance: Decimal) -> Stops:
    """Where the plain loop's stops are in the end; a position whose stop does not trail keeps its first one."""
    stops = {}
    for trail, position in zip(trails, positions, strict=True):
        best = trail.level * trail.sign * TICK
        trailed = nearest_to(best * (1 - trail.sign * distance), TICK)
        stops[position.id] = trailed if trail.armed else position.wanted_stop
    return stops


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────────


def figures() -> list[Figure]:
    """Quotes a second for each number of positions. Raises `RuntimeError` when two ways lead to different stops."""
    given = setting()
    return [*(_figure(number, given) for number in POSITIONS), _decision(given)]


def _decision(given: Setting) -> Figure:
    """What one decision to move a stop takes: each price is one that the trailing stop asked for."""
    position = next(each for each in entered(1, given) if each.side is Side.LONG)
    price, times_us = position.planned_price * Decimal("1.1"), []
    for step in range(MOVES):
        price, before = price + 10 * TICK, position.wanted_stop
        began = time.perf_counter()
        position = guards.ask(position, given.policy.protections, price, step).position
        times_us.append((time.perf_counter() - began) * 1e6)
        if position.wanted_stop <= before:
            raise RuntimeError(f"the stop did not move at {price}")
    times_us.sort()
    median_us, p99_us = times_us[MOVES // 2], times_us[MOVES * 99 // 100]
    return Figure(
        "a decision to move a stop",
        f"p50 {median_us:.1f}, p99 {p99_us:.1f} µs",
        f"{MOVES:,} moves in a row",
        f"≤ {MOVE_BUDGET_US} µs",
        median_us <= MOVE_BUDGET_US,
    )


def _figure(number: int, given: Setting) -> Figure:
    positions = entered(number, given)
    seconds, asked = [], 0
    for _ in range(RUNS):
        desk = desk_of(positions, given.policy)
        began = time.perf_counter()
        asked = by_level(desk, given)
        seconds.append(time.perf_counter() - began)
    stops = {position.id: position.wanted_stop for position in desk.positions.values()}
    always = _always_rate(positions, stops, given)
    plain = _plain_rate(positions, stops, given)
    rate = len(given.quotes) / statistics.median(seconds)
    many = number == max(POSITIONS)
    return Figure(
        f"best quotes, {number:,} position{'s' if number > 1 else ''} ({asked:,} asked)",
        f"{count(rate)} quotes/s",
        f"all asked at every price {count(always)}, plain loop {count(plain)}",
        f"≥ {BUDGET:,}" if many else "",
        rate >= BUDGET if many else None,
    )


def _always_rate(positions: list[Position], stops: Stops, given: Setting) -> float:
    """Only quotes with a new price, to be done in time: at the same price the answer is the same."""
    before = [None, *(quote.last for quote in given.quotes)]
    moved = [quote for quote, last in zip(given.quotes, before, strict=False) if quote.last != last]
    began = time.perf_counter()
    found = asked_always(moved, positions, given)
    seconds = time.perf_counter() - began
    _require_same(found, stops, "asking every position at every price")
    return len(moved) / seconds


def _plain_rate(positions: list[Position], stops: Stops, given: Setting) -> float:
    (trailing,) = [each for each in given.policy.protections if each.name == "trailing-stop"]
    rule: Any = trailing
    prices = [int(quote.last / TICK) for quote in given.quotes]
    trails = trails_of(positions, rule.activation_percent.of(Decimal(1)))
    began = time.perf_counter()
    plain_loop(prices, trails)
    seconds = time.perf_counter() - began
    _require_same(stops_of(trails, positions, rule.distance_percent.of(Decimal(1))), stops, "the plain loop")
    return len(prices) / seconds


def _require_same(found: Stops, stops: Stops, way: str) -> None:
    different = [key for key in stops if found[key] != stops[key]]
    if different:
        raise RuntimeError(f"{way} leads to other stops for {len(different)} of {len(stops)} positions")
