"""Schedules drawn from a number: what goes wrong, when, and how often."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from typing import Any

from attrs import evolve, frozen

from .deployment import SYMBOLS, VENUES, variant_of
from .points import AFTER_WRITE, ANSWERED, BEFORE_WRITE, SEND, SENT
from .schedule import Item, Schedule
from .weather import OF_REQUESTS, RATES

MINUTE_MS = 60_000
READY_MS = 4_500
"""The first life has started by then: before that nothing goes wrong."""

FIRST_MS = 5_000
CALM_MS = 200_000
"""How long a run goes on after its faults: recovery, then the time in which liveness and leftovers are judged."""

SILENCE_MS = 600_000
"""How long a venue may want not to hear of us: Bybit ten minutes after a 403."""

LONG_ONE_IN = 1_000
"""So many schedules have one whose partition may last for hours."""

BUSY_MS = (*(15_000,) * 4, *(20_000,) * 3, *(30_000,) * 3, 45_000, 45_000, 60_000, 120_000)
LATE_MS = (60_000, 120_000, 240_000)
RESTS_MS = (*(12_000,) * 31, None)
"""How long everything must have been well before a run ends; one in 32 goes on for the whole calm."""


@frozen
class Climate:
    """What goes wrong in every schedule of a campaign, besides leaps of prices and deaths; nothing: all kinds, mixed.

    `rate`: this share of all requests is lost, answered in vain, executed late, reset or stalled. `read_lag_s`: up to
    so many seconds old is what reads show.
    """

    rate: float = 0.0
    read_lag_s: int = 0


MIXED = Climate()


@frozen
class Frame:
    """What the items of a schedule have to fit into: until when, and where positions are wanted."""

    busy_ms: int
    places: tuple[tuple[str, str], ...]
    climate: Climate

    @property
    def venues(self) -> tuple[str, ...]:
        """The venues that it plays on."""
        return tuple(sorted({venue for venue, _ in self.places}))


def draw(seed: int, climate: Climate = MIXED) -> Schedule:
    """The schedule of a seed."""
    chance = random.Random(f"schedule {seed}")  # noqa: S311 - as above
    is_long = climate == MIXED and chance.randrange(LONG_ONE_IN) == 0
    frame = _frame(chance, climate)
    busy_ms = frame.busy_ms
    items = [*_signals(chance, frame), *_climate(chance, frame)]
    if climate != MIXED or chance.random() < 0.8:
        for make, share in _MAKERS:
            if chance.random() < share and (climate == MIXED or make in (_jumps, _kills)):
                items += make(chance, frame)
    wanted = certain_kind(seed) if climate == MIXED else None
    if wanted is not None:
        items += _certain(random.Random(f"kind {seed}"), frame, wanted)  # noqa: S311 - as above
    # A silence must be known to be kept: the next life does not know of it, nor does who lost the answer.
    if wanted in SILENCED:
        items = [item for item in items if item.kind not in HIDING]
    elif any(item.kind in HIDING for item in items):
        items = [item for item in items if item.own.get("name") not in SILENCED]
    if is_long:
        hours_ms = round(10 * MINUTE_MS * 36 ** chance.random())
        items.append(_partition(chance, frame, busy_ms // 2, hours_ms))
        busy_ms += hours_ms
    return Schedule(
        seed=seed,
        items=tuple(items),
        calm_ms=busy_ms,
        end_ms=busy_ms + CALM_MS + _aftermath_ms(items),
        variant=variant_of(_execution(chance, items), frame.venues),
        step_ms=30_000 if is_long else 5_000,
        volatility=chance.choice((0.1, 0.3, 0.6)),
        latency_ms=chance.choice((1, 20, 80)),
        rest_ms=chance.choice(RESTS_MS),
    )


def _aftermath_ms(items: Collection[Item]) -> int:
    """How long it may take after the last fault until everything can be seen and done again."""
    silence_ms = SILENCE_MS if any(item.own.get("name") in SILENCED for item in items) else 0
    return max([silence_ms, *(2 * int(item.own.get("lag_ms", 0)) for item in items)])


def _execution(chance: random.Random, items: Collection[Item]) -> str:
    """Only a market order where the venue says "not carried out" in words alone: no ledger tells that from "who knows".

    An oracle would take the second order of an entry for one that was sent blindly.
    """
    in_words = any(item.own.get("name") in ("unavailable-503", "failed-503") for item in items)
    return "market" if in_words else chance.choice(("market", "taking", "limit-then-market"))


def _frame(chance: random.Random, climate: Climate) -> Frame:
    """One venue or both, and one to four markets. Where reads are late, a run takes longer."""
    venues = chance.choice((VENUES, *((venue,) for venue in VENUES)))
    places = [(venue, symbol) for venue in venues for symbol in SYMBOLS]
    busy_ms = chance.choice(LATE_MS if climate.read_lag_s else BUSY_MS)
    return Frame(busy_ms, tuple(chance.sample(places, chance.randint(1, 4))), climate)


def _climate(chance: random.Random, frame: Frame) -> list[Item]:
    """What the climate of the campaign does, at each venue, all the time."""
    climate, for_ms = frame.climate, frame.busy_ms - READY_MS
    found = []
    for venue in frame.venues:
        if climate.rate:
            rates = {name: climate.rate / len(OF_REQUESTS) for name in OF_REQUESTS}
            found.append(Item("weather", READY_MS, for_ms, venue, rates))
        if climate.read_lag_s:
            lag_ms = chance.randint(1, climate.read_lag_s) * 1_000
            own = {"name": "stale-reads", "at_ms": 0, "lag_ms": lag_ms, "for_ms": for_ms}
            found.append(Item("rule", READY_MS, for_ms, venue, own))
    return found


def _signals(chance: random.Random, frame: Frame) -> list[Item]:
    """One wave or two."""
    waves = [FIRST_MS] if chance.random() < 0.6 else [FIRST_MS, chance.randint(8_000, frame.busy_ms - 5_000)]
    return [
        Item(
            "signal",
            chance.choice(waves),
            venue=venue,
            own={"symbol": symbol, "side": chance.choice(("long", "short"))},
        )
        for venue, symbol in frame.places
    ]


def _within(chance: random.Random, frame: Frame) -> int:
    return chance.choice((FIRST_MS + chance.randint(0, 2_000), chance.randint(READY_MS, frame.busy_ms - 1_000)))


def _weather(chance: random.Random, frame: Frame) -> list[Item]:
    """Requests and frames go astray, some kinds of them: a quarter of all at most."""
    names = chance.sample(sorted(RATES), chance.randint(1, 4))
    rate = chance.choice((0.02, 0.08, 0.25))
    return [
        Item(
            "weather",
            READY_MS,
            frame.busy_ms - READY_MS,
            venue,
            {name: min(rate / len(names), RATES[name]) for name in names},
        )
        for venue in chance.choice((frame.venues, frame.venues[:1], frame.venues[1:]))
    ]


def _partition(chance: random.Random, frame: Frame, at_ms: int, for_ms: int) -> Item:
    which: dict[str, Any] = {
        "stops": chance.choice(("all", "all", "writes", "reads")),
        "style": chance.choice(("silent", "refused")),
    }
    return Item("partition", at_ms, for_ms, chance.choice(frame.venues), which)


def _partitions(chance: random.Random, frame: Frame) -> list[Item]:
    found = []
    for _ in range(chance.randint(1, 2)):
        at_ms = _within(chance, frame)
        for_ms = chance.choice((1_000, 5_000, 20_000, 60_000))
        found.append(_partition(chance, frame, at_ms, min(for_ms, frame.busy_ms - at_ms)))
    return found


def _clocks(chance: random.Random, frame: Frame) -> list[Item]:
    """Our clock, or a venue's, is off for a while."""
    return [_clock(chance, frame)]


def _clock(chance: random.Random, frame: Frame, *, ours: bool | None = None) -> Item:
    at_ms = _within(chance, frame)
    skew_ms = chance.choice((-1, 1)) * chance.choice((300, 1_000, 5_000, 60_000, 3_600_000))
    if chance.random() < 0.5 if ours is None else ours:
        return Item("clock", at_ms, frame.busy_ms - at_ms, own={"skew_ms": skew_ms})
    venue = chance.choice(frame.venues)
    return Item("rule", at_ms, frame.busy_ms - at_ms, venue, {"name": "clock-skew", "at_ms": 0, "skew_ms": skew_ms})


def _jumps(chance: random.Random, frame: Frame) -> list[Item]:
    """A price leaps, perhaps through a stop."""
    found = []
    for _ in range(chance.randint(1, 3)):
        venue, symbol = chance.choice(frame.places)
        own = {"symbol": symbol, "percent": chance.choice((-6, -3, -1, 1, 3, 6))}
        found.append(Item("jump", chance.randint(FIRST_MS, frame.busy_ms), venue=venue, own=own))
    return found


def _kills(chance: random.Random, frame: Frame) -> list[Item]:
    """The process dies; often once more while it recovers."""
    point = chance.randint(1, 120)
    found = [_kill(chance, point)]
    while len(found) < 4 and chance.random() < 0.5:
        point += chance.choice((chance.randint(1, 30), chance.randint(1, 120)))
        found.append(_kill(chance, point))
    return found


def _kill(chance: random.Random, point: int) -> Item:
    return Item("kill", own={"point": point, "down_ms": chance.choice((0, 500, 3_000, 30_000))})


def _answers(chance: random.Random, frame: Frame) -> list[Item]:
    """Requests that the venue answers strangely."""
    return [_answer(chance, frame, chance.choice(ANSWERS), (0.05, 0.25, 1.0)) for _ in range(chance.randint(1, 3))]


def _answer(chance: random.Random, frame: Frame, name: str, probabilities: tuple[float, ...]) -> Item:
    rule: dict[str, Any] = {"name": name, "probability": chance.choice(probabilities)}
    if rule["probability"] == 1.0:
        rule |= {"count": chance.randint(1, 3), "after": chance.randint(0, 3)}
    if name in SILENCED:
        rule |= {"count": 1, "after": chance.randint(5, 60) // 3}
        if name != "forbidden":
            rule["retry_after_s"] = chance.choice((1, 10, 60))
    elif name == "slow-response":
        rule["delay_ms"] = chance.choice((500, 3_000, 15_000))
    elif name in EITHER:
        rule["executed"] = chance.random() < 0.5
    elif name == "refuse":
        rule |= chance.choice([one for one in REFUSALS if one["at"] in frame.venues])
        rule |= {"count": chance.randint(1, 3), "probability": max(rule["probability"], 0.25)}
    venue = rule.pop("at", None) or chance.choice(frame.venues)
    if name not in (*SILENCED, "refuse") and chance.random() < 0.7:
        rule["method"] = "POST"
    return Item("rule", READY_MS, frame.busy_ms - READY_MS, venue, rule)


def _events(chance: random.Random, frame: Frame) -> list[Item]:
    """Private events, stops and orders that go wrong at the venue."""
    return [_event(chance, frame, chance.choice(EVENTS), (0.1, 0.4, 1.0)) for _ in range(chance.randint(1, 3))]


def _event(chance: random.Random, frame: Frame, name: str, probabilities: tuple[float, ...]) -> Item:
    rule: dict[str, Any] = {"name": name, "probability": chance.choice(probabilities), "count": chance.randint(1, 5)}
    if name == "delay-event":
        rule["delay_ms"] = chance.choice((200, 2_000, 20_000))
    return Item("rule", READY_MS, frame.busy_ms - READY_MS, chance.choice(frame.venues), rule)


def _happenings(chance: random.Random, frame: Frame) -> list[Item]:
    """What others, or the venue, do."""
    return [_happening(chance, frame, chance.choice(sorted(HAPPENINGS))) for _ in range(chance.randint(1, 2))]


def _happening(chance: random.Random, frame: Frame, name: str) -> Item:
    at_ms = chance.randint(FIRST_MS, frame.busy_ms - 1_000)
    venue, symbol = chance.choice(frame.places)
    own = {"name": name, "at_ms": 0, **HAPPENINGS[name](chance)}
    if "market" in own:
        own["market"] = symbol
    return Item("rule", at_ms, min(int(own.pop("lasts_ms", 0)), frame.busy_ms - at_ms), venue, own)


# ── a kind for certain ──────────────────────────────────────────────────────────────────────────────────────


def certain_kind(seed: int) -> str | None:
    """The kind of fault that the schedule of a seed is made to hold; None: it is left to chance alone.

    Every second schedule is made for one, all kinds in turn: else a campaign would wait long for the rarest.
    """
    kinds = sorted(everything_that_happens())
    return kinds[seed // 2 % len(kinds)] if seed % 2 == 0 else None


def _certain(chance: random.Random, frame: Frame, kind: str) -> list[Item]:
    """What makes this kind of fault likely to happen. Whether it really does is counted in the run."""
    if kind in ANSWERS:  # soon: where all goes well there are few requests
        item = _answer(chance, frame, kind, (1.0,))
        return [evolve(item, own={**item.own, "after": item.own["after"] % 2})]
    if kind in EVENTS:
        return [_event(chance, frame, kind, (1.0,))]
    if kind in HAPPENINGS:
        return [_happening(chance, frame, kind)]
    if kind in RATES:
        rates, for_ms = {kind: RATES[kind]}, frame.busy_ms - READY_MS
        return [Item("weather", READY_MS, for_ms, venue, rates) for venue in frame.venues]
    if kind.startswith("partition-"):
        at_ms = _within(chance, frame)
        item = _partition(chance, frame, at_ms, min(20_000, frame.busy_ms - at_ms))
        return [evolve(item, own={**item.own, "stops": kind.removeprefix("partition-")})]
    if kind in ("our-clock-off", "clock-skew"):
        return [_clock(chance, frame, ours=kind == "our-clock-off")]
    return _kills(chance, frame)


ANSWERS = (
    "ack-lost", "request-lost", "slow-response", "truncated-body", "empty-body", "html-body", "list-body", "null-body",
    "unknown-503", "failed-503", "unavailable-503", "gateway-504", "backend-timeout", "overload", "refuse",
    "rate-limited", "banned", "forbidden",
)  # fmt: skip
HIDING = ("kill", "weather", "partition")
SILENCED = ("rate-limited", "banned", "forbidden")
EITHER = ("empty-body", "html-body", "list-body", "null-body", "unknown-503", "gateway-504", "backend-timeout")
REFUSALS: tuple[dict[str, Any], ...] = (
    {"at": "binance", "code": -2021, "path": "/fapi/v1/algoOrder", "method": "POST"},
    {"at": "binance", "code": -4509, "path": "/fapi/v1/algoOrder", "method": "POST"},
    {"at": "binance", "code": -4130, "path": "/fapi/v1/algoOrder", "method": "POST"},
    {"at": "binance", "code": -2022, "path": "/fapi/v1/order", "method": "POST", "after": 2},
    {"at": "binance", "code": -2013, "path": "/fapi/v1/order", "method": "GET"},
    {"at": "binance", "code": -2019, "path": "/fapi/v1/order", "method": "POST"},
    {"at": "bybit", "code": 110001, "path": "/v5/order/realtime", "method": "GET"},
    {"at": "bybit", "code": 34040, "path": "/v5/position/trading-stop", "method": "POST"},
    {"at": "bybit", "code": 110007, "path": "/v5/order/create", "method": "POST"},
    {"at": "bybit", "code": 10002, "path": "/v5/*", "method": "POST"},
)
EVENTS = (
    "lose-event", "duplicate-event", "delay-event", "swap-events", "stop-vanishes", "short-child", "reject-order",
    "fill-races", "trigger-races",
)  # fmt: skip


def _somewhere(chance: random.Random) -> dict[str, Any]:
    """In a market that is set later."""
    return {"market": ""}


def _filters(chance: random.Random) -> dict[str, Any]:
    return {**_somewhere(chance), "tick_factor": chance.choice((1, 10)), "step_factor": 1, "min_notional_factor": 1}


HAPPENINGS: Mapping[str, Callable[[random.Random], dict[str, Any]]] = {
    "position-changed": lambda chance: {**_somewhere(chance), "qty": chance.choice(("0", "0", "1", "-1"))},
    "liquidation": _somewhere,
    "streams-closed": lambda chance: {"for_ms": chance.choice((0, 5_000, 60_000)), "lasts_ms": 60_000},
    "streams-silent": lambda chance: {"for_ms": chance.choice((5_000, 60_000)), "lasts_ms": 60_000},
    "listen-keys-expire": lambda chance: {},
    "stale-reads": lambda chance: {"lag_ms": chance.choice((5_000, 30_000, 600_000)), "for_ms": 120_000},
    "funding": _somewhere,
    "filters-change": _filters,
    "leverage-changed": lambda chance: {**_somewhere(chance), "leverage": chance.choice((3, 50))},
}
_MAKERS: tuple[tuple[Callable[[random.Random, Frame], list[Item]], float], ...] = (
    (_weather, 0.5),
    (_partitions, 0.3),
    (_clocks, 0.15),
    (_jumps, 0.4),
    (_kills, 0.5),
    (_answers, 0.4),
    (_events, 0.4),
    (_happenings, 0.3),
)


def everything_that_happens() -> frozenset[str]:
    """What a long enough campaign meets, by the names under which a run counts it."""
    others = ("partition-all", "partition-reads", "partition-writes", "our-clock-off", "clock-skew")
    deaths = (f"killed: {point}" for point in (SEND, SENT, ANSWERED, BEFORE_WRITE, AFTER_WRITE))
    return frozenset((*ANSWERS, *EVENTS, *HAPPENINGS, *RATES, *others, *deaths))
