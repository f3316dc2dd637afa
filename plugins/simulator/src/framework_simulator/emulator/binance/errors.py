"""Binance's error codes, their texts and HTTP statuses.

Source: "Binance USD-M Futures, Error Codes" and "General Info, HTTP Return Codes". Clients tell errors apart by the
code, and some of them by the exact text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framework import Refusal

BAD_REQUEST = 400

_UNKNOWN_OUTCOME = "Unknown error, please check your request or try again later."

# code: (HTTP status, text). A text with {} gets what the error is about.
CODES: Mapping[int, tuple[int, str]] = {
    -1000: (503, _UNKNOWN_OUTCOME),
    -1001: (503, "Internal error; unable to process your request. Please try again."),
    -1002: (401, "You are not authorized to execute this request."),
    -1003: (429, "Too many requests; current limit of IP is {} requests per minute."),
    -1006: (503, "An unexpected response was received from the message bus. Execution status unknown."),
    -1007: (408, "Timeout waiting for response from backend server. Send status unknown; execution status unknown."),
    -1008: (503, "Server is currently overloaded with other requests. Please try again in a few minutes."),
    -1013: (400, "Invalid message."),
    -1014: (400, "Unsupported order combination."),
    -1015: (429, "Too many new orders; current limit is {}."),
    -1016: (400, "This service is no longer available."),
    -1020: (400, "This operation is not supported."),
    -1021: (400, "Timestamp for this request is outside of the recvWindow."),
    -1022: (400, "Signature for this request is not valid."),
    -1100: (400, "Illegal characters found in parameter '{}'."),
    -1101: (400, "Too many parameters sent for this endpoint."),
    -1102: (400, "Mandatory parameter '{}' was not sent, was empty/null, or malformed."),
    -1105: (400, "Parameter '{}' was empty."),
    -1106: (400, "Parameter '{}' sent when not required."),
    -1111: (400, "Precision is over the maximum defined for this asset."),
    -1112: (400, "No orders on book for symbol."),
    -1115: (400, "Invalid timeInForce."),
    -1116: (400, "Invalid orderType."),
    -1117: (400, "Invalid side."),
    -1120: (400, "Invalid interval."),
    -1121: (400, "Invalid symbol."),
    -1125: (400, "This listenKey does not exist."),
    -1130: (400, "Data sent for parameter '{}' is not valid."),
    -1131: (400, "recvWindow must be less than 60000."),
    -1136: (400, "Invalid newOrderRespType."),
    -2011: (400, "Unknown order sent."),
    -2013: (400, "Order does not exist."),
    -2014: (401, "API-key format invalid."),
    -2015: (401, "Invalid API-key, IP, or permissions for action."),
    -2019: (400, "Margin is insufficient."),
    -2021: (400, "Order would immediately trigger."),
    -2022: (400, "ReduceOnly Order is rejected."),
    -2025: (400, "Reach max open order limit."),
    -2027: (400, "Exceeded the maximum allowable position at current leverage."),
    -2028: (400, "Leverage is smaller than permitted: insufficient margin balance."),
    -4002: (400, "Price greater than max price."),
    -4003: (400, "Quantity less than or equal to zero."),
    -4004: (400, "Quantity less than min quantity."),
    -4005: (400, "Quantity greater than max quantity."),
    -4013: (400, "Price less than min price."),
    -4014: (400, "Price not increased by tick size."),
    -4015: (400, "Client order id is not valid."),
    -4016: (400, "Limit price can't be higher than the upper bound."),
    -4023: (400, "Qty not increased by step size."),
    -4024: (400, "Limit price can't be lower than the lower bound."),
    -4028: (400, "Leverage {} is not valid"),
    -4045: (400, "Reach max stop order limit."),
    -4046: (400, "No need to change margin type."),
    -4047: (400, "Margin type cannot be changed if there exists open orders."),
    -4048: (400, "Margin type cannot be changed if there exists position."),
    -4059: (400, "No need to change position side."),
    -4061: (400, "Order's position side does not match user's setting."),
    -4067: (400, "Position side cannot be changed if there exists open orders."),
    -4068: (400, "Position side cannot be changed if there exists position."),
    -4116: (400, "ClientOrderId is duplicated."),
    -4117: (400, "Stop order is triggering."),
    -4118: (400, "ReduceOnly Order Failed. Please check your existing position and open orders."),
    -4120: (400, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."),
    -4130: (400, "An open stop or take profit order with GTE and closePosition in the direction is existing."),
    -4136: (400, "Order type is not allowed with closePosition."),
    -4137: (400, "Quantity must be empty when closePosition is true."),
    -4161: (400, "Leverage reduction is not supported in Isolated Margin Mode with open positions."),
    -4164: (400, "Order's notional must be no smaller than {} (unless you choose reduce only)."),
    -4509: (400, "Time in Force (TIF) GTE can only be used with open positions."),
    -5000: (404, "Path {}, Method {} is invalid"),
    -5021: (400, "Due to the order could not be filled immediately, the FOK order has been rejected."),
    -5022: (400, "Due to the order could not be executed as maker, the Post Only order will be rejected."),
    -5025: (400, "Only limit order is supported."),
    -5027: (400, "No need to modify the order."),
}


class VenueError(Exception):
    """The venue says no. `code` is Binance's; the status and the text follow from it unless they are given."""

    def __init__(self, code: int, *about: object, message: str | None = None, status: int | None = None) -> None:
        known_status, text = CODES.get(code, (BAD_REQUEST, "The request was rejected."))
        self.code = code
        self.status = known_status if status is None else status
        self.message = _filled(text, about) if message is None else message
        super().__init__(f"{code}: {self.message}")

    @property
    def body(self) -> dict[str, Any]:
        """What a client reads."""
        return {"code": self.code, "msg": self.message}


def from_refusal(refusal: Refusal) -> VenueError:
    """The engine's refusal in Binance's own words, where they are known."""
    code = int(refusal.code)
    known = CODES.get(code)
    return VenueError(code, message=refusal.message if known is None or "{}" in known[1] else None)


def missing(name: str) -> VenueError:
    """A mandatory parameter is missing or malformed."""
    return VenueError(-1102, name)


def _filled(text: str, about: tuple[object, ...]) -> str:
    for one in about:
        text = text.replace("{}", str(one), 1)
    return text
