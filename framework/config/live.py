"""Going live is asked for twice: in the file and on the command line. Anything else is refused, all of it at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..core.records import SessionMode
from ..errors import Problem
from .deployment import ConfiguredExchange, Deployment
from .document import problem_at
from .overrides import suggestion


def mode_of(deployment: Deployment) -> SessionMode:
    """What the orders of this deployment reach: real venues, or none. Says nothing about whether they may."""
    return SessionMode.LIVE if any(_is_real(each) for each in deployment.enabled_exchanges) else SessionMode.PAPER


def live_problems(deployment: Deployment, live: Collection[str]) -> list[Problem]:
    """Why this deployment may not trade as it was asked to. `live` are the accounts of ``--live``."""
    real = [each for each in deployment.enabled_exchanges if _is_real(each)]
    return [
        *account_problems(deployment),
        *(_missing(each, live) for each in real if not (each.live and each.name in live)),
        *(problem for name in dict.fromkeys(live) for problem in _asked_for(deployment, name)),
    ]


def account_problems(deployment: Deployment) -> list[Problem]:
    """What is wrong with the accounts of the file, whatever is on the command line."""
    problems = [
        Problem(each.where, f"live = true, but {each.use} is a simulated exchange; remove it, or use a real one")
        for each in deployment.exchanges
        if each.live and not _is_real(each)
    ]
    real = [each.name for each in deployment.enabled_exchanges if _is_real(each)]
    simulated = [each.name for each in deployment.enabled_exchanges if not _is_real(each)]
    if real and simulated:
        text = (
            f"real venues ({', '.join(real)}) and simulated exchanges ({', '.join(simulated)}) would share a journal; "
            "disable the ones or the others, or make two deployments of them"
        )
        problems.append(Problem(f"{deployment.path} [exchanges]", text))
    return problems


def _is_real(account: ConfiguredExchange) -> bool:
    return not account.component.capabilities.simulated


def _missing(account: ConfiguredExchange, live: Collection[str]) -> Problem:
    """Names what is missing, and nothing else."""
    steps = [] if account.live else ["set live = true in this table"]
    steps += [] if account.name in live else [f"start with --live {account.name}"]
    return Problem(account.where, f"{account.name} is a real venue: to trade there, {' and '.join(steps)}")


def _asked_for(deployment: Deployment, name: str) -> Iterator[Problem]:
    """What is wrong with one ``--live NAME``."""
    where = f"--live {name}"
    account = next((each for each in deployment.exchanges if each.name == name), None)
    if account is None:
        known = suggestion(name, [each.name for each in deployment.exchanges])
        yield problem_at(where, f"there is no account of that name; {known}")
    elif not account.enabled:
        yield problem_at(where, f"the account is disabled ({account.where}); enable it, or start without it")
    elif not _is_real(account):
        yield problem_at(where, f"{account.use} is a simulated exchange ({account.where}); start without it")
