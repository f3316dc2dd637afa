"""What a person must be told at once: rules over the journal's records and the health of the parts.

Each rule has a code of its own. An alert is an event of level ``error``: the journal keeps it, observers see it. It
is raised once for each occasion, not again and again while that lasts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from attrs import define, field

from .health import Board, Condition, Health
from .records import Decision, Event, Outcome, PositionChanged, Record, WaveDecided

SECOND_NS = 1_000_000_000
SOURCE_DEGRADED_NS = 3_600 * SECOND_NS
STREAM_SILENT_NS = 60 * SECOND_NS

STREAM = "stream"
"""The condition of an account that tells whether its events arrive."""

SOURCE = "source "
"""What the part of a signal source begins with; its name follows."""

ALERTS: Mapping[str, str] = MappingProxyType(
    {
        "alert_stop_not_placed": "the venue did not confirm a stop: look at the position there",
        "alert_opening_rate": "less than half of a wave's planned positions were opened: `framework report` says why",
        "alert_source_degraded": "a signal source has not been healthy for an hour: look at the sender",
        "alert_wave_missing": "a wave that was expected did not come: look at the sender",
        "alert_stream_silent": "an account's stream has been down for a minute; it is read by requests meanwhile",
        "alert_lease_lost": "the lock of the state is gone: another instance may have started; nothing is opened here",
        "alert_journal": "the journal can't be written: nothing is opened; see to the disk and start again",
    }
)
"""Every rule's code, and what to do about it."""

_RAISED_BY = {"wave_missing": "alert_wave_missing", "lease_lost": "alert_lease_lost"}
"""Events that are an alert in themselves."""


@define
class Alerts:
    """The rules at work. Pure: records and the board go in, alerts come out."""

    _planned: dict[str, int] = field(factory=dict, init=False)
    _unconfirmed: dict[str, Outcome] = field(factory=dict, init=False)
    _told: set[tuple[str, str, int]] = field(factory=set, init=False)

    def see(self, record: Record) -> Iterator[Event]:
        """The alerts that a record raises."""
        match record:
            case Outcome(action="stop") if record.result != "accepted" and record.position_id not in self._unconfirmed:
                self._unconfirmed[record.position_id] = record
                text = f"{record.account} {record.symbol}: a stop was not placed: {record.result}: {record.message}"
                yield _alert(record.time_ns, "alert_stop_not_placed", text, record)
            case PositionChanged(to_state="protected" | "closed" | "aborted"):
                self._unconfirmed.pop(record.position_id, None)
            case Decision(outcome="planned"):
                self._planned[record.wave_id] = self._planned.get(record.wave_id, 0) + 1
            case WaveDecided():
                planned, opened = self._planned.pop(record.wave_id, 0), sum(record.opened.values())
                if 2 * opened < planned:
                    text = f"wave {record.wave_id}: {opened} of {planned} planned positions were opened"
                    yield Event(record.time_ns, "error", "alert_opening_rate", text)
            case Event(code=code) if code in _RAISED_BY:
                yield _alert(record.time_ns, _RAISED_BY[code], record.message, record)

    def unconfirmed(self, account: str) -> tuple[str, ...]:
        """The markets of an account in which a position waits for a stop that was not confirmed."""
        return tuple(each.symbol for each in self._unconfirmed.values() if each.account == account)

    def look(self, board: Board, now_ns: int) -> Iterator[Event]:
        """The alerts that are due because something has lasted."""
        for condition in board.troubles:
            lasted_ns = now_ns - condition.since_ns
            if condition.part.startswith(SOURCE) and lasted_ns >= SOURCE_DEGRADED_NS:
                yield from self._once("alert_source_degraded", condition, now_ns)
            elif condition.name.startswith(STREAM) and lasted_ns >= STREAM_SILENT_NS:
                yield from self._once("alert_stream_silent", condition, now_ns)

    def _once(self, code: str, condition: Condition, now_ns: int) -> Iterator[Event]:
        occasion = (code, f"{condition.part} {condition.name}", condition.since_ns)
        if occasion not in self._told:
            self._told.add(occasion)
            minutes = (now_ns - condition.since_ns) // (60 * SECOND_NS)
            text = f"{condition.part}: {condition.name} is {condition.health.value} for {minutes} min"
            yield Event(now_ns, "error", code, f"{text}: {condition.reason}")


def health_event(part: str, condition: Condition, now_ns: int) -> Event:
    """A change of health as people and observers see it: ``health_degraded``, ``health_down``, ``health_restored``."""
    level, code = {
        Health.HEALTHY: ("info", "health_restored"),
        Health.DEGRADED: ("warning", "health_degraded"),
        Health.DOWN: ("error", "health_down"),
    }[condition.health]
    text = f"{part}: {condition.name}" + (f": {condition.reason}" if condition.reason else " is healthy again")
    return Event(now_ns, level, code, text)


def _alert(time_ns: int, code: str, text: str, about: Outcome | Event) -> Event:
    return Event(time_ns, "error", code, text, about.account, about.symbol, about.position_id)
