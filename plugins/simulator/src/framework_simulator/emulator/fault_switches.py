"""Every fault switch by its name: what it looks at, its parameters, what it does.

A default of None means that the parameter has to be given. Sources of the answers: "Binance USD-M Futures, Error
Codes" and "General Info" (the meanings of 503), "Bybit v5, Error Codes".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from framework import OrderStatus

from ..engine.orders import Stop
from .binance import errors as binance
from .bybit import errors as bybit
from .clock import NS_PER_MS
from .fault_happenings import HAPPENINGS, Happening
from .faults import FaultAnswer, Occasion, RequestPlan
from .wire import Transport

if TYPE_CHECKING:
    from .world import World

Planner = Callable[[Mapping[str, Any], str], RequestPlan]
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}
UNKNOWN_503 = "Unknown error, please check your request or try again later."
FAILED_503 = "Internal error; unable to process your request. Please try again."


def _everything(occasion: Occasion) -> bool:
    return True


def _nothing(own: Mapping[str, Any], venue: str) -> RequestPlan:
    return RequestPlan()


def _nowhere(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    return None


def _no_stop(world: World, venue: str, account: str, stop: Stop, own: Mapping[str, Any]) -> None:
    return None


@frozen
class Switch:
    """One switch. `kind`: request, event, happening, stop or engine: who asks for it."""

    kind: str
    defaults: Mapping[str, Any] = field(factory=dict)
    looks_at: Callable[[Occasion], bool] = _everything
    planner: Planner = _nothing
    happening: Happening = _nowhere
    stopper: Callable[[World, str, str, Stop, Mapping[str, Any]], None] = _no_stop

    def plan(self, own: Mapping[str, Any], venue: str) -> RequestPlan:
        """What happens to a request."""
        return self.planner({**self.defaults, **own}, venue)

    def happen(self, world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
        """Do it to the world."""
        self.happening(world, occasion, own)

    def on_stop(self, world: World, venue: str, account: str, stop: Stop, own: Mapping[str, Any]) -> None:
        """Do it to a stop that was just placed."""
        self.stopper(world, venue, account, stop, {**self.defaults, **own})

    def check(self, own: Mapping[str, Any], where: str) -> None:
        """Raise ValueError for a parameter of another kind than its default."""
        for key, value in own.items():
            default = self.defaults.get(key)
            if default is not None and type(value) is not type(default):
                raise ValueError(f"{where}: {key} must be like {default!r}, got {value!r}")


def _answered(executed: bool, answer: FaultAnswer) -> RequestPlan:
    return RequestPlan(replace=answer) if executed else RequestPlan(instead=answer)


def _coded(status: int, code: int, message: str, bybit_code: int) -> Planner:
    """An answer with Binance's status and code, or with Bybit's code (whose status is 200)."""

    def plan(own: Mapping[str, Any], venue: str) -> RequestPlan:
        told = (status, code) if venue == "binance" else (200, bybit_code)
        return _answered(bool(own.get("executed")), FaultAnswer(told[0], told[1], message))

    return plan


def _raw(status: int, body: bytes, headers: Mapping[str, str]) -> Planner:
    def plan(own: Mapping[str, Any], venue: str) -> RequestPlan:
        return _answered(bool(own.get("executed")), FaultAnswer(status, None, "", body, headers))

    return plan


def _lost(own: Mapping[str, Any], venue: str) -> RequestPlan:
    answer = None if own["executed"] else FaultAnswer(503, None, "lost")
    return RequestPlan(instead=answer, transport=Transport(drop=True))


def _slow(own: Mapping[str, Any], venue: str) -> RequestPlan:
    return RequestPlan(transport=Transport(delay_ns=own["delay_ms"] * NS_PER_MS))


def _truncated(own: Mapping[str, Any], venue: str) -> RequestPlan:
    return RequestPlan(transport=Transport(truncate=own["bytes"]))


def _refuse(own: Mapping[str, Any], venue: str) -> RequestPlan:
    """Without a message or a status: the venue's own for that code."""
    code = int(own["code"])
    usual = binance.VenueError(code) if venue == "binance" else bybit.VenueError(code, "")
    message = own["message"] or usual.message.replace("{}", "")
    return _answered(own["executed"], FaultAnswer(own["status"] or usual.status, code, message))


def _limited(own: Mapping[str, Any], venue: str) -> RequestPlan:
    wait = str(own["retry_after_s"])
    if venue == "binance":
        return RequestPlan(instead=FaultAnswer(429, -1003, "Too many requests.", headers={"Retry-After": wait}))
    return RequestPlan(instead=FaultAnswer(200, 10006, "Too many visits. Exceeded the API Rate Limit."))


def _banned(own: Mapping[str, Any], venue: str) -> RequestPlan:
    if venue == "binance":
        headers = {"Retry-After": str(own["retry_after_s"])}
        return RequestPlan(instead=FaultAnswer(418, -1003, "Way too many requests; IP banned.", headers=headers))
    return RequestPlan(instead=FaultAnswer(403, None, "", b"access too frequent, please try again in 5 minutes", HTML))


def _is_entry(occasion: Occasion) -> bool:
    """An order that is neither reduce-only nor closes the position: what an overloaded venue turns away."""
    params = occasion.params
    makes = occasion.method in ("POST", "WS") and "order" in occasion.path.lower()
    reduces = any(str(params.get(key, "")).lower() == "true" for key in ("reduceOnly", "closePosition"))
    return makes and not reduces and "cancel" not in occasion.path.lower()


def _vanish(world: World, venue: str, account: str, stop: Stop, own: Mapping[str, Any]) -> None:
    """Seen on a demo venue: a stop is accepted, and cancelled soon after without a reason."""

    def end() -> None:
        world.act(
            venue,
            lambda engine, now_ns: engine.end_stop(account, stop.symbol, stop.id, OrderStatus.CANCELLED, "", now_ns),
        )

    world.schedule(own["after_ms"] * NS_PER_MS, end)


_EXECUTED = {"executed": True}
_NOT = {"executed": False}

SWITCHES: Mapping[str, Switch] = {
    # the answer is lost, late or damaged
    "ack-lost": Switch("request", planner=lambda own, venue: _lost({"executed": True}, venue)),
    "request-lost": Switch("request", planner=lambda own, venue: _lost({"executed": False}, venue)),
    "slow-response": Switch("request", {"delay_ms": 15_000}, planner=_slow),
    "truncated-body": Switch("request", {"bytes": 10}, planner=_truncated),
    "empty-body": Switch("request", _EXECUTED, planner=_raw(200, b"", JSON)),
    "html-body": Switch("request", _EXECUTED, planner=_raw(200, b"<html><body>oops</body></html>", HTML)),
    "list-body": Switch("request", _EXECUTED, planner=_raw(200, b"[]", JSON)),
    "null-body": Switch("request", _EXECUTED, planner=_raw(200, b"null", JSON)),
    # the venue says that something is wrong with it
    "unknown-503": Switch("request", _EXECUTED, planner=_coded(503, -1000, UNKNOWN_503, 10016)),
    "failed-503": Switch("request", _NOT, planner=_coded(503, -1000, FAILED_503, 10016)),
    "unavailable-503": Switch("request", _NOT, planner=_raw(503, b"Service Unavailable.", HTML)),
    "gateway-504": Switch("request", _EXECUTED, planner=_raw(504, b"Gateway Time-out", HTML)),
    "backend-timeout": Switch(
        "request", _EXECUTED, planner=_coded(408, -1007, "Timeout waiting for response from backend server.", 10000)
    ),
    "overload": Switch(
        "request",
        _NOT,
        looks_at=_is_entry,
        planner=_coded(503, -1008, "Server is currently overloaded with other requests.", 10016),
    ),
    # the venue says no
    "refuse": Switch("request", {"code": None, "message": "", "status": 0, "executed": False}, planner=_refuse),
    "rate-limited": Switch("request", {"retry_after_s": 10}, planner=_limited),
    "banned": Switch("request", {"retry_after_s": 120}, planner=_banned),
    "forbidden": Switch("request", planner=_raw(403, b"<html><body>403 Forbidden</body></html>", HTML)),
    # streams
    "lose-event": Switch("event"),
    "duplicate-event": Switch("event"),
    "delay-event": Switch("event", {"delay_ms": 500}),
    "swap-events": Switch("event"),
    # the engine
    "stop-vanishes": Switch("stop", {"after_ms": 50}, stopper=_vanish),
    "short-child": Switch("engine", {"filled_percent": 0}),
    "reject-order": Switch("engine", {"reason": "EC_Others", "after_ms": 100}),
    # what others, or the venue, do; fires with a request that fits, or by itself with `at_ms`
    **{name: Switch("happening", one.defaults, happening=one.do) for name, one in HAPPENINGS.items()},
}
