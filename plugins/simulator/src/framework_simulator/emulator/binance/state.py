"""What this face of the venue keeps beside the engine: listen keys, timers of the dead-man switch, amendments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field

from ..clock import Cancel
from ..world import World
from .limits import Limits
from .listen_keys import ListenKeys


@define
class State:
    """One for each wire."""

    world: World
    limits: Limits = field(init=False)
    listen_keys: ListenKeys = field(init=False)
    amendments: dict[str, list[dict[str, Any]]] = field(factory=dict, init=False)
    _countdowns: dict[tuple[str, str], Cancel] = field(factory=dict, init=False)
    _client_ids: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.limits = Limits(self.world)
        self.listen_keys = ListenKeys(self.world)

    def next_client_id(self) -> str:
        """The client id of an order whose client gave none."""
        self._client_ids += 1
        return f"auto{self._client_ids:018d}"

    def count_down(self, account: str, symbol: str, delay_ms: int, then: Callable[[], None]) -> None:
        """Set the dead-man switch of a market, or take it away (0)."""
        cancel = self._countdowns.pop((account, symbol), None)
        if cancel is not None:
            cancel()
        if delay_ms > 0:
            self._countdowns[account, symbol] = self.world.schedule(delay_ms * 1_000_000, then)
