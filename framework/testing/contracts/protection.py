"""The contract of a protection: a stop on the losing side that never loosens, asked only when it wants to be."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from decimal import Decimal

import attrs
import cattrs

from ...components import Protection
from ...core.market import Candle, MarketRules, Need
from ...core.measuring import MeasuresMarket
from ...core.numbers import nearest_to
from ...core.plan import wrong_side
from ...core.protection import Ask, Guard, Holding, on_tick, tighter
from ...core.signal import Side
from ...errors import MissingDataError
from ..builders import NOW_NS, Numeric, make_candles, make_holding, make_rules, make_signal, make_snapshot
from .component import ask_twice, check_component, require, require_code, require_numbers

_WALKS = 8
_TICKS_PER_WALK = 150
_TICK_NS = 60_000_000_000


def check_protection(
    component: Protection, *, sides: tuple[Side, ...] = (Side.LONG, Side.SHORT), entry_price: Numeric = 100
) -> None:
    """Raise `ContractBrokenError` if the protection breaks its contract.

    It is started at `entry_price` and driven along random walks (always the same ones), once asked at every price
    and once only when it wants to be: both must give the same stops. `sides`: those that its settings allow.
    """
    check_component(component)
    require(attrs.has(component.state_type), component, "`state_type` must be an attrs class")
    for side in sides:
        for rules in (make_rules(), make_rules(tick_size="0.5")):
            measured = _measured(component, side, rules, Decimal(entry_price))
            holding = make_holding(side, entry_price=entry_price, rules=rules, measured=measured)
            _check_start(component, holding)
            for seed in range(_WALKS):
                _check_walk(component, holding, tuple(_walk(seed, holding)))


def _measured(component: Protection, side: Side, rules: MarketRules, price: Decimal) -> Mapping[str, Decimal]:
    """What it measures where its candles rise to the entry price; without them it has to say that they are missing."""
    if not isinstance(component, MeasuresMarket):
        return {}
    needs = component.needs
    fine = isinstance(needs, frozenset) and all(isinstance(need, Need) for need in needs)
    require(fine, component, f"`needs` must be a frozenset of Need, got {needs!r}")
    require(needs == component.needs, component, "`needs` must not change")
    signal = make_signal(rules.symbol, side)
    candles = {need.interval: _rising(need, price) for need in needs if need.interval}
    market = make_snapshot(rules.symbol, needs=needs, rules=rules, candles=candles)
    try:
        measured: Mapping[str, Decimal] = ask_twice(component, component.measure, signal, market)
    except MissingDataError as missing:
        require(False, component, f"reads what it does not declare in `needs`: {missing}")
        raise
    wrong = [name for name, number in measured.items() if not isinstance(number, Decimal)]
    require(not wrong, component, f"what it measures must be Decimals, unlike {', '.join(wrong)}")
    require_numbers(component, measured)
    if candles:
        bare = make_snapshot(rules.symbol, needs=needs, rules=rules)
        try:
            component.measure(signal, bare)
        except MissingDataError:
            return measured
        require(False, component, "declares that it needs candles, but measures without them")
    return measured


def _rising(need: Need, price: Decimal) -> tuple[Candle, ...]:
    return make_candles(need.interval, need.count, first_open=price * 9 / 10, last_close=price)


def _check_start(component: Protection, holding: Holding) -> None:
    guard = ask_twice(component, component.start, holding)
    _check_guard(component, holding, guard)
    if guard.stop is not None:
        fine = not wrong_side(holding.side, guard.stop, holding.entry_price)
        where = f"{holding.side.value} from {holding.entry_price}"
        require(fine, component, f"its first stop at {guard.stop} is on the winning side: {where}")


def _check_guard(component: Protection, holding: Holding, guard: Guard) -> None:
    require(isinstance(guard, Guard), component, f"the answer must be a Guard, got {guard!r}")
    state_type = component.state_type
    require(isinstance(guard.state, state_type), component, f"the state must be a {state_type.__name__}")
    text = json.dumps(_CONVERTER.unstructure(guard.state))
    restored: object = _CONVERTER.structure(json.loads(text), state_type)
    require(restored == guard.state, component, f"its state does not survive the journal: {text}")
    require_numbers(component, guard.numbers)
    if guard.close is not None:
        require_code(component, guard.close)


def _check_walk(component: Protection, holding: Holding, walk: tuple[tuple[int, Decimal], ...]) -> None:
    asked = _drive(component, holding, walk, every_price=True)
    woken = _drive(component, holding, walk, every_price=False)
    for (time_ns, price), one, other in zip(walk, asked, woken, strict=False):
        require(
            one == other,
            component,
            f"asked at every price it wants {one} at {price} (after {(time_ns - NOW_NS) // 1_000_000_000} s), "
            f"asked only when it wanted to be it wants {other}",
        )


Wish = tuple[Decimal | None, str | None]
"""The stop on the tick, and the reason to close."""


def _drive(
    component: Protection, holding: Holding, walk: tuple[tuple[int, Decimal], ...], *, every_price: bool
) -> list[Wish]:
    """The wish after each price, until the position would be gone."""
    guard = component.start(holding)
    wishes: list[Wish] = []
    for time_ns, price in walk:
        if guard.close is not None or (guard.stop is not None and wrong_side(holding.side, guard.stop, price)):
            break
        if every_price or _is_reached(guard.ask, price, time_ns):
            guard = _next(component, holding, guard, price, time_ns)
        stop = None if guard.stop is None else on_tick(holding.rules, guard.stop)
        wishes.append((stop, guard.close))
    return wishes


def _next(component: Protection, holding: Holding, guard: Guard, price: Decimal, time_ns: int) -> Guard:
    state = copy.deepcopy(guard.state)
    answer = ask_twice(component, component.on_price, holding, state, price, time_ns)
    _check_guard(component, holding, answer)
    require(answer.stop is not None or guard.stop is None, component, f"takes its stop away at {price}")
    if answer.stop is not None and guard.stop is not None:
        loosened = tighter(holding.side, guard.stop, answer.stop)
        require(not loosened, component, f"loosens its stop from {guard.stop} to {answer.stop} at {price}")
    again = answer.close is None and _is_reached(answer.ask, price, time_ns)
    require(not again, component, f"asked at {price}, it wants to be asked at {price} again, without end")
    return answer


def _is_reached(ask: Ask, price: Decimal, time_ns: int) -> bool:
    return (
        (ask.above is not None and price >= ask.above)
        or (ask.below is not None and price <= ask.below)
        or (ask.at_ns is not None and time_ns >= ask.at_ns)
    )


def _walk(seed: int, holding: Holding) -> Iterator[tuple[int, Decimal]]:
    """Prices on the tick, one a minute; each walk drifts its own way."""
    drawn = random.Random(seed)  # noqa: S311 - a test's own walk, no secret
    drift = drawn.randint(-10, 10)
    price, rules = holding.entry_price, holding.rules
    for index in range(1, _TICKS_PER_WALK + 1):
        permille = Decimal(drawn.randint(-40, 40) + drift) / 10
        price = max(_moved(price, permille, rules), 10 * rules.tick_size)
        yield holding.opened_ns + index * _TICK_NS, price


def _moved(price: Decimal, permille: Decimal, rules: MarketRules) -> Decimal:
    return nearest_to(price + price * permille / 1000, rules.tick_size)


def _converter() -> cattrs.Converter:
    """Decimals as text, as the journal keeps them."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    return converter


_CONVERTER = _converter()
