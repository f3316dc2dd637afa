"""What the Bybit tests share: a running emulator, and clients of others pointed at it. No client is changed."""

from __future__ import annotations

import json
from contextlib import AbstractAsyncContextManager
from typing import Any

from framework_simulator.emulator.build import DEFAULT_KEY

from .rig import MS, SYMBOL, UNIFIED, Rig, d, run, running_at, until

__all__ = ["MS", "SYMBOL", "UNIFIED", "Rig", "d", "run", "until"]


def running(**settings: Any) -> AbstractAsyncContextManager[Rig]:
    """See `running_at`."""
    return running_at("bybit", **settings)


def ccxt_config(rig: Rig, **more: Any) -> dict[str, Any]:
    """How ccxt is pointed at the loopback: nothing but its public configuration."""
    streams = {
        "public": {"linear": f"{rig.ws}/v5/public/linear"},
        "private": {
            "contract": f"{rig.ws}/v5/private",
            "usdc": f"{rig.ws}/v5/private",
            "trade": f"{rig.ws}/v5/trade",
        },
    }
    options = {"defaultType": "swap", "fetchMarkets": {"types": ["linear"]}, **more.pop("options", {})}
    return {
        "apiKey": DEFAULT_KEY.key,
        "secret": DEFAULT_KEY.secret,
        "enableRateLimit": False,
        "options": options,
        "urls": {"api": {"public": rig.rest, "private": rig.rest, "ws": streams}},
        **more,
    }


def code_of(error: BaseException) -> int:
    """The venue's code in an error of ccxt's."""
    text = str(error)
    return int(json.loads(text[text.index("{") :])["retCode"])
