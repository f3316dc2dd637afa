"""One request on its way through a handler, and what handlers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import frozen

from framework import Refusal

from ..desk_call import DeskCall
from .errors import VenueError, from_refusal, missing
from .params import Params

if TYPE_CHECKING:
    from .state import State

VENUE = "binance"


@frozen
class Call(DeskCall[Params]):
    """A request to Binance."""

    state: State

    VENUE: ClassVar = VENUE

    def nobody(self) -> VenueError:
        """-2014."""
        return VenueError(-2014)

    def unlisted(self) -> VenueError:
        """-1121."""
        return VenueError(-1121)

    def refused(self, refusal: Refusal) -> VenueError:
        """The engine's refusal in Binance's words."""
        return from_refusal(refusal)


Handler = Callable[[Call], Any]


def one_of_two(params: Params, number: str, name: str) -> tuple[str | None, str | None]:
    """The venue's id or the client's: one of the two must be there; the venue's wins."""
    order_id, client_id = params.whole(number), params.text(name)
    if order_id is None and client_id is None:
        raise missing_both(name, number)
    return (None if order_id is None else str(order_id)), client_id


def missing_both(name: str, number: str) -> VenueError:
    """Neither id was sent."""
    message = f"Param '{name}' or '{number}' must be sent, but both were empty/null!"
    return VenueError(missing(name).code, message=message)
