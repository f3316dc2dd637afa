"""Bybit v5, category linear, unified account: REST, public and private streams, and trading over a WebSocket."""
