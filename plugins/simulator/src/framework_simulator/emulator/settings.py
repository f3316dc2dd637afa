"""What can be set of the emulated venues as a whole. Times in ns of emulator time."""

from __future__ import annotations

from decimal import Decimal

from attrs import define

from .clock import NS_PER_MS, NS_PER_S


@define
class Settings:
    """Mutable: the control surface and faults change it while the emulator runs.

    `position_lag_ns`: how long after a fill Binance's conditional service takes a new position for none (-4509).
    `trigger_delay_ns`: from TRIGGERING to TRIGGERED on Binance. `read_lag_ns`: how far queries trail behind what has
    happened. `stream_lag_ns`: how far private streams do. `listen_key_ns`: life of a listenKey. `subscribe_delay_ns`:
    before a subscription is answered (some clients register their callback only after they have sent the request).
    `connection_ns`: life of a WebSocket. `reverse_events`: tell ORDER_TRADE_UPDATE before ACCOUNT_UPDATE.
    """

    position_lag_ns: int = 2 * NS_PER_S
    trigger_delay_ns: int = 12 * NS_PER_MS
    read_lag_ns: int = 0
    stream_lag_ns: int = 0
    listen_key_ns: int = 60 * 60 * NS_PER_S
    subscribe_delay_ns: int = 50 * NS_PER_MS
    connection_ns: int = 24 * 60 * 60 * NS_PER_S
    rate_limits: bool = True
    check_signatures: bool = True
    reverse_events: bool = False
    balance_usd: Decimal = Decimal(10_000)
    binance_leverage: Decimal = Decimal(20)
    bybit_leverage: Decimal = Decimal(10)
