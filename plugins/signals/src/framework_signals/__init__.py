"""Signal sources: a wave server, alerts over HTTP, lines of a file, and recordings, whole or their market alone."""

from __future__ import annotations

from framework import Observer, SignalSource, hookimpl

from .jsonl import JsonLinesSource
from .market import MarketSource
from .record import RecordObserver
from .recording import RecordingSource
from .webhook import WebhookSource
from .websocket import WebSocketSource


@hookimpl
def signal_sources() -> list[type[SignalSource]]:
    """The sources of this plugin."""
    return [RecordingSource, WebSocketSource, WebhookSource, JsonLinesSource, MarketSource]


@hookimpl
def observers() -> list[type[Observer]]:
    """The observers of this plugin."""
    return [RecordObserver]
