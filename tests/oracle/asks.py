"""What a `request` line asks for: orders to place, things to cancel or to move. Reads ask for nothing here.

A line counts by its `venue`, `method` and `path` (over a trading socket `method` is ``WS`` and `path` the operation);
names and flags are taken from its `params`, as each venue's documentation calls them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .ledger import Line
from .names import Names, Owner

PLACE, CANCEL, MOVE = "place", "cancel", "move"


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that is asked for. Of an order to place, `owner` is whose it would be, None: not ours; `parameters` is
    a digest of all that makes one placing differ from another."""

    what: str
    client_id: str | None
    symbol: str
    side: str = ""
    owner: Owner | None = None
    reduces: bool = False
    parameters: int = 0


_BINANCE = {
    ("POST", "/fapi/v1/order"): PLACE,
    ("WS", "order.place"): PLACE,
    ("POST", "/fapi/v1/algoOrder"): PLACE,
    ("WS", "algoOrder.place"): PLACE,
    ("POST", "/fapi/v1/batchOrders"): PLACE,
    ("DELETE", "/fapi/v1/order"): CANCEL,
    ("WS", "order.cancel"): CANCEL,
    ("DELETE", "/fapi/v1/algoOrder"): CANCEL,
    ("WS", "algoOrder.cancel"): CANCEL,
    ("DELETE", "/fapi/v1/batchOrders"): CANCEL,
    ("DELETE", "/fapi/v1/allOpenOrders"): CANCEL,
    ("DELETE", "/fapi/v1/algoOpenOrders"): CANCEL,
    ("PUT", "/fapi/v1/order"): MOVE,
    ("PUT", "/fapi/v1/batchOrders"): MOVE,
    ("WS", "order.modify"): MOVE,
}

_BYBIT = {
    ("POST", "/v5/order/create"): PLACE,
    ("POST", "/v5/order/create-batch"): PLACE,
    ("WS", "order.create"): PLACE,
    ("WS", "order.create-batch"): PLACE,
    ("POST", "/v5/order/cancel"): CANCEL,
    ("POST", "/v5/order/cancel-batch"): CANCEL,
    ("POST", "/v5/order/cancel-all"): CANCEL,
    ("WS", "order.cancel"): CANCEL,
    ("WS", "order.cancel-batch"): CANCEL,
    ("POST", "/v5/order/amend"): MOVE,
    ("POST", "/v5/order/amend-batch"): MOVE,
    ("POST", "/v5/position/trading-stop"): MOVE,
    ("WS", "order.amend"): MOVE,
    ("WS", "order.amend-batch"): MOVE,
}

_ROUTES = {"binance": _BINANCE, "bybit": _BYBIT}
_ID_KEYS = {
    "binance": ("newClientOrderId", "clientAlgoId", "origClientOrderId"),
    "bybit": ("orderLinkId",),
}
_BATCH_KEYS = ("batchOrders", "request")
_CHANGES_NOTHING = frozenset(
    ("timestamp", "recvWindow", "signature", "apiKey", "newOrderRespType", "returnRateLimits", "category")
)


def asked(line: Line, names: Names) -> tuple[Ask, ...]:
    """Everything that a `request` line asks for; empty for a read, or for what changes no order."""
    if line["method"] == "GET":
        return ()
    venue = line["venue"]
    what = _ROUTES.get(venue, {}).get((line["method"], line["path"]))
    if what is None:
        return ()
    return tuple(_one(venue, what, item, names) for item in _items(line["params"] or {}))


def _items(params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts of a batch, or the request itself. A batch travels as a list, or as a text that holds one."""
    for key in _BATCH_KEYS:
        if (batch := params.get(key)) is not None:
            try:
                items = json.loads(batch) if isinstance(batch, str) else batch
            except ValueError:
                return []
            return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    return [params]


def _one(venue: str, what: str, params: Mapping[str, Any], names: Names) -> Ask:
    client_id = next((str(params[key]) for key in _ID_KEYS[venue] if params.get(key)), None)
    symbol, side = str(params.get("symbol", "")), str(params.get("side", "")).lower()
    if what != PLACE:
        return Ask(what, client_id, symbol, side)
    reduces = any(str(params.get(key)).lower() == "true" for key in ("reduceOnly", "closePosition"))
    told = tuple(sorted((key, str(value)) for key, value in params.items() if key not in _CHANGES_NOTHING))
    return Ask(what, client_id, symbol, side, names.owner(client_id), reduces, hash(told))
