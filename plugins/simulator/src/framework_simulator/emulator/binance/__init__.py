"""Binance USD-M futures: REST, market and user streams, and trading over a WebSocket."""

from .wire import BinanceWire

__all__ = ["BinanceWire"]
