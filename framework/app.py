"""Puts a deployment together and runs it: journal, exchanges, engine, sources, observers, in order and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

from attrs import evolve, frozen

from .components import Checkable, Checkup, Clock
from .config import ConfiguredExchange, Deployment, account_problems, live_problems, mode_of
from .core.feed import Timeline
from .core.position import Position
from .core.records import Record, SessionMode
from .engine.clock import SystemClock, VirtualClock
from .engine.desk import DAY_NS
from .engine.ending import EndUnwrittenError, OpenLine, SessionEnd
from .engine.flattening import Flattening, Unwritten
from .engine.preflight import check_exchange
from .engine.rebuilding import left_behind
from .engine.session import Session
from .engine.surveying import Survey, survey
from .engine.virtual import VirtualLoop, run_virtual
from .errors import ConfigError, JournalError, Problem
from .journal import InUseError, Journal, JournalReader, Pulse, Silences, WriterKind, journal_path, prepare_journal

__all__ = [
    "EndUnwrittenError",
    "OpenLine",
    "SessionEnd",
    "SessionStart",
    "Survey",
    "check_deployment",
    "flatten_accounts",
    "run_session",
    "survey_accounts",
    "timeline_of",
]

T = TypeVar("T")


@frozen
class SessionStart:
    """A session that came up. `set_aside` is where the journal of the session before was moved to.

    `damage`: what was wrong with the journal that was there, and what was done about it; empty: nothing.
    """

    accounts: tuple[str, ...]
    sources: tuple[str, ...]
    recorded: bool
    journal: Path
    set_aside: Path | None
    mode: SessionMode
    damage: str = ""


def run_session(
    deployment: Deployment,
    *,
    live: Collection[str] = (),
    on_start: Callable[[SessionStart], None] = lambda start: None,
    on_record: Callable[[Record], None] = lambda record: None,
    on_broken: Callable[[JournalError], None] = lambda error: None,
) -> SessionEnd:
    """Run a deployment until its sources end, or a signal (SIGINT, SIGTERM) ends it. Blocks.

    `on_broken` is told at once when the journal can't be written any more; the session goes on, and opens nothing.
    `live` names the accounts that may trade on real venues; each needs ``live = true`` in its table as well.
    Raises `ConfigError` for what the components themselves find wrong, and for an account that may not trade as
    asked, `ExchangeError` when a venue can't be reached at the start, `JournalError` when the journal can't be opened,
    `EndUnwrittenError` when it could not take the end.
    """
    timeline = _admitted(deployment, live_problems(deployment, live))
    mode = mode_of(deployment)
    path = journal_path(deployment.state)
    prepared = prepare_journal(path, mode, recorded=timeline is not None)
    uses = {each.name: each.use for each in deployment.enabled_exchanges}
    kind = WriterKind.THREAD if timeline is None else WriterKind.INLINE

    async def main(clock: Clock) -> SessionEnd:
        journal = Journal.open(path, writer=kind, accounts=uses)
        journal.on_failed.append(on_broken)
        session = Session(
            deployment,
            clock,
            journal,
            timeline is not None,
            on_record,
            mode,
            entries_stopped=prepared.entries_stopped,
            pulse=Pulse(deployment.state),
        )
        start = SessionStart(
            tuple(each.name for each in deployment.enabled_exchanges),
            tuple(each.use for each in deployment.enabled_sources),
            timeline is not None,
            path,
            prepared.set_aside,
            mode,
            prepared.damage,
        )
        return await session.run(lambda: on_start(start))

    return _on_loop(timeline, main)


def check_deployment(deployment: Deployment, *, exercise_stops: bool = False) -> tuple[Checkup, ...]:
    """Ask every enabled component that can be asked about its readiness; venues are connected to. Blocks.

    Real venues are only read, and need not be live for that. With `exercise_stops`, stops far away from the market
    are placed, moved and cancelled there: never where orders cost money.
    Raises `ConfigError` for what the components themselves find wrong. A venue that can't be reached is a checkup
    that failed, not an exception.
    """
    refused = _costly(deployment) if exercise_stops else []
    timeline = _admitted(deployment, [*account_problems(deployment), *refused], trading=False)
    step_s = deployment.framework.start_timeout_s
    real = any(not each.component.capabilities.simulated for each in deployment.enabled_exchanges)

    async def main(clock: Clock) -> tuple[Checkup, ...]:
        checkups: list[Checkup] = [*_signal_lines(deployment, timeline, real=real)]
        for each in (*deployment.enabled_sources, *deployment.enabled_observers):
            if isinstance(each.component, Checkable):
                checkups.extend(await each.component.checkup())
        for account in deployment.enabled_exchanges:
            found = await check_exchange(
                account, clock, step_s, exercise_stops=exercise_stops, silences=Silences(deployment.state)
            )
            checkups.extend(found)
        return tuple(checkups)

    return _on_loop(None if real else timeline, main)  # a real venue keeps the real time


def _signal_lines(deployment: Deployment, timeline: Timeline | None, *, real: bool) -> Iterator[Checkup]:
    """What keeps `run` from trading this deployment, although its venues can be looked at."""
    if not deployment.enabled_sources:
        yield Checkup("signals", False, "no signal source is enabled; `framework run` needs one")
    elif timeline is not None and real:
        text = "a recording: `framework rehearse` plays it; `framework run` plays none on real venues"
        yield Checkup("signals", True, text)


def survey_accounts(deployment: Deployment, accounts: Collection[str] = ()) -> tuple[Survey, ...]:
    """What a run would find on the real accounts, and do: see `framework.engine.surveying`. Changes nothing. Blocks.

    The journal is only read, whoever writes it; where there is none, nothing is known. With `accounts` named, only
    those. Raises `ConfigError` for an account that is not there, `JournalError` for a journal that can't be read.
    """
    chosen = _real_accounts(deployment, accounts)
    known = _known_positions(deployment)

    async def main() -> tuple[Survey, ...]:
        clock = SystemClock()
        silences = Silences(deployment.state)
        surveys = (
            survey(each, clock, [p for p in known if p.account == each.name], deployment.framework, silences)
            for each in chosen
        )
        return tuple(await asyncio.gather(*surveys))

    return asyncio.run(main())


def flatten_accounts(
    deployment: Deployment,
    *,
    live: Collection[str] = (),
    accounts: Collection[str] = (),
    strangers: bool = False,
    within_s: float = 60.0,
    on_record: Callable[[Record], None] = lambda record: None,
) -> SessionEnd:
    """Close every position of the real accounts that no session looks after now, and end when they are flat. Blocks.

    With `accounts` named, only theirs; with `strangers` those that are not ours, too. Where the journal can't be
    opened, it is done without one. Raises `ConfigError` for an account that is not there or lacks one of the locks of
    a real venue, `InUseError` when a session runs after all, `ExchangeError` when a venue can't be reached.
    """
    chosen = evolve(deployment, exchanges=_real_accounts(deployment, accounts))
    if not chosen.exchanges:
        return SessionEnd("nothing is open: every account is simulated", (), failed=False)
    problems = live_problems(chosen, live)
    if problems:
        raise ConfigError(problems)
    path, mode = journal_path(chosen.state), mode_of(chosen)

    async def main() -> SessionEnd:
        session = Flattening(
            chosen,
            SystemClock(),
            _journal_or_none(path, mode, chosen),
            False,
            on_record,
            mode,
            entries_stopped="everything is being closed",
            strangers=strangers,
            within_s=within_s,
        )
        return await session.run(lambda: None)

    return asyncio.run(main())


def _journal_or_none(path: Path, mode: SessionMode, deployment: Deployment) -> Journal:
    """The journal, or what stands in for one that can't be opened: that is no reason to leave positions open."""
    try:
        prepare_journal(path, mode, recorded=False)
        uses = {each.name: each.use for each in deployment.exchanges}
        return Journal.open(path, writer=WriterKind.THREAD, accounts=uses)
    except InUseError:
        raise
    except JournalError:
        return cast(Journal, Unwritten())


def _real_accounts(deployment: Deployment, accounts: Collection[str]) -> tuple[ConfiguredExchange, ...]:
    there = [each.name for each in deployment.enabled_exchanges]
    unknown = [name for name in accounts if name not in there]
    if unknown:
        text = f"there is no enabled account of that name; there are: {', '.join(there)}"
        raise ConfigError([Problem(f"--account {name}", text) for name in unknown])
    return tuple(
        each
        for each in deployment.enabled_exchanges
        if (each.name in accounts or not accounts) and not each.component.capabilities.simulated
    )


def _known_positions(deployment: Deployment) -> list[Position]:
    path = journal_path(deployment.state)
    if not path.exists():
        return []
    with JournalReader.open(path) as reader:
        positions, _ = left_behind(reader, {}, SystemClock().now_ns() - 2 * DAY_NS)
        return positions


def timeline_of(deployment: Deployment, *, rehearsing: bool = False, trading: bool = True) -> Timeline | None:
    """The clock of the recorded session that the deployment plays; None for live sources.

    `rehearsing`: real venues are stood in for, so a recording may be played on their exchanges. Not `trading`: they are
    only looked at, and signals need not come from anywhere.
    Raises `ConfigError`: a recording that can't be read, two of them, or one beside a live source or a real venue.
    """
    problems: list[Problem] = []
    lines: list[tuple[str, Timeline | None]] = []
    for source in deployment.enabled_sources:
        try:
            lines.append((source.where, source.component.timeline()))
        except ConfigError as error:
            problems.extend(error.problems)
    recorded = [(where, line) for where, line in lines if line is not None]
    if not deployment.enabled_sources and trading:
        problems.append(Problem(f"{deployment.path} [[signals]]", "no signal source is enabled; enable one"))
    if recorded and len(lines) > 1:
        text = "a recorded session brings its own clock and is played alone; disable the other sources"
        problems.append(Problem(recorded[0][0], text))
    for account in deployment.enabled_exchanges:
        if recorded and trading and not rehearsing and not account.component.capabilities.simulated:
            text = (
                f"a recorded session must not trade on a real venue; use a simulated exchange for {account.name}, "
                "or `framework rehearse`"
            )
            problems.append(Problem(account.where, text))
    if not deployment.enabled_exchanges:
        problems.append(Problem(f"{deployment.path} [exchanges]", "no exchange is enabled; enable one"))
    if problems:
        raise ConfigError(problems)
    return recorded[0][1] if recorded else None


def _admitted(deployment: Deployment, problems: list[Problem], *, trading: bool = True) -> Timeline | None:
    """The clock of the session, unless there are problems: those that are given and those of the sources, as one."""
    try:
        timeline = timeline_of(deployment, trading=trading)
    except ConfigError as error:
        # An account that a recording must not trade on is not told how it could.
        told = {problem.where for problem in error.problems}
        raise ConfigError([*error.problems, *(each for each in problems if each.where not in told)]) from None
    if problems:
        raise ConfigError(problems)
    return timeline


def _costly(deployment: Deployment) -> list[Problem]:
    """The accounts on which an order would cost money."""
    text = "orders cost money there, so its stops are not exercised; use the venue's testnet, or `framework rehearse`"
    return [
        Problem(each.where, f"{each.name} is a production venue: {text}")
        for each in deployment.enabled_exchanges
        if each.component.capabilities.real_money
    ]


def _on_loop(timeline: Timeline | None, main: Callable[[Clock], Coroutine[Any, Any, T]]) -> T:
    if timeline is None:
        return asyncio.run(main(SystemClock()))
    loop = VirtualLoop(timeline.speed)
    return run_virtual(main(VirtualClock(timeline.start_ns, loop)), loop=loop)
