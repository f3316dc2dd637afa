"""Signal sources: `recording` plays a recorded session, signals and market on one time line."""

from __future__ import annotations

from framework import SignalSource, hookimpl

from .recording import RecordingSource


@hookimpl
def signal_sources() -> list[type[SignalSource]]:
    """The sources of this plugin."""
    return [RecordingSource]
