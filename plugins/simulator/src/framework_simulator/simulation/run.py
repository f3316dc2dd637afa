"""One schedule from beginning to end: the venues, the lives of the product, and what is left to judge."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from framework import (
    Batch,
    Endpoint,
    Exchange,
    Intent,
    Record,
    Rehearsable,
    Secret,
    SessionStarted,
    Side,
    Signal,
)
from framework.testing import Product, SimulatedEnd, SimulatedProcess, SimulatedSource

from ..emulator.build import Plan, build_world
from ..emulator.clock import NS_PER_MS, ManualClock
from ..emulator.funding import FundingClock
from ..emulator.world import KeyInfo, World
from .deployment import KEY, REST, SECRET, STREAMS
from .happening import Happenings
from .path import PricePath
from .rest import Balance
from .schedule import Item, Schedule
from .transport import Carrier
from .weather import Weather

START_NS = 1_700_000_100_000_000_000
BAR_NS = 900_000_000_000
SCORE = Decimal(90)
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 2_000, 30_000
"""How long after an end in failure a life is followed by the next: who looks after the process starts it again."""

MOST_LIVES = 1_000
LOOK_EVERY_NS = 3_000_000_000
RECOVERY_NS = 8_000_000_000
"""So long after a death the points of the next life count, whatever the schedule says."""


@frozen
class Life:
    """From the start of a process to its end, ns UTC, and how it ended. `ready_ns`: when its session began.

    A process that waits for its venues to let it start is not up: it may end without having been able to act.
    """

    from_ns: int
    ready_ns: int | None
    to_ns: int
    end: SimulatedEnd


@define
class Outcome:
    """What a run left behind. `problems` are those that were seen without an oracle. Judges may add `figures`."""

    schedule: Schedule
    lines: list[dict[str, Any]]
    lives: list[Life]
    records: list[Record]
    met: Counter[str]
    points: list[str]
    problems: list[str]
    balance: Balance
    virtual_s: float
    journal_digest: str
    figures: defaultdict[str, list[float]] = field(factory=lambda: defaultdict(list))

    @property
    def ledger_digest(self) -> str:
        """The same for two runs in which the same happened at the venues."""
        text = "\n".join(json.dumps(line, sort_keys=True) for line in self.lines)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def up(self) -> list[tuple[int, int]]:
        """When the product was up, ns UTC."""
        return [(life.ready_ns, life.to_ns) for life in self.lives if life.ready_ns is not None]


@define(eq=False)
class Doom:
    """Counts the points at which the process could die, within the schedule's bounds, and says at which it does."""

    kills: Mapping[int, Item]
    points: list[str] = field(factory=list)
    now_ns: Callable[[], int] = lambda: 0
    from_ns: int = 0
    to_ns: int = 0
    struck: list[str] = field(factory=list)

    def reached(self, point: str) -> bool:
        """See `framework.testing.Fate`."""
        now_ns = self.now_ns()
        if not self.from_ns <= now_ns < self.to_ns:
            return False
        self.points.append(point)
        if self.is_fatal(len(self.points)):
            self.struck.append(point)
            self.to_ns = max(self.to_ns, now_ns + self.down_ms * NS_PER_MS + RECOVERY_NS)
            return True
        return False

    def is_fatal(self, number: int) -> bool:
        """Whether the process dies at the point of this number."""
        return number in self.kills

    @property
    def down_ms(self) -> int:
        """How long the process stays dead this time."""
        item = self.kills.get(len(self.points))
        return 0 if item is None else int(item.own["down_ms"])


@define(eq=False)
class OffClock:
    """What the product believes the time to be."""

    true: ManualClock
    skew_ns: int = 0

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return self.true.now_ns() + self.skew_ns


@define(eq=False)
class Run:
    """Runs one schedule. `product` is loaded once for all; `directory` must be empty.

    `doom` says where the process dies; its bounds are set here. None: where the schedule has it die.
    """

    product: Product
    schedule: Schedule
    directory: Path
    doom: Doom = field(factory=lambda: Doom({}))
    lines: list[dict[str, Any]] = field(factory=list, init=False)
    records: list[Record] = field(factory=list, init=False)
    lives: list[Life] = field(factory=list, init=False)
    problems: list[str] = field(factory=list, init=False)
    time: ManualClock = field(init=False)
    clock: OffClock = field(init=False)
    world: World = field(init=False)
    weather: Weather = field(init=False)
    source: SimulatedSource = field(init=False)
    _intended: set[str] = field(factory=set, init=False)
    balance: Balance = field(factory=Balance, init=False)
    _digest: bytes = field(default=b"", init=False)
    _process: SimulatedProcess | None = field(default=None, init=False)
    _well_since_ns: int | None = field(default=None, init=False)
    _ready_ns: int | None = field(default=None, init=False)
    _carrier: Carrier | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        schedule = self.schedule
        self.time = ManualClock(START_NS)
        self.clock = OffClock(self.time)
        keys = [KeyInfo(KEY, SECRET, "simulated")]
        self.world = build_world(self.time, Plan(keys=keys, sinks=[self._line], seed=schedule.seed))
        self.weather = Weather(self.world, schedule.chance("weather"), schedule.latency_ms * NS_PER_MS)
        self.source = SimulatedSource(self._batches(), self.time)
        first_ns = min(self.source.batches, default=START_NS)
        doom, disarmed_ms = self.doom, schedule.end_ms if schedule.disarmed_ms is None else schedule.disarmed_ms
        doom.kills = {int(kill.own["point"]): kill for kill in schedule.of("kill")}
        doom.now_ns = self.time.now_ns
        doom.from_ns = first_ns if schedule.armed_ms is None else START_NS + schedule.armed_ms * NS_PER_MS
        doom.to_ns = START_NS + disarmed_ms * NS_PER_MS

    def to_the_end(self) -> Outcome:
        """Run it."""
        # What was killed has closed nothing, and ccxt would complain of that.
        logging.getLogger("ccxt").setLevel(logging.ERROR)
        PricePath(self.world, self.schedule).begin()
        FundingClock(self.world).begin()
        Happenings(self.world, self.weather, self.schedule, self.clock, self._cut).begin()
        if self.schedule.rest_ms is not None:
            self.world.schedule(self.schedule.calm_ms * NS_PER_MS, self._look)
        self.product.prepare(self.directory)
        end_ns = START_NS + self.schedule.end_ms * NS_PER_MS
        pause_ms = FIRST_PAUSE_MS
        while self.time.now_ns() < end_ns:
            end = self._live(end_ns)
            if end.end is not None and not end.killed and not end.end.failed:
                break
            down_ms = self.doom.down_ms if end.killed else pause_ms
            pause_ms = FIRST_PAUSE_MS if end.killed else min(LONGEST_PAUSE_MS, pause_ms * 2)
            self.time.advance(min(down_ms * NS_PER_MS, max(0, end_ns - self.time.now_ns())))
            if len(self.lives) > MOST_LIVES:
                self.problems.append(f"more than {MOST_LIVES} lives")
                break
        self.time.advance(5_000 * NS_PER_MS)
        return self._outcome()

    def branch_off(self, item: Item, name: str) -> None:
        """This is a copy of a run, in a process of its own, that goes on otherwise: with one more item.

        The journal is copied as it is. The connection to the first one is left alone: it is another process's.
        """
        self.schedule = evolve(self.schedule, items=(*self.schedule.items, item))
        if self._process is not None:
            self._process.abandon()
        directory = self.directory.with_name(f"{self.directory.name}-{name}")
        shutil.copytree(self.directory, directory)
        self.directory = directory

    def _live(self, end_ns: int) -> SimulatedEnd:
        carrier = self._carrier = Carrier(self.world, self.weather, self.doom, self._check_request)
        process = self._process = SimulatedProcess(
            deployment=self.product.deployment(self.schedule.variant),
            directory=self.directory,
            exchanges=self._exchanges(carrier),
            source=self.source,
            clock=self.clock,
            outside=self.time,
            seed=f"{self.schedule.seed}/{len(self.lives)}",
            fate=self.doom,
            on_born=carrier.begin,
            on_commit=self._committed,
        )
        from_ns, self._ready_ns = self.time.now_ns(), None
        end = process.live(end_ns)
        carrier.die()
        self._process = None
        self.lives.append(Life(from_ns, self._ready_ns, self.time.now_ns(), end))
        return end

    def _exchanges(self, carrier: Carrier) -> Mapping[str, Exchange]:
        made: dict[str, Exchange] = {}
        for name, component in self.product.exchanges(self.schedule.variant).items():
            if not isinstance(component, Rehearsable):
                raise TypeError(f"{name} can't be pointed elsewhere")
            made[name] = component.at(Endpoint(REST[name], STREAMS[name], Secret(KEY), Secret(SECRET), carrier.session))
        return made

    def _look(self) -> None:
        """Nothing goes wrong any more. Has everything been well for long enough?"""
        now_ns, counts_fills = self.time.now_ns(), self.schedule.keeps_time
        is_up = self._process is not None and self._ready_ns is not None
        if (
            not is_up
            or not self.source.is_done
            or not self.balance.is_well(self.schedule.touched, counts_fills=counts_fills)
        ):
            self._well_since_ns = None
        elif self._well_since_ns is None:
            self._well_since_ns = now_ns
        elif now_ns - self._well_since_ns >= (self.schedule.rest_ms or 0) * NS_PER_MS and self._process is not None:
            self._process.finish()
            return
        self.world.schedule(LOOK_EVERY_NS, self._look)

    def _cut(self, venue: str) -> None:
        if self._carrier is not None and not self._carrier.is_dead:
            self._carrier.cut(venue)

    # ── signals ─────────────────────────────────────────────────────────────────────────────────────────────

    def _batches(self) -> dict[int, Callable[[], Batch]]:
        waves: dict[int, list[Item]] = {}
        for item in self.schedule.of("signal"):
            waves.setdefault(item.at_ms, []).append(item)
        return {
            START_NS + at_ms * NS_PER_MS: lambda items=items, number=number: self._batch(items, number)  # type: ignore[misc]
            for number, (at_ms, items) in enumerate(sorted(waves.items()))
        }

    def _batch(self, items: Sequence[Item], number: int) -> Batch:
        now_ns = self.clock.now_ns()
        bar_ns = (START_NS // BAR_NS - 10 + number) * BAR_NS
        return Batch(
            tuple(
                Signal(
                    id=f"{number}-{item.venue}-{item.own['symbol']}",
                    source="simulated",
                    account=item.venue,
                    symbol=item.own["symbol"],
                    side=Side(item.own["side"]),
                    bar_time_ns=bar_ns,
                    created_ns=now_ns,
                    received_ns=now_ns,
                    score=SCORE,
                )
                for item in items
            ),
            complete=True,
        )

    # ── what is seen ────────────────────────────────────────────────────────────────────────────────────────

    def _line(self, line: dict[str, Any]) -> None:
        self.lines.append(line)
        self.balance.line(line)

    def _committed(self, records: Sequence[Record], digest: bytes) -> None:
        self.records.extend(records)
        self.balance.recorded(records)
        self._digest = digest
        for record in records:
            if isinstance(record, Intent):
                self._intended.add(record.client_id)
            elif isinstance(record, SessionStarted):
                self._ready_ns = self.time.now_ns()

    def _check_request(self, client_ids: Sequence[str]) -> None:
        """A request of ours is about to leave: its intent must be durable."""
        for identifier in client_ids:
            if identifier not in self._intended:
                self.problems.append(f"a request with {identifier} left before its intent was durable")

    def _outcome(self) -> Outcome:
        met = Counter(line["name"] for line in self.lines if line["kind"] == "fault")
        met.update(f"killed: {point}" for point in self.doom.struck)
        self.problems += [f"the emulator has a defect: {defect.trace}" for defect in self.world.defects]
        return Outcome(
            schedule=self.schedule,
            lines=self.lines,
            lives=self.lives,
            records=self.records,
            met=met,
            points=self.doom.points,
            problems=self.problems,
            balance=self.balance,
            virtual_s=(self.time.now_ns() - START_NS) / 1e9,
            journal_digest=self._digest.hex(),
        )


__all__ = ["START_NS", "Life", "Outcome", "Run"]
