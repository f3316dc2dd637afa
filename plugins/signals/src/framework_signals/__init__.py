"""Signal sources: a wave server over a WebSocket, and recorded sessions, whole or their market alone."""

from __future__ import annotations

from framework import SignalSource, hookimpl

from .market import MarketSource
from .recording import RecordingSource
from .websocket import WebSocketSource


@hookimpl
def signal_sources() -> list[type[SignalSource]]:
    """The sources of this plugin."""
    return [RecordingSource, WebSocketSource, MarketSource]
