"""The deployment that is simulated: real exchange plugins with settings that make what matters happen soon."""

from __future__ import annotations

from collections.abc import Sequence

KEY, SECRET = "simulated-key", "simulated-secret"

VENUES = ("binance", "bybit")
REST = {"binance": "http://127.0.0.1:1001", "bybit": "http://127.0.0.1:1002"}
STREAMS = {"binance": "ws://127.0.0.1:1001", "bybit": "ws://127.0.0.1:1002"}
"""Addresses that nobody listens at: the bytes never leave the process. They are loopback ones, so no TLS is needed."""

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
LEVERAGE = {"binance": 20, "bybit": 10}
ENVIRON = {"SIMULATED_KEY": KEY, "SIMULATED_SECRET": SECRET}

_HEAD = """
[framework]
state = "."
signal_may_set = ["stop", "trailing"]
[plugins]
load = ["binance", "bybit", "simulator", "filters", "sizing", "risk", "execution", "protection"]
[[filters]]
use = "listed"
[sizing]
use = "fixed-usd"
position_usd = "600"
tolerance_percent = "30"
[[risk]]
use = "max-open-positions"
total = 100
per_account = 100
[execution]
{execution}
[[protection]]
use = "stop-loss"
percent = "2"
[[protection]]
use = "trailing-stop"
activation_percent = "1"
distance_percent = "0.5"
"""

EXECUTIONS = {
    "market": 'use = "market"',
    "limit-then-market": 'use = "limit-then-market"\nwait_seconds = 3',
    "taking": """use = "market"
[[protection]]
use = "take-profit"
levels = [{ percent = "0.8", share = "0.5" }, { percent = "2.5", share = "0.3" }]""",
}
"""Ways to enter by their names; ``taking`` enters at the market, and parts of its positions rest in profit."""

_ACCOUNT = """
[exchanges.{venue}]
use = "{venue}"
live = true
max_positions_per_wave = 10
api_key = {{ env = "SIMULATED_KEY" }}
api_secret = {{ env = "SIMULATED_SECRET" }}
base_url = "{rest}"
stream_url = "{streams}"
symbols = {symbols}
leverage = {leverage}
warm_connections = 0
"""


def configurations() -> dict[str, str]:
    """The text of each configuration, by the name of its variant: each execution on both venues and on one."""
    venues = (VENUES, *((venue,) for venue in VENUES))
    return {variant_of(name, some): _configuration(name, some) for name in EXECUTIONS for some in venues}


def variant_of(execution: str, venues: Sequence[str]) -> str:
    """The name of the configuration with this execution and these accounts."""
    return execution if tuple(venues) == VENUES else f"{execution} on {', '.join(venues)}"


def _configuration(execution: str, venues: Sequence[str]) -> str:
    accounts = "".join(
        _ACCOUNT.format(
            venue=venue,
            rest=REST[venue],
            streams=STREAMS[venue],
            symbols="[" + ", ".join(f'"{one}"' for one in SYMBOLS) + "]",
            leverage=LEVERAGE[venue],
        )
        for venue in venues
    )
    return _HEAD.format(execution=EXECUTIONS[execution]) + accounts
