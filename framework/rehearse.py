"""A rehearsal: a deployment as it is, its real exchange plugins pointed at a stage that stands in for their venues.

Nothing can reach a real venue: an exchange that can't be pointed elsewhere is refused before anything is started,
and what is started is a copy that has the stage's address and keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from attrs import evolve, frozen

from .app import SessionStart, timeline_of
from .components import Clock, Exchange
from .config import ConfiguredExchange, Deployment
from .core.records import Record, SessionMode
from .engine.clock import SystemClock
from .engine.ending import SessionEnd
from .engine.leaping import LeapingClock
from .engine.session import Session
from .errors import ConfigError, PluginError, Problem
from .journal import Journal, Pulse, WriterKind, journal_path, prepare_journal
from .registry import Kind
from .stages import Endpoint, Rehearsable, Stage

DIRECTORY = "rehearsal"
"""Where a rehearsal's journal lives, in the state directory."""


@frozen
class RehearsalStart:
    """A rehearsal that came up. `notes`: what the stage has to say, a line each."""

    session: SessionStart
    stage: str
    notes: tuple[str, ...]


def rehearsed(deployment: Deployment) -> Deployment:
    """The same deployment with a state directory of its own: a rehearsal never shares a journal."""
    return evolve(deployment, state=deployment.state / DIRECTORY)


def run_rehearsal(
    deployment: Deployment,
    *,
    for_s: float | None = None,
    on_start: Callable[[RehearsalStart], None] = lambda start: None,
    on_record: Callable[[Record], None] = lambda record: None,
) -> SessionEnd:
    """Rehearse a deployment until its sources end, `for_s` seconds have passed, or a signal ends it. Blocks.

    Its journal goes to `deployment.state`; see `rehearsed`. A recording begins at its own start. Raises
    `ConfigError` for a deployment that can't be rehearsed, and what `framework.app.run_session` raises.
    """
    timeline = timeline_of(deployment, rehearsing=True)
    stage = _stage_of(deployment)
    accounts = _accounts(deployment, stage)
    path = journal_path(deployment.state)
    prepared = prepare_journal(path, SessionMode.REHEARSAL, recorded=timeline is not None)

    async def main() -> SessionEnd:
        recorded = timeline is not None
        clock: Clock = SystemClock() if timeline is None else LeapingClock(timeline.start_ns)
        try:
            endpoints = await stage.start(clock, {each.name: each.use for each in accounts}, recorded)
            pointed = _pointed(deployment, accounts, endpoints, stage)
            journal = Journal.open(path, writer=WriterKind.THREAD)
            pulse = Pulse(deployment.state)
            session = Session(pointed, clock, journal, recorded, on_record, SessionMode.REHEARSAL, stage, pulse=pulse)
            start = SessionStart(
                tuple(each.name for each in deployment.enabled_exchanges),
                tuple(each.use for each in deployment.enabled_sources),
                recorded,
                path,
                prepared.set_aside,
                SessionMode.REHEARSAL,
                prepared.damage,
            )
            if for_s is not None:
                asyncio.get_running_loop().call_later(for_s, session.stopped.set)
            return await session.run(lambda: on_start(RehearsalStart(start, stage.name, stage.notes())))
        finally:
            await stage.stop()

    return asyncio.run(main())


def _stage_of(deployment: Deployment) -> Stage:
    """The stage of ``[rehearsal]``; without that table the only one that a loaded plugin offers, as it comes."""
    if deployment.rehearsal is not None:
        return deployment.rehearsal.component
    where = f"{deployment.path} [rehearsal]"
    offered = deployment.registry.names(Kind.REHEARSAL)
    if not offered:
        text = "nothing can stand in for the venues; list a plugin that does in [plugins] load, like simulator"
        raise ConfigError([Problem(where, text)])
    if len(offered) > 1:
        raise ConfigError([Problem(where, f"choose what stands in for the venues: use = one of {', '.join(offered)}")])
    made = deployment.registry.component(Kind.REHEARSAL, offered[0])
    try:
        stage: Stage = made()
    except (TypeError, ValueError) as error:
        raise ConfigError([Problem(where, f'use = "{offered[0]}" needs settings: {error}')]) from error
    return stage


def _accounts(deployment: Deployment, stage: Stage) -> list[ConfiguredExchange]:
    """The accounts whose venues the stage stands in for: all that are enabled and not simulated."""
    real = [each for each in deployment.enabled_exchanges if not each.component.capabilities.simulated]
    problems = [Problem(each.where, why) for each in real if (why := _hindrance(each, stage)) is not None]
    if not real:
        text = "every enabled exchange is simulated, so there is nothing to rehearse; use `framework run`"
        problems.append(Problem(f"{deployment.path} [exchanges]", text))
    if problems:
        raise ConfigError(problems)
    return real


def _hindrance(account: ConfiguredExchange, stage: Stage) -> str | None:
    if not isinstance(account.component, Rehearsable):
        return f"{account.use} can't be rehearsed: it can't be pointed at another address; disable it for now"
    if account.use not in stage.venues:
        known = ", ".join(sorted(stage.venues))
        return f"the stage {stage.name} does not stand in for {account.use}, only for {known}; disable it for now"
    return None


def _pointed(
    deployment: Deployment, real: Sequence[ConfiguredExchange], endpoints: Mapping[str, Endpoint], stage: Stage
) -> Deployment:
    """The deployment with its real exchanges pointed at the stage: each of them, or nothing is started."""
    copies = {each.name: evolve(each, component=_copy(each, endpoints, stage)) for each in real}
    return evolve(deployment, exchanges=tuple(copies.get(each.name, each) for each in deployment.exchanges))


def _copy(account: ConfiguredExchange, endpoints: Mapping[str, Endpoint], stage: Stage) -> Exchange:
    endpoint = endpoints.get(account.name)
    if endpoint is None:
        text = f"the stage {stage.name} gives no address for the account {account.name}; update its plugin"
        raise PluginError(stage.name, text)
    if not isinstance(account.component, Rehearsable):
        raise AssertionError("what can't be pointed elsewhere was refused before")
    copy = account.component.at(endpoint)
    if copy is account.component:
        text = f"{account.use} points itself elsewhere instead of a copy of it; update its plugin"
        raise PluginError(account.use, text)
    return copy
