"""Bybit v5, category linear, unified account: REST, public and private streams, and trading over a WebSocket."""

from .wire import BybitWire

__all__ = ["BybitWire"]
