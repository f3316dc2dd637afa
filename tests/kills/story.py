"""One story: the product trades on emulated venues, is killed again and again, and is looked at in the end."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from attrs import define, field, frozen

from framework import PositionChanged
from framework.journal import JournalReader
from framework_simulator.emulator.build import DEFAULT_KEY
from tests.oracle.bounds import Bounds
from tests.oracle.invariants.one_entry import OneEntry
from tests.oracle.judging import Case, Judgement, judge
from tests.oracle.names import Names
from tests.oracle.plans import Plans, read_plans
from tests.oracle.uptime import Uptime

from .house import SYMBOLS, VENUES, House, built, said, until
from .market import Market
from .moments import NEVER, UP_WITHIN_S, Doom, Moment
from .nursery import Nursery
from .product import Process
from .sender import Wish
from .witness import Witness, now_ns

NAMES = Names("fw")
BOUNDS = Bounds(naked_max_ms_bybit=Bounds().naked_max_ms_binance, settling_s=600)
"""On Bybit a stop that was gone, or no longer right, when the product came up is set anew as elsewhere."""

TRAILS_BY = "0.0048"
"""The deployment's trailing distance, less what a tick may move a stop: no stop follows the market closer."""

DEADLINE_NS = 30_000_000_000
"""The deployment's `entry_deadline_s`."""

WAVE_PAUSE_S = (0.0, 0.6)
WAVES_A_LIFE = 2
SETTLED_S = 240.0
"""An entry that nobody answered is given up after a minute or so; a busy machine is slow."""

LOOKED_AT_EVERY_S = 0.05


@frozen
class Ending:
    """How one life ended: the moment that was drawn, and the one that it was.

    `recovering`: something was open, and the life had not read all of it back yet.
    """

    drawn: str
    struck: str
    count: int
    lived_s: float
    was_up: bool
    recovering: bool = False


@define
class Outcome:
    """What a story left behind.

    `planned`: how many lives were to be ended. `judged`: the story was told to its end, and looked at.
    """

    seed: str
    planned: int = 0
    judged: bool = False
    endings: list[Ending] = field(factory=list)
    problems: list[str] = field(factory=list)
    figures: dict[str, Any] = field(factory=dict)

    @property
    def struck(self) -> Counter[str]:
        """How often a life ended at each kind of moment."""
        return Counter(one.struck for one in self.endings)

    @property
    def unjudged(self) -> int:
        """How many of its kills nobody has judged: those that never were among them."""
        return 0 if self.judged else self.planned


@define(eq=False)
class Story:
    """Ends a life at each of the `moments`, then lets one live until everything is in order.

    What else chance decides follows `seed`. `directory` must be empty. `nursery`: where lives come from that are not
    ended while they start, to be quicker; the last life of each story comes from a new interpreter all the same.
    """

    seed: str
    moments: Sequence[Moment]
    directory: Path
    nursery: Nursery | None = None
    chance: Random = field(init=False)
    outcome: Outcome = field(init=False)
    _doom: Doom | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.outcome = Outcome(self.seed, len(self.moments))

    async def told(self) -> Outcome:
        """Let it happen."""
        async with built(self.directory, sink=self._line) as house:
            witness = Witness(house)
            house.sender.heard = self._heard
            market = Market(house, Random(f"{self.seed}/market"))
            market.begin()
            try:
                for moment in self.moments:
                    await self._life(house, witness, moment)
            finally:
                await market.stop()
            await self._last_life(house, witness)
            self._judge(house, witness)
            self.outcome.judged = True
        return self.outcome

    # ── lives ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _life(self, house: House, witness: Witness, moment: Moment) -> None:
        died_ns, began = 0, time.perf_counter()
        life: Process | None = None

        def strike() -> None:
            nonlocal died_ns
            if life is not None:
                life.kill()
                died_ns = now_ns()

        doom = self._doom = Doom(moment, strike, house.journal, bool(house.held()))
        if self.chance.random() < 0.5:
            self._wave(house)
        nursery = None if moment.kind == "starting" else self.nursery
        life = await house.run(on_line=lambda line: doom.printed(), nursery=nursery)
        doom.born()
        if doom.struck:  # on a busy machine it may come that far before we know of its process
            strike()
        feeding = asyncio.create_task(self._feed(house, doom))
        try:
            status = await life.ended(2 * UP_WITHIN_S)  # the doom strikes long before
        finally:
            self._doom = None
            doom.over()
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        if not doom.struck:
            witness.problems.append(f"a life ended by itself with status {status}: {life.err}")
        elif doom.struck == NEVER:
            witness.problems.append(f"its session was not up within {UP_WITHIN_S:g} s: {life.out[-3:]} {life.err}")
        witness.died(life, died_ns or now_ns())
        lived_s = round(time.perf_counter() - began, 3)
        was_up = any("live: accounts" in line for line in life.out)
        ending = Ending(moment.kind, doom.struck, moment.count, lived_s, was_up, doom.struck_recovering)
        self.outcome.endings.append(ending)

    async def _feed(self, house: House, doom: Doom) -> None:
        """Tell when the session is up, and send it a few waves."""
        await said(house.lives[-1], "live: accounts", 2 * UP_WITHIN_S)
        doom.up()
        for _ in range(WAVES_A_LIFE):
            await asyncio.sleep(self.chance.uniform(*WAVE_PAUSE_S))
            self._wave(house)

    def _wave(self, house: House) -> None:
        """Signals for a few markets: most of them flat."""
        flat = [(venue, symbol) for venue in VENUES for symbol in SYMBOLS if (venue, symbol) not in house.held()]
        everywhere = [(venue, symbol) for venue in VENUES for symbol in SYMBOLS]
        chosen = {self.chance.choice(flat or everywhere) for _ in range(3)} | {self.chance.choice(everywhere)}
        house.sender.send([Wish(*one, self.chance.choice(("long", "short"))) for one in sorted(chosen)])

    async def _last_life(self, house: House, witness: Witness) -> None:
        life = await house.run()
        try:
            await said(life, "live: accounts", UP_WITHIN_S)
            await until(
                lambda: life.status is not None or witness.settled(),
                "everything is in order",
                SETTLED_S,
                LOOKED_AT_EVERY_S,
            )
        except AssertionError as error:
            witness.problems.append(f"{error}: {self._unsettled(house)}")
        life.signal(15)
        status = await life.ended()
        if status != 0 or life.err:
            witness.problems.append(f"the last life ended with status {status}: {life.err}")

    def _unsettled(self, house: House) -> str:
        with JournalReader.open(house.journal) as reader:
            rows = [(row.account, row.symbol, row.status, row.state) for row in reader.positions(open_only=True)]
        life, market = house.lives[-1], f"naked {house.naked()}, left over {house.leftovers()}, held {house.held()}"
        return f"{life.out[-3:]} {life.err}, {market}, journal {rows}"

    # ── what is seen ────────────────────────────────────────────────────────────────────────────────────────

    def _line(self, line: dict[str, Any]) -> None:
        if self._doom is not None:
            self._doom.line(line)

    def _heard(self) -> None:
        if self._doom is not None:
            self._doom.acknowledged()

    # ── judging ─────────────────────────────────────────────────────────────────────────────────────────────

    def _judge(self, house: House, witness: Witness) -> None:
        self.outcome.problems += witness.at_the_end()
        up = witness.up()
        judgement = judged(house, up)
        self.outcome.problems += breaches(judgement)
        if house.naked():
            self.outcome.problems.append(f"naked in the end: {house.naked()}")
        with JournalReader.open(house.journal) as reader:
            moved = sum(row.from_price is not None for row in reader.stop_moves())
            signals = len(house.sender.acknowledged)
        self.outcome.figures = {
            **judgement.figures,
            "stops_moved": moved,
            "signals_acknowledged": signals,
            "acknowledgements_lost": sum(not count for count in witness.taken().values()),
            "double_openings": sum(one.count for one in judgement.verdicts if one.number == OneEntry.number),
            "naked_up_ms": {
                venue: [round(one.up_ns / 1e6, 3) for one in judgement.naked if one.venue == venue] for venue in VENUES
            },
            "sessions_begun": len(up),
            "starts_that_waited": sum(any("the start waits" in line for line in life.out) for life in house.lives),
            "requests": sum(line["kind"] == "request" for line in house.lines),
            "ledger_lines": len(house.lines),
        }


def judged(house: House, up: Sequence[tuple[int, int]], *, deadlines: bool = True) -> Judgement:
    """What the oracle thinks of the venues' ledger. `up`: when the product was up, ns UTC.

    Without `deadlines` the instants of the journal are not the venues', because our clock was off.
    """
    case = Case(BOUNDS, Uptime(tuple(up)), plans_of(house.journal, deadlines=deadlines), NAMES, ["127.0.0.1"])
    return judge((json.dumps(line) for line in house.lines), case)


def breaches(judgement: Judgement) -> list[str]:
    """What the oracle finds wrong, a line each."""
    return [
        f"{verdict.number} {verdict.name}: {verdict.count}; {violation.venue} {violation.symbol} at "
        f"{(violation.t - judgement.first_ns) / 1e9:.3f} s, seq {violation.seq}: {violation.what}"
        for verdict in judgement.verdicts
        for violation in verdict.first[:1]
    ]


def plans_of(journal: Path, *, deadlines: bool) -> Plans:
    """What the journal says was planned."""
    with JournalReader.open(journal) as reader:
        records = [row.record() for row in reader.facts()]
    rows = [
        json.dumps(
            {
                "venue": record.account,
                "account": DEFAULT_KEY.account,
                "symbol": record.symbol,
                "side": "buy" if record.summary.side == "long" else "sell",
                "position": record.position_id,
                "max_qty": str(record.summary.quantity),
                "deadline_ns": record.summary.decided_ns + DEADLINE_NS if deadlines else None,
                "trails_by": TRAILS_BY,
            }
        )
        for record in records
        if isinstance(record, PositionChanged) and record.event == "planned"
    ]
    return read_plans(rows, NAMES)
