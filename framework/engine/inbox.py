"""The inbox: each signal once, for an account that exists, into the wave of its bar; all else refused with a reason."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Set

from attrs import define, evolve, field

from ..core.feed import Batch
from ..core.records import Record, SignalReceived, SignalRefused, WaveOpened
from ..core.signal import BadSignal, Signal, SignalSettings
from ..core.wave import wave_id_of

SETTINGS: dict[str, tuple[str, ...]] = {
    "stop": ("stop_percent",),
    "trailing": ("trailing_activation_percent", "trailing_distance_percent"),
    "max_positions": ("max_positions",),
    "min_scores": ("min_scores",),
}
"""What `[framework] signal_may_set` may name, and the settings of a signal that each stands for."""


SECOND_NS = 1_000_000_000

MAX_AHEAD_NS = 300 * SECOND_NS
"""How far a sender's clock may be ahead of ours. A signal of a later time would never grow old."""

MOST_IN_A_WAVE = 2_000
"""The signals of one wave: many times what a sender sends. Each that is kept costs memory until its wave is decided."""

KEPT_CONTENTS = 100_000
"""What was taken, by what it says: enough for a signal to grow too old before it is forgotten."""

LATEST_NS = 253_370_764_800 * 1_000_000_000
"""The year 9999: what is later has no name in a calendar."""


Content = tuple[str | None, str | None, str | None, int | None]
"""What a signal says, whoever brings it: account, symbol, side, and its bar."""


@define
class Inbox:
    """Takes batches in. `known` are the ids of all signals ever taken; `waves` those not decided yet, by id.

    A signal that was made more than `max_age_ns` ago is refused. One source may say the same twice under two ids, and
    the best of them is tried; two sources that say the same are two ways of one signal.
    """

    accounts: Collection[str]
    may_set: Set[str]
    max_age_ns: int = 3600 * SECOND_NS
    known: set[str] = field(factory=set)
    waves: dict[str, list[Signal]] = field(factory=dict)
    decided: set[str] = field(factory=set)
    _taken_from: OrderedDict[Content, tuple[str, str]] = field(factory=OrderedDict, init=False)

    def remember(self, source: str, signal_id: str | None, content: Content) -> None:
        """A signal of an earlier run: another source that carries the same is not taken again."""
        self._taken_from[content] = (source, signal_id or "")
        if len(self._taken_from) > KEPT_CONTENTS:
            self._taken_from.popitem(last=False)

    def take(self, batch: Batch, now_ns: int) -> tuple[list[Record], list[str]]:
        """The records of a batch, and the waves that it added signals to, in order."""
        records: list[Record] = []
        touched: dict[str, None] = {}
        for signal in batch.signals:
            if isinstance(signal, BadSignal):
                records.append(SignalRefused(now_ns, signal))
                continue
            refusal = self._refusal_of(signal, now_ns)
            if refusal is not None:
                records.append(SignalRefused(now_ns, refusal))
                continue
            wave_id = wave_id_of(signal.bar_time_ns)
            if wave_id not in self.waves:
                self.waves[wave_id] = []
                records.append(WaveOpened(now_ns, wave_id, signal.bar_time_ns))
            allowed = self._only_allowed(signal)
            self.known.add(signal.id)
            self.remember(signal.source, signal.id, _content(signal))
            self.waves[wave_id].append(allowed)
            touched[wave_id] = None
            records.append(SignalReceived(now_ns, wave_id, allowed))
        return records, list(touched)

    def close(self, wave_id: str) -> list[Signal]:
        """The signals of a wave that is decided now; whoever comes later is late."""
        self.decided.add(wave_id)
        return self.waves.pop(wave_id)

    def _refusal_of(self, signal: Signal, now_ns: int) -> BadSignal | None:
        if not 0 <= signal.bar_time_ns < LATEST_NS or not signal.score.is_finite():
            return _bad(signal, "out_of_range", f"bar_time_ns {signal.bar_time_ns} or score {signal.score} is no value")
        wave_id = wave_id_of(signal.bar_time_ns)
        if signal.id in self.known:
            return _bad(signal, "duplicate", f"signal {signal.id} was taken already")
        source, other = self._taken_from.get(_content(signal), (signal.source, ""))
        if source != signal.source:
            return _bad(signal, "duplicate", f"the source {source} brought the same before, as signal {other}")
        if signal.account not in self.accounts:
            known = ", ".join(sorted(self.accounts))
            return _bad(signal, "unknown_account", f"no account {signal.account!r} is enabled; there are: {known}")
        age_ns = now_ns - signal.created_ns
        if age_ns > self.max_age_ns:
            limit = f"more than {self.max_age_ns // SECOND_NS} s"
            return _bad(signal, "stale", f"signal {signal.id} was made {age_ns // SECOND_NS} s ago, {limit}")
        ahead_ns = max(signal.created_ns, signal.bar_time_ns) - now_ns
        if ahead_ns > MAX_AHEAD_NS:
            limit = f"more than {MAX_AHEAD_NS // SECOND_NS} s"
            return _bad(
                signal, "future", f"signal {signal.id} is {ahead_ns // SECOND_NS} s ahead of our clock, {limit}"
            )
        if wave_id in self.decided:
            return _bad(signal, "late", f"the wave {wave_id} was decided before signal {signal.id} arrived")
        if len(self.waves.get(wave_id, ())) >= MOST_IN_A_WAVE:
            return _bad(signal, "over_limit", f"the wave {wave_id} has {MOST_IN_A_WAVE} signals already")
        return None

    def _only_allowed(self, signal: Signal) -> Signal:
        kept = {name: getattr(signal.settings, name) for key in self.may_set for name in SETTINGS[key]}
        return evolve(signal, settings=SignalSettings(**kept))


def _content(signal: Signal) -> Content:
    return (signal.account, signal.symbol, signal.side.value, signal.bar_time_ns)


def _bad(signal: Signal, code: str, message: str) -> BadSignal:
    return BadSignal(
        source=signal.source,
        code=code,
        message=message,
        received_ns=signal.received_ns,
        raw="",
        id=signal.id,
        account=signal.account,
        symbol=signal.symbol,
        bar_time_ns=signal.bar_time_ns,
    )
