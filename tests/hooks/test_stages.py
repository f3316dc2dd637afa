"""The hook `stages`: in a rehearsal the stage of a plugin stands in for the venues of real exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import define, evolve, field, frozen

from framework import (
    Ask,
    Batch,
    Capabilities,
    Clock,
    ConfigError,
    Endpoint,
    Exchange,
    ExchangeLink,
    Guard,
    Holding,
    MarketUpdate,
    NoState,
    Outcome,
    PluginError,
    Protection,
    QuoteUpdate,
    Record,
    Secret,
    SessionEnded,
    SessionMode,
    SessionStarted,
    SignalSource,
    SourceLink,
    Stage,
    StopMoved,
    Timeline,
    hookimpl,
)
from framework.config import Deployment, load_deployment, placeholder_from
from framework.rehearse import RehearsalStart, run_rehearsal
from framework.testing import NOW_NS, SYMBOL, make_quote, make_signal
from tests.hooks import stage as hooks_stage
from tests.hooks.base import Venue

HOUR_NS = 3_600_000_000_000


@frozen
class Slow:
    """A recorded session: one signal, a quote an hour later, and a day in which nothing happens."""

    name: ClassVar[str] = "slow"

    def timeline(self) -> Timeline | None:
        return Timeline(NOW_NS)

    async def run(self, link: SourceLink) -> None:
        await link.submit(Batch((make_signal(id="slow-1", account="main"),), complete=True))
        await link.until(NOW_NS + HOUR_NS)
        link.publish(QuoteUpdate("main", SYMBOL, make_quote(109, 111, last=110, time_ns=link.clock.now_ns())))
        await link.until(NOW_NS + 25 * HOUR_NS)


@frozen
class Brief:
    """A live source: one signal of now, and then no more."""

    name: ClassVar[str] = "brief"

    def timeline(self) -> Timeline | None:
        return None

    async def run(self, link: SourceLink) -> None:
        now_ns = link.clock.now_ns()
        signal = make_signal(id="brief-1", account="main", bar_time_ns=now_ns, created_ns=now_ns, received_ns=now_ns)
        await link.submit(Batch((signal,), complete=True))
        await link.until(now_ns + 1_000_000)


@define
class Far(Venue):
    """A real venue, as far as the kernel can know. Keeps the address and keys with which it was started."""

    name: ClassVar[str] = "far"
    started: ClassVar[list[tuple[str, str]]] = []
    running: ClassVar[list[Far]] = []

    key: Secret
    base_url: str = "https://far.example"
    capabilities: Capabilities = field(default=Capabilities(amends_stops=True), init=False)

    async def start(self, link: ExchangeLink) -> None:
        await Venue.start(self, link)
        self.started.append((self.base_url, self.key.reveal()))
        self.running.append(self)

    def at(self, endpoint: Endpoint) -> Exchange:
        return evolve(self, base_url=endpoint.rest, key=endpoint.key)


@define
class Stuck(Venue):
    """A real venue that can't be pointed elsewhere."""

    name: ClassVar[str] = "stuck"

    capabilities: Capabilities = field(default=Capabilities(amends_stops=True), init=False)


@define
class Beside(Venue):
    """A simulated exchange that has business of its own with the clock, two hours after the start."""

    name: ClassVar[str] = "beside"
    went: ClassVar[list[int]] = []
    played: ClassVar[list[MarketUpdate]] = []

    def next_ns(self) -> int | None:
        return None if self.went else NOW_NS + 2 * HOUR_NS

    async def advance(self, to_ns: int) -> None:
        if to_ns >= NOW_NS + 2 * HOUR_NS:
            self.went.append((to_ns - NOW_NS) // HOUR_NS)

    def play(self, update: MarketUpdate) -> None:
        self.played.append(update)


@define
class Nearby:
    """Stands in for `far`, without a socket; what it was asked is kept."""

    name: ClassVar[str] = "nearby"
    venues: ClassVar[frozenset[str]] = frozenset({"far"})
    said: ClassVar[list[str]] = []

    town: str = "here"
    _bell_ns: int | None = field(default=None, init=False)

    async def start(self, clock: Clock, accounts: Mapping[str, str], recorded: bool) -> Mapping[str, Endpoint]:
        self.said.append(f"start {dict(accounts)} recorded={recorded} {(clock.now_ns() - NOW_NS) // HOUR_NS} h")
        url = f"127.0.0.1:{self.town}"
        return {name: Endpoint(f"http://{url}", f"ws://{url}", Secret("made up"), Secret("too")) for name in accounts}

    async def stop(self) -> None:
        self.said.append("stop")

    def play(self, update: MarketUpdate) -> None:
        Far.running[-1].play(update)
        self._bell_ns = NOW_NS + 9 * HOUR_NS

    def next_ns(self) -> int | None:
        return self._bell_ns

    def is_busy(self) -> bool:
        return False

    async def advance(self, to_ns: int) -> None:
        self.said.append(f"advance {(to_ns - NOW_NS) // HOUR_NS} h")
        if to_ns == self._bell_ns:
            self._bell_ns = None

    def notes(self) -> tuple[str, ...]:
        return (f"listening {self.town}",)


@hookimpl
def signal_sources() -> list[type[SignalSource]]:
    return [Slow, Brief]


@hookimpl
def exchanges() -> list[type[Exchange]]:
    return [Far, Stuck, Beside]


@frozen
class Climb:
    """A stop that is raised to 104 once the price has come to 105."""

    name: ClassVar[str] = "climb"
    state_type: ClassVar[type] = NoState

    def start(self, holding: Holding) -> Guard:
        return Guard(NoState(), Decimal(94), Ask(above=Decimal(105)))

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        return Guard(NoState(), Decimal(104))


@frozen
class Wait:
    """A stop that is raised to 99 after five hours, whatever the price."""

    name: ClassVar[str] = "wait"
    state_type: ClassVar[type] = NoState

    def start(self, holding: Holding) -> Guard:
        return Guard(NoState(), Decimal(94), Ask(at_ns=NOW_NS + 5 * HOUR_NS))

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        return Guard(NoState(), Decimal(99))


@define
class Elsewhere(Nearby):
    """Another one."""

    name: ClassVar[str] = "elsewhere"


@define(kw_only=True)
class Demanding(Nearby):
    """One with a setting that has no default."""

    name: ClassVar[str] = "demanding"

    door: str


OFFERED: list[type[Stage]] = [Nearby]


@hookimpl
def stages() -> list[type[Stage]]:
    return list(OFFERED)


@hookimpl
def protections() -> list[type[Protection]]:
    return [Climb, Wait]


FAR = '[exchanges.main]\nuse = "far"\nmax_positions_per_wave = 1\nkey = { env = "FAR_KEY" }'
SLOW = '[[signals]]\nuse = "slow"'


@pytest.fixture(autouse=True)
def _anew() -> None:
    for kept in (Far.started, Far.running, Nearby.said):
        kept.clear()


def prepared(stage: hooks_stage.Stage, **tables: str) -> Deployment:
    stage.install(__name__)
    path = stage.write(**{"exchanges": FAR, "signals": SLOW, **tables})
    return load_deployment(path, environ={}, exchange_secret=placeholder_from)


def rehearse(stage: hooks_stage.Stage, **tables: str) -> tuple[list[Record], RehearsalStart]:
    records: list[Record] = []
    starts: list[RehearsalStart] = []
    end = run_rehearsal(prepared(stage, **tables), on_start=starts.append, on_record=records.append)
    assert end.reason == "recording ended"
    return records, starts[0]


def test_the_exchange_is_pointed_at_the_stage_with_the_stages_keys(stage: hooks_stage.Stage) -> None:
    rehearse(stage, rehearsal='[rehearsal]\nuse = "nearby"\ntown = "there"')

    assert Far.started == [("http://127.0.0.1:there", "made up")]


def test_the_only_stage_that_is_offered_needs_no_table(stage: hooks_stage.Stage) -> None:
    _, start = rehearse(stage)

    assert (start.stage, start.notes) == ("nearby", ("listening here",))


def test_time_jumps_from_line_to_line_and_halts_where_the_stage_wants_to(stage: hooks_stage.Stage) -> None:
    records, _ = rehearse(stage)

    assert Nearby.said == [
        "start {'main': 'far'} recorded=True 0 h", "advance 1 h", "advance 9 h", "advance 25 h", "stop",
    ]  # fmt: skip
    (ended,) = [record for record in records if isinstance(record, SessionEnded)]
    assert ended.time_ns >= NOW_NS + 25 * HOUR_NS


def moves(records: list[Record]) -> list[tuple[Decimal, int]]:
    """Where the stop was moved to, and in which hour."""
    moved = [record for record in records if isinstance(record, StopMoved)]
    return [(move.to_price, (move.time_ns - NOW_NS) // HOUR_NS) for move in moved if move.from_price is not None]


def test_the_recorded_market_reaches_the_position_on_the_stage(stage: hooks_stage.Stage) -> None:
    records, _ = rehearse(stage, protection='[[protection]]\nuse = "climb"')

    assert moves(records) == [(Decimal(104), 1)]


def test_a_protection_that_asks_for_a_time_is_asked_at_that_time(stage: hooks_stage.Stage) -> None:
    records, _ = rehearse(stage, protection='[[protection]]\nuse = "wait"')

    assert moves(records) == [(Decimal(99), 5)]
    assert "advance 5 h" in Nearby.said


def test_a_simulated_exchange_takes_part_as_it_is_and_is_told_the_recording_once(stage: hooks_stage.Stage) -> None:
    Beside.went.clear()
    Beside.played.clear()
    beside = '[exchanges.paper]\nuse = "beside"\nmax_positions_per_wave = 1'

    rehearse(stage, exchanges=f"{FAR}\n\n{beside}")

    assert Far.started == [("http://127.0.0.1:here", "made up")]
    assert Nearby.said[0].startswith("start {'main': 'far'}")
    assert Beside.went[0] == 2
    assert len(Beside.played) == 1


def test_without_a_recording_the_stage_knows_and_time_passes_as_it_does(stage: hooks_stage.Stage) -> None:
    records: list[Record] = []
    deployment = prepared(stage, signals='[[signals]]\nuse = "brief"')

    end = run_rehearsal(deployment, on_record=records.append)

    assert (end.reason, end.failed) == ("sources ended", False)
    assert Nearby.said[0].startswith("start {'main': 'far'} recorded=False")
    assert Nearby.said[1:] == ["stop"]
    entries = [record for record in records if isinstance(record, Outcome) and record.action == "entry"]
    assert [entry.result for entry in entries] == ["accepted"]


def test_the_journal_says_that_it_was_a_rehearsal(stage: hooks_stage.Stage) -> None:
    records, start = rehearse(stage)

    (started,) = [record for record in records if isinstance(record, SessionStarted)]
    assert (started.mode, started.recorded, start.session.mode) == (
        SessionMode.REHEARSAL, True, SessionMode.REHEARSAL,
    )  # fmt: skip


def test_a_rehearsal_begins_with_an_empty_journal_every_time(stage: hooks_stage.Stage) -> None:
    deployment = prepared(stage)
    starts: list[RehearsalStart] = []
    for _ in range(2):
        run_rehearsal(deployment, on_start=starts.append)

    first, second = (start.session.set_aside for start in starts)
    assert first is None
    assert second is not None
    assert second.exists()


def refusal(deployment: Deployment) -> str:
    with pytest.raises(ConfigError) as caught:
        run_rehearsal(deployment)
    assert not deployment.state.exists(), "nothing is begun"
    return "\n".join(str(problem) for problem in caught.value.problems)


def test_an_exchange_that_can_not_be_pointed_elsewhere_is_refused(stage: hooks_stage.Stage) -> None:
    deployment = prepared(stage, exchanges='[exchanges.main]\nuse = "stuck"\nmax_positions_per_wave = 1')

    assert refusal(deployment).endswith(
        "[exchanges.main]: stuck can't be rehearsed: it can't be pointed at another address; disable it for now"
    )


def test_every_account_that_can_not_be_rehearsed_is_named_at_once(stage: hooks_stage.Stage) -> None:
    table = '[exchanges.{}]\nuse = "stuck"\nmax_positions_per_wave = 1'
    deployment = prepared(stage, exchanges=f"{table.format('main')}\n\n{table.format('second')}")

    assert [line.partition("[")[2].partition("]")[0] for line in refusal(deployment).splitlines()] == [
        "exchanges.main", "exchanges.second",
    ]  # fmt: skip


def test_a_venue_that_the_stage_does_not_stand_in_for_is_refused(
    stage: hooks_stage.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = prepared(stage)
    monkeypatch.setattr(Nearby, "venues", frozenset({"moon", "mars"}))

    assert refusal(deployment).endswith(
        "the stage nearby does not stand in for far, only for mars, moon; disable it for now"
    )


def test_a_deployment_of_simulated_exchanges_alone_has_nothing_to_rehearse(stage: hooks_stage.Stage) -> None:
    deployment = prepared(stage, exchanges='[exchanges.main]\nuse = "venue"\nmax_positions_per_wave = 1')

    assert refusal(deployment).endswith(
        "every enabled exchange is simulated, so there is nothing to rehearse; use `framework run`"
    )


def test_an_exchange_that_points_itself_elsewhere_is_a_fault_of_its_plugin(
    stage: hooks_stage.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = prepared(stage)
    monkeypatch.setattr(Far, "at", lambda self, endpoint: self)

    with pytest.raises(PluginError, match="far points itself elsewhere instead of a copy of it; update its plugin"):
        run_rehearsal(deployment)
    assert Nearby.said[-1] == "stop"


def test_an_account_that_the_stage_forgets_is_not_started(
    stage: hooks_stage.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forgets(*_: object) -> Mapping[str, Endpoint]:
        return {}

    deployment = prepared(stage)
    monkeypatch.setattr(Nearby, "start", forgets)

    with pytest.raises(PluginError, match="the stage nearby gives no address for the account main; update its plugin"):
        run_rehearsal(deployment)
    assert Far.started == []


def test_without_a_stage_it_is_said_how_to_get_one(stage: hooks_stage.Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "OFFERED", [])

    assert refusal(prepared(stage)).endswith(
        "[rehearsal]: nothing can stand in for the venues; list a plugin that does in [plugins] load, like simulator"
    )


def test_where_there_are_several_stages_one_has_to_be_chosen(
    stage: hooks_stage.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "OFFERED", [Nearby, Elsewhere])

    assert refusal(prepared(stage)).endswith(
        "[rehearsal]: choose what stands in for the venues: use = one of elsewhere, nearby"
    )


def test_a_stage_with_settings_of_its_own_needs_its_table(
    stage: hooks_stage.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "OFFERED", [Demanding])

    assert '[rehearsal]: use = "demanding" needs settings: ' in refusal(prepared(stage))


def test_an_unknown_stage_is_refused_with_a_suggestion(stage: hooks_stage.Stage) -> None:
    with pytest.raises(ConfigError, match=r'"nearbi" is an unknown stage; did you mean nearby\?'):
        prepared(stage, rehearsal='[rehearsal]\nuse = "nearbi"')
