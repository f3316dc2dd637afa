"""What can be set of the emulated venues as a whole. Times in ns of emulator time."""

from __future__ import annotations

from attrs import define

from .clock import NS_PER_MS, NS_PER_S


@define
class Settings:
    """Mutable: the control surface and faults change it while the emulator runs.

    What the matching engines do is set at `Venue.realism`, but for `position_lag_ns`: how long Binance's stops that
    need a position take a new one for none (-4509). `read_lag_ns`: how far queries trail behind what has
    happened. `stream_lag_ns`: how far private streams do. `listen_key_ns`: life of a listenKey. `subscribe_delay_ns`:
    before a subscription is answered (some clients register their callback only after they have sent the request).
    `connection_ns`: life of a WebSocket. `reverse_events`: tell ORDER_TRADE_UPDATE before ACCOUNT_UPDATE.
    `latency_ns`: every REST request is carried out at once and answered so much later. `orders_per_s`: how often a
    second an account may use each of Bybit's routes for orders and stops (10 as documented; PRO accounts have 200).
    """

    # Unverified: one public report measured 1.5 to 3 s until a new position is seen.
    position_lag_ns: int = 2 * NS_PER_S
    read_lag_ns: int = 0
    stream_lag_ns: int = 0
    listen_key_ns: int = 60 * 60 * NS_PER_S
    subscribe_delay_ns: int = 50 * NS_PER_MS
    connection_ns: int = 24 * 60 * 60 * NS_PER_S
    latency_ns: int = 0
    orders_per_s: int = 10
    rate_limits: bool = True
    check_signatures: bool = True
    reverse_events: bool = False
