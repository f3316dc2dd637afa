"""What the tests share: the whole product in virtual time on one emulated venue, with faults exactly where a test says.

Kernel, journal, exchange plugins and ccxt are the real ones; prices stand still unless a test moves them. Every scene
is judged by the oracle, and by the journal against the venue's ledger.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from framework import Event, FillRecorded, PositionChanged
from framework.testing import Product
from framework_simulator.emulator.world import World
from framework_simulator.simulation import Item, Outcome, Run, Schedule
from framework_simulator.simulation.deployment import ENVIRON, configurations, variant_of
from framework_simulator.simulation.run import Doom
from framework_simulator.simulation.verdicts import compare
from framework_simulator.simulation.weather import Way, Weather
from tests.oracle.outages import Window
from tests.simulation.judging import bounds_of, judge
from tests.survival import ledger

MS = 1_000_000
SYMBOL, OTHER = "ETHUSDT", "BTCUSDT"
VENUES = ("binance", "bybit")

SIGNAL_MS, RISE_MS, FALL_MS = 5_000, 30_000, 60_000
"""When a position is wanted; when its price runs, so that its stop has to follow; when it falls through that stop."""

CALM_MS, END_MS = 90_000, 150_000

LATENCY_MS = 20
"""There and back takes one and a half of it each at most."""

ORDER = {"binance": "/fapi/v1/order", "bybit": "/v5/order/create"}
"""The route of entries and closes."""

STOP = {"binance": "/fapi/v1/algoOrder", "bybit": "/v5/position/trading-stop"}
"""The route of stops, of all that are placed on Binance, of those that are moved on Bybit."""

SETTING = "warm_connections = 0"
"""A line of an account's settings, that others are put after."""

PRIVATE = {"binance": "/private/*", "bybit": "/v5/private"}


# ── what happens ────────────────────────────────────────────────────────────────────────────────────────────────


def signal(venue: str, side: str = "long", symbol: str = SYMBOL, at_ms: int = SIGNAL_MS) -> Item:
    """Somebody wants a position."""
    return Item("signal", at_ms, venue=venue, own={"symbol": symbol, "side": side})


def jump(venue: str, percent: int, at_ms: int) -> Item:
    """The price leaps."""
    return Item("jump", at_ms, venue=venue, own={"symbol": SYMBOL, "percent": percent})


def rises(venue: str) -> Item:
    """The price runs: the stop has to follow."""
    return jump(venue, 3, RISE_MS)


def falls(venue: str) -> Item:
    """The price falls through the stop."""
    return jump(venue, -3, FALL_MS)


def rule(venue: str, name: str, *, at_ms: int = 0, **own: Any) -> Item:
    """One of the emulator's faults, from `at_ms` on."""
    return Item("rule", at_ms, CALM_MS - at_ms, venue, {"name": name, **own})


def happening(venue: str, name: str, at_ms: int, **own: Any) -> Item:
    """One of the emulator's faults that come by themselves, at `at_ms`."""
    return Item("rule", at_ms, CALM_MS - at_ms, venue, {"name": name, "at_ms": 0, **own})


def act(at_ms: int, do: Callable[[World], object]) -> Item:
    """Anything else that is done to the venues."""
    return Item("act", at_ms, own={"do": do})


def turn(venue: str, path: str, *, method: str = "POST", after: int = 0, count: int = 1, **way: Any) -> Item:
    """How some requests travel: `count` of those on a path, but for the first `after`.

    `way`: what `Way` has, besides `late_ms` (it arrives so much later), `slow_ms` (it is answered so much later) and
    `dies` (the process is killed once the request is on its way).
    """
    return Item("turn", venue=venue, own={"path": path, "method": method, "after": after, "count": count, **way})


@define(eq=False)
class DirectedRoads(Weather):
    """A network in which chosen requests travel as a test says, and all others as they should."""

    turns: tuple[Item, ...] = field(default=(), kw_only=True)
    doom: Doom = field(kw_only=True)
    seen: Counter[int] = field(factory=Counter, init=False)

    def request(self, venue: str, method: str, path: str, within_s: float) -> Way:
        """See `Weather.request`."""
        usual = super().request(venue, method, path, within_s)
        for number, item in enumerate(self.turns):
            own = dict(item.own)
            if item.venue != venue or own.pop("method") != method or not fnmatchcase(path, own.pop("path")):
                continue
            self.seen[number] += 1
            if 0 < self.seen[number] - own.pop("after") <= own.pop("count"):
                return self._directed(venue, method, path, usual, own)
        return usual

    def _directed(self, venue: str, method: str, path: str, usual: Way, own: dict[str, Any]) -> Way:
        late_ms, slow_ms = own.pop("late_ms", 0), own.pop("slow_ms", 0)
        if own.pop("dies", False):
            self.doom.kills = {**self.doom.kills, len(self.doom.points) + 1: Item("kill", own={"down_ms": 400})}
        self._tell(venue, "turn", method=method, path=path, delay_ms=late_ms + slow_ms + 10_000)
        return Way(usual.there_ns + late_ms * MS, usual.back_ns + slow_ms * MS, **own)


Between = Callable[[Path], object]
"""What is done to the state directory while the product is down."""


@define(eq=False)
class DirectedRun(Run):
    """A run whose roads obey the schedule's turns, and whose acts are done; `between` two lives something may be."""

    between: Between | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        schedule = self.schedule
        self.weather = DirectedRoads(
            self.world,
            schedule.chance("weather"),
            schedule.latency_ms * MS,
            turns=schedule.of("turn"),
            doom=self.doom,
        )
        for item in schedule.of("act"):
            self.world.schedule(item.at_ms * MS, lambda item=item: item.own["do"](self.world))  # type: ignore[misc]

    def _live(self, end_ns: int) -> Any:
        if self.lives and self.between is not None:
            self.between(self.directory)
        return super()._live(end_ns)


HELPLESS = frozenset({"process-stopped", "stop-gone-untold"})
"""The acts that begin a time in which nothing could be done: nothing of the process runs, or nobody tells it."""


def helpless(world: World, venue: str, name: str, for_ms: int) -> None:
    """Say in the ledger that nothing could be done at a venue from now on for a while, and why."""
    fields = {"name": name, "parameters": {"for_ms": for_ms}}
    world.ledger.write(world.now_ns(), None, "fault", fields, venue=venue)


def helpless_times(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[Window]]:
    """When nothing could be done, by venue."""
    windows: dict[str, list[Window]] = {}
    for line in lines:
        if line["kind"] == "fault" and line["name"] in HELPLESS:
            window = (line["t"], line["t"] + line["parameters"]["for_ms"] * MS)
            windows.setdefault(line["venue"], []).append(window)
    return windows


# ── what is left ────────────────────────────────────────────────────────────────────────────────────────────────


@frozen
class Seen:
    """What a scene left behind."""

    outcome: Outcome
    problems: tuple[str, ...]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The venue's ledger."""
        return self.outcome.lines

    @property
    def met(self) -> Mapping[str, int]:
        """How often each fault really happened."""
        return self.outcome.met

    @property
    def steps(self) -> list[PositionChanged]:
        """The steps of the positions, in order."""
        return [one for one in self.outcome.records if isinstance(one, PositionChanged)]

    @property
    def states(self) -> list[str]:
        """The states of the position, in order, each once in a row."""
        found: list[str] = []
        for step in self.steps:
            if not found or found[-1] != step.to_state:
                found.append(step.to_state)
        return found

    @property
    def exit_reason(self) -> str | None:
        """Why the position was left, as the journal says."""
        return self.steps[-1].summary.exit_reason

    @property
    def held(self) -> Decimal:
        """What is open at the end."""
        return ledger.held(self.lines).get(SYMBOL, Decimal(0))

    @property
    def triggers(self) -> list[Decimal]:
        """Where stops rest at the end."""
        return ledger.triggers(self.lines, SYMBOL)

    @property
    def stops(self) -> list[Decimal]:
        """Where stops have rested at the venue, in order."""
        return [
            Decimal(line["trigger_price"])
            for line in ledger.of_kind(self.lines, "stop", symbol=SYMBOL, status="untriggered")
        ]

    @property
    def codes(self) -> Counter[str]:
        """What people were told, by code."""
        return Counter(one.code for one in self.outcome.records if isinstance(one, Event))

    @property
    def fills(self) -> list[str]:
        """The sides of the executions at the venue, in order."""
        return [side for side, _, _ in ledger.fills(self.lines, SYMBOL)]

    @property
    def journalled(self) -> list[str]:
        """The sides of the executions that the journal has."""
        return [one.fill.side.value for one in self.outcome.records if isinstance(one, FillRecorded)]

    def sent(self, path: str, method: str = "POST") -> list[dict[str, Any]]:
        """The requests that reached the venue on a path."""
        return [
            line
            for line in self.lines
            if line["kind"] == "request" and line["method"] == method and fnmatchcase(line["path"], path)
        ]

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The requests for an entry that reached the venue."""
        names = ("newClientOrderId", "orderLinkId")
        found = [line for path in ORDER.values() for line in self.sent(path) if line["params"]["symbol"] == SYMBOL]
        return [line for line in found if any(ledger.ENTRY_MARK in str(line["params"].get(name)) for name in names)]


def well(seen: Seen, *, protected: bool | None = None) -> Seen:
    """The required outcome: no rule broken, at most one entry, protected or flat as the journal says.

    `protected`: which of both it has to be, where that is certain.
    """
    assert not seen.problems, "\n".join(seen.problems)
    assert len(seen.entries) <= 1
    state = seen.states[-1] if seen.states else "never wanted"
    assert (state == "protected") == (seen.held != 0), (state, seen.held)
    assert len(seen.triggers) == (1 if seen.held else 0)
    if protected is not None:
        assert (seen.held != 0) == protected, seen.states
    return seen


def plain(venue: str) -> str:
    """The variant with one account that buys at the market."""
    return variant_of("market", (venue,))


def resting(venue: str) -> str:
    """The variant with one account that tries a limit order first."""
    return variant_of("limit-then-market", (venue,))


def impatient(venue: str) -> str:
    """The variant that gives a request up after two seconds."""
    return f"{plain(venue)}, impatient"


@define(eq=False)
class Theatre:
    """Where scenes are played: the product is loaded once for all of them."""

    product: Product
    scratch: Path
    count: int = 0

    def play(
        self,
        venue: str,
        *items: Item,
        end_ms: int = END_MS,
        between: Between | None = None,
        variant: str = "",
        bounds: Mapping[str, int] | None = None,
    ) -> Seen:
        """Play a scene to its end and judge it. Faults end a minute before that.

        `variant`: how it is configured, `plain` unless told. `bounds`: those by which it is judged otherwise.
        """
        self.count += 1
        schedule = Schedule(
            seed=1,
            items=items,
            calm_ms=end_ms - (END_MS - CALM_MS),
            end_ms=end_ms,
            latency_ms=LATENCY_MS,
            variant=variant or plain(venue),
            step_ms=1_000_000_000,
            volatility=0.0,
        )
        run = DirectedRun(self.product, schedule, self.scratch / f"scene-{self.count}", between=between)
        outcome = run.to_the_end()
        judged_by = replace(bounds_of(schedule), **(bounds or {}))
        return Seen(outcome, (*compare(outcome), *judge(outcome, judged_by, helpless_times(outcome.lines))))


@contextmanager
def theatre() -> Iterator[Theatre]:
    """A place of its own for the journals of the scenes."""
    memory = Path("/dev/shm")  # noqa: S108 - a directory of its own is made there
    with tempfile.TemporaryDirectory(prefix="faults-", dir=memory if memory.is_dir() else None) as scratch:
        usual = configurations()
        hasty = {
            impatient(venue): usual[plain(venue)].replace(SETTING, f'{SETTING}\nrequest_timeout_s = "2"')
            for venue in VENUES
        }
        yield Theatre(Product({**usual, **hasty}, ENVIRON, Path(scratch)), Path(scratch))
