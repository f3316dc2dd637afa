"""Faults by name: what goes wrong, with which request or event, when and how often. Deterministic from the seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from .wire import PLAIN, Transport

if TYPE_CHECKING:
    from .world import World


@frozen
class FaultAnswer:
    """An answer that a fault puts in place of the venue's.

    With `body` the bytes go out as they are; otherwise the wire writes `code` and `message` in the venue's shape
    (`code` None: a plain text body of `message`). `headers` come on top of the usual ones.
    """

    status: int
    code: int | None
    message: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(factory=dict)


@frozen
class RequestPlan:
    """What happens to one request.

    `instead`: it is not carried out, this is the answer. `replace`: it is carried out, then this is the answer.
    `transport` goes into the `HttpResponse` (a trading socket obeys it too: drop closes, delay schedules).
    """

    instead: FaultAnswer | None = None
    replace: FaultAnswer | None = None
    transport: Transport = PLAIN


NO_FAULT = RequestPlan()


@define
class Faults:
    """The rules in force."""

    world: World

    def for_request(
        self, venue: str, account: str | None, method: str, path: str, params: Mapping[str, object]
    ) -> RequestPlan:
        """What goes wrong with a request. Ask once for each, after `World.request_received`, before carrying it out.

        `params` as given to `request_received`.
        """
        return NO_FAULT

    def pass_event(self, venue: str, account: str, topic: str, event: str, symbol: str, go: Callable[[], None]) -> None:
        """Let an event out, or not, or twice, or later. Called by `World.deliver` only."""
        go()

    def read_lag_ns(self, venue: str) -> int:
        """What faults add to the lag of queries."""
        return 0

    def silent(self, venue: str, account: str | None, path: str) -> bool:
        """Whether a socket opened at `path` says nothing at the moment, pongs included: open, but dead."""
        return False
