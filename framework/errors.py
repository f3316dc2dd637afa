"""Whose fault it is shows in the name of the error, and decides the exit status.

Every error that a user may meet derives from `FrameworkError` and carries one line that says what
happened, where, and what to do. The CLI prints that line to stderr and ends with `exit_status`.
"""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen


class FrameworkError(Exception):
    """Base of every error that this product raises on purpose."""

    exit_status: ClassVar[int] = 1


@frozen
class Problem:
    """One mistake in the input: where it is, what is wrong, and the mend.

    `where` reads like ``config.toml:12 [filters.0] max_percent``; `line` is 1-based, or None when the value did
    not come from a file (``--set``, an environment variable).
    """

    where: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class ConfigError(FrameworkError):
    """The user's input is wrong. Holds every mistake that was found, not only the first."""

    exit_status: ClassVar[int] = 2

    def __init__(self, problems: tuple[Problem, ...] | list[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PluginError(FrameworkError):
    """A listed plugin is missing, broken, incompatible or claims a taken name: the start stops.

    `distribution` is the package to mend, so that nobody has to guess which one it was.
    """

    exit_status: ClassVar[int] = 2

    def __init__(self, distribution: str, message: str) -> None:
        self.distribution = distribution
        super().__init__(message)


class ExchangeError(FrameworkError):
    """A read from a venue failed, or the venue cannot be reached. A failed read is never an empty answer.

    `for_good`: trying again can't help before a person mends something, as a wrong key or position mode. Raised by
    `Exchange.start`, such an error stops the start of the session; after any other the account is tried again.
    """

    exit_status: ClassVar[int] = 3

    def __init__(self, account: str, message: str, *, code: str = "unreachable", for_good: bool = False) -> None:
        self.account = account
        self.code = code
        self.for_good = for_good
        super().__init__(f"{account}: {message}")


class JournalError(FrameworkError):
    """The journal can't be opened, written or trusted."""

    exit_status: ClassVar[int] = 3


class MissingDataError(FrameworkError):
    """A component asked for market data that is absent or stale. The kernel turns it into a rejection."""

    def __init__(self, need: str, why: str) -> None:
        self.need = need
        self.why = why
        super().__init__(f"{need}: {why}")


class ProtocolError(FrameworkError):
    """An event reached a state in which it cannot happen: our own bug, never the user's."""
