"""The bounds that a run is judged by, with their defaults: each field is an option of the command of the same name."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


def _bound(default: int, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class Bounds:
    """Whole numbers; the last word of a name, or the last but one before a venue, is the unit."""

    trigger_grace_s: int = _bound(2, "a stop that has triggered protects for so long without filling")
    fault_window_s: int = _bound(10, "after a fault line, what goes wrong at that venue is put down to it for so long")
    naked_max_ms_binance: int = _bound(8000, "longest a position may be naked while up and without a fault")
    naked_max_ms_bybit: int = _bound(0, "the same on Bybit, where the stop travels in the entry")
    naked_turn_ms_binance: int = _bound(
        0, "the same after each fill of its entry, and each stop refused as passed meanwhile; 0: not judged by itself"
    )
    naked_taken_max_ms: int = _bound(0, "the same where the venue took a stop away by itself, if that is longer")
    naked_blind_max_ms_binance: int = _bound(0, "the same where the product was down meanwhile, if that is longer")
    naked_fault_max_ms_binance: int = _bound(8000, "longest a position may be naked while up and under a fault")
    naked_fault_max_ms_bybit: int = _bound(8000, "the same on Bybit")
    flat_bound_s: int = _bound(120, "seconds up and flat after which no order of ours may rest")
    liveness_s: int = _bound(60, "seconds up and without a fault after which a position is protected or flat")
    settling_s: int = _bound(0, "so long up after the first fill a stop may be set anew, to the price that was paid")
    entry_transit_ms: int = _bound(1000, "how long an entry may travel: it may arrive so much after its deadline")
    crossing_ms: int = _bound(0, "what a venue did by itself so shortly before, the sender of a request did not know")
    in_flight_ms: int = _bound(1000, "requests that arrive so soon after a refusal were on their way already")
    refusals_max: int = _bound(0, "answers of 429, 418 or 10006 that no fault made")

    def naked_max_ns(self, venue: str) -> int:
        """The longest time naked while up and without a fault."""
        return NS_PER_MS * (self.naked_max_ms_bybit if venue == "bybit" else self.naked_max_ms_binance)

    def naked_taken_max_ns(self, venue: str) -> int:
        """The longest time naked with that after the venue took a stop away by itself."""
        return max(self.naked_max_ns(venue), NS_PER_MS * self.naked_taken_max_ms)

    def naked_blind_max_ns(self, venue: str) -> int:
        """The longest time naked and up with that in which the product was down meanwhile."""
        blind_ns = 0 if venue == "bybit" else NS_PER_MS * self.naked_blind_max_ms_binance
        return max(self.naked_taken_max_ns(venue), blind_ns)

    def naked_fault_max_ns(self, venue: str) -> int:
        """The longest time naked while up and under a fault."""
        return NS_PER_MS * (self.naked_fault_max_ms_bybit if venue == "bybit" else self.naked_fault_max_ms_binance)


def options() -> list[tuple[str, str, int, str]]:
    """Every bound: its field, its option, its default and its meaning."""
    return [
        (one.name, "--" + one.name.replace("_", "-"), int(str(one.default)), one.metadata["meaning"])
        for one in fields(Bounds)
    ]
