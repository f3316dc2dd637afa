"""What the product may ask a venue for. All that is not listed is forbidden: withdrawals and transfers above all,
and what takes away orders that it does not name (cancel-all, dead-man switches)."""

from __future__ import annotations

from fnmatch import fnmatchcase

ALLOWED = {
    "binance": (
        "GET /fapi/*",
        "GET /futures/data/*",
        "GET /sapi/v1/account/apiRestrictions",
        "GET /sapi/v1/system/status",
        "POST /fapi/v1/order",
        "POST /fapi/v1/order/test",
        "POST /fapi/v1/algoOrder",
        "POST /fapi/v1/batchOrders",
        "POST /fapi/v1/leverage",
        "POST /fapi/v1/marginType",
        "POST /fapi/v1/positionSide/dual",
        "POST /fapi/v1/listenKey",
        "PUT /fapi/v1/order",
        "PUT /fapi/v1/listenKey",
        "DELETE /fapi/v1/order",
        "DELETE /fapi/v1/algoOrder",
        "DELETE /fapi/v1/batchOrders",
        "DELETE /fapi/v1/listenKey",
        "WS ping",
        "WS time",
        "WS depth",
        "WS ticker.*",
        "WS session.*",
        "WS order.*",
        "WS algoOrder.*",
        "WS account.*",
        "WS v2/account.*",
        "WS userDataStream.*",
    ),
    "bybit": (
        "GET /v5/market/*",
        "GET /v5/order/*",
        "GET /v5/position/*",
        "GET /v5/execution/*",
        "GET /v5/account/*",
        "GET /v5/user/query-api",
        "GET /v5/system/status",
        "POST /v5/order/create",
        "POST /v5/order/create-batch",
        "POST /v5/order/amend",
        "POST /v5/order/amend-batch",
        "POST /v5/order/cancel",
        "POST /v5/order/cancel-batch",
        "POST /v5/position/trading-stop",
        "POST /v5/position/set-leverage",
        "POST /v5/position/switch-mode",
        "POST /v5/account/set-margin-mode",
        "WS order.create",
        "WS order.create-batch",
        "WS order.amend",
        "WS order.amend-batch",
        "WS order.cancel",
        "WS order.cancel-batch",
    ),
}
"""Patterns of method and path by venue; ``*`` stands for anything."""


def is_allowed(venue: str, method: str, path: str) -> bool:
    """Whether a request is one that the product has a reason to make."""
    asked = f"{method} {path}"
    return any(fnmatchcase(asked, pattern) for pattern in ALLOWED.get(venue, ()))
