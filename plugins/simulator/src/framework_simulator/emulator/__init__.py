"""The simulated venues as the world sees them: Binance USD-M futures and Bybit v5 over HTTP and WebSocket."""
