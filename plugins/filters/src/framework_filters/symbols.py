"""The filter `symbols`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, ClassVar

from attrs import Attribute, field, frozen

from framework import MarketSnapshot, Need, Passed, Rejection, Signal, Verdict


def _no_empty_pattern(instance: object, attribute: Attribute[Any], value: tuple[str, ...]) -> None:
    if not all(value):
        raise ValueError("a pattern must not be empty")


def _match(patterns: tuple[str, ...], symbol: str) -> str | None:
    """The first pattern that matches."""
    return next((pattern for pattern in patterns if fnmatchcase(symbol, pattern)), None)


@frozen
class Symbols:
    """Let through the symbols that match a pattern of `allow`, and none that matches a pattern of `stop`.

    Patterns are those of a shell: ``*`` any characters, ``?`` one, ``[abc]`` one of these; upper and lower case
    differ. An empty `allow` allows all. `stop` wins.
    """

    name: ClassVar[str] = "symbols"
    needs: ClassVar[frozenset[Need]] = frozenset()

    allow: tuple[str, ...] = field(default=(), validator=_no_empty_pattern)
    stop: tuple[str, ...] = field(default=(), validator=_no_empty_pattern)

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        """``symbol_stopped`` or ``symbol_not_allowed``; the numbers name the pattern."""
        symbol = signal.symbol
        stopped = _match(self.stop, symbol)
        if stopped is not None:
            return Rejection("symbol_stopped", f"{symbol} is on the stop list as {stopped}", {"pattern": stopped})
        if not self.allow:
            return Passed()
        allowed = _match(self.allow, symbol)
        if allowed is None:
            patterns = ", ".join(self.allow)
            return Rejection("symbol_not_allowed", f"{symbol} matches none of {patterns}", {"allow": patterns})
        return Passed({"pattern": allowed})
