"""What a schedule does to the venues, the network and the clock, at its time; and the end of all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from attrs import define, field

from ..emulator.clock import NS_PER_MS
from ..emulator.world import World
from .schedule import Item, Schedule
from .weather import Weather


class Skewed(Protocol):
    """A clock that can be off."""

    skew_ns: int


@define(eq=False)
class Happenings:
    """Lets the items of a schedule happen. `cut` breaks the connections to a venue."""

    world: World
    weather: Weather
    schedule: Schedule
    clock: Skewed
    cut: Callable[[str], None]
    _ends: list[Callable[[], Any]] = field(factory=list, init=False)

    def begin(self) -> None:
        """Set the timers."""
        doers = {"rule": self._rule, "weather": self._weather, "partition": self._partition, "clock": self._clock}
        for item in self.schedule.items:
            if (do := doers.get(item.kind)) is not None:
                self.world.schedule(item.at_ms * NS_PER_MS, lambda do=do, item=item: do(item))  # type: ignore[misc]
        self.world.schedule(self.schedule.calm_ms * NS_PER_MS, self._calm)

    def _rule(self, item: Item) -> None:
        faults = self.world.faults
        faults.add(faults.parse([{"venue": item.venue, **item.own}]))
        if item.own["name"] == "clock-skew":
            self._after(item, lambda: self.world.skew(item.venue, 0))

    def _weather(self, item: Item) -> None:
        self._after(item, self.weather.begin(item.venue, item.own))

    def _partition(self, item: Item) -> None:
        over = self.weather.cut(item.venue, item.own["stops"], item.own["style"], item.for_ms)

        def heals() -> None:
            over()
            if item.own["stops"] == "all":
                self.cut(item.venue)  # the first packet after the gap meets a peer that has given up

        if item.own["stops"] == "all" and item.own["style"] == "refused":
            self.cut(item.venue)
        self._after(item, heals)

    def _clock(self, item: Item) -> None:
        self.clock.skew_ns = int(item.own["skew_ms"]) * NS_PER_MS
        for venue in self.world.venues:
            fields = {"name": "our-clock-off", "parameters": {"for_ms": item.for_ms}}
            self.world.ledger.write(self.world.now_ns(), None, "fault", fields, venue=venue)
        self._after(item, self._clock_is_right)

    def _clock_is_right(self) -> None:
        self.clock.skew_ns = 0

    def _after(self, item: Item, end: Callable[[], Any]) -> None:
        self.world.schedule(item.for_ms * NS_PER_MS, end)

    def _calm(self) -> None:
        """Nothing goes wrong any more."""
        self.world.faults.clear()
