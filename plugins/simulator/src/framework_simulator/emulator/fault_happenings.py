"""Fault switches that change the world: what others, or the venue itself, do to an account, a market or a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from ..engine.tiers import continuous
from . import funding
from .clock import NS_PER_MS

if TYPE_CHECKING:
    from .faults import Occasion
    from .world import World

Happening = Callable[["World", "Occasion", Mapping[str, Any]], None]


@frozen
class Deed:
    """A happening and its parameters; None: has to be given."""

    do: Happening
    defaults: Mapping[str, Any]


def _account(world: World, occasion: Occasion) -> str:
    return occasion.account or world.venues[occasion.venue].accounts[0]


def _skew(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    world.skew(occasion.venue, int(own["skew_ms"]) * NS_PER_MS)


def _filters(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    market = world.markets(occasion.venue).get(own["market"])
    if market is not None:
        rules = evolve(
            market.rules,
            tick_size=market.rules.tick_size * int(own["tick_factor"]),
            step_size=market.rules.step_size * int(own["step_factor"]),
            min_notional=market.rules.min_notional * int(own["min_notional_factor"]),
        )
        world.change_rules(occasion.venue, evolve(market, rules=rules))


def _brackets(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    market = world.markets(occasion.venue).get(own["market"])
    if market is not None:
        most = Decimal(int(own["max_leverage"]))
        tiers = continuous(evolve(tier, max_leverage=min(tier.max_leverage, most)) for tier in market.tiers)
        rules = evolve(market.rules, max_leverage=most)
        world.change_rules(occasion.venue, evolve(market, rules=rules, tiers=tiers))


def _mode(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    account, hedge = _account(world, occasion), bool(own["hedge"])
    world.act(occasion.venue, lambda venue, now: venue.set_hedge_mode(account, hedge, now, by_force=True))


def _leverage(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    account, leverage = _account(world, occasion), Decimal(int(own["leverage"]))
    world.act(occasion.venue, lambda venue, now: venue.set_leverage(account, own["market"], leverage, now))


def _liquidate(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    account = _account(world, occasion)
    world.act(occasion.venue, lambda venue, now: venue.liquidate(account, own["market"], now))


def _deleverage(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    account, quantity = _account(world, occasion), Decimal(str(own["qty"]))
    world.act(occasion.venue, lambda venue, now: venue.deleverage(account, own["market"], quantity, now))


def _position(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    account, target, market = _account(world, occasion), Decimal(str(own["qty"])), own["market"]
    if world.book(occasion.venue, market) is not None:
        world.act(occasion.venue, lambda venue, now: venue.change_position(account, market, target, now))


def _funding(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    if own["market"] in world.markets(occasion.venue):
        funding.settle(world, occasion.venue, own["market"], Decimal(str(own["rate"])))


def _close(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    for one in tuple(world.sockets.values()):
        if one.venue == occasion.venue and fnmatchcase(one.path, own["sockets"]):
            one.close(int(own["close_code"]), "")
    world.faults.keep_out(occasion.venue, own["sockets"], int(own["for_ms"]) * NS_PER_MS)


def _silence(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    world.faults.silence(occasion.venue, own["sockets"], int(own["for_ms"]) * NS_PER_MS)


def _lag(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    world.faults.lag_reads(occasion.venue, int(own["lag_ms"]) * NS_PER_MS, int(own["for_ms"]) * NS_PER_MS)


def _race_fill(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    """What a request is about to cancel or amend fills just before."""
    ids = {str(occasion.params.get(key)) for key in ORDER_KEYS if occasion.params.get(key)}
    account, engine = _account(world, occasion), world.venues[occasion.venue]
    for order in engine.open_orders(account):
        if order.id in ids or order.client_id in ids:
            world.act(occasion.venue, lambda venue, now, order=order: venue.fill_order(account, order, now))  # type: ignore[misc]


def _fill(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    """The resting orders of a market fill."""
    account, engine = _account(world, occasion), world.venues[occasion.venue]
    for order in engine.open_orders(account, own["market"]):
        world.act(occasion.venue, lambda venue, now, order=order: venue.fill_order(account, order, now))  # type: ignore[misc]


def _race_trigger(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    """What a request is about to cancel or amend triggers just before."""
    ids = {str(occasion.params.get(key)) for key in STOP_KEYS if occasion.params.get(key)}
    account, engine = _account(world, occasion), world.venues[occasion.venue]
    for stop in engine.resting_stops(account):
        if stop.id in ids or stop.client_id in ids:
            world.act(occasion.venue, lambda venue, now, stop=stop: venue.trigger_stop(account, stop, now))  # type: ignore[misc]


def _listen_keys(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    expire = world.hooks.get("expire-listen-keys")
    if expire is not None:
        expire()


def _revoke(world: World, occasion: Occasion, own: Mapping[str, Any]) -> None:
    world.keys.pop(own["key"], None)


ORDER_KEYS = ("orderId", "origClientOrderId", "orderLinkId")
STOP_KEYS = ("algoId", "clientAlgoId", "orderId", "orderLinkId")

HAPPENINGS: Mapping[str, Deed] = {
    "clock-skew": Deed(_skew, {"skew_ms": None, "after_ms": 0}),
    "filters-change": Deed(
        _filters, {"market": None, "tick_factor": 1, "step_factor": 1, "min_notional_factor": 1, "after_ms": 0}
    ),
    "bracket-lowered": Deed(_brackets, {"market": None, "max_leverage": None, "after_ms": 0}),
    "position-mode-changed": Deed(_mode, {"hedge": True, "after_ms": 0}),
    "leverage-changed": Deed(_leverage, {"market": None, "leverage": None, "after_ms": 0}),
    "liquidation": Deed(_liquidate, {"market": None, "after_ms": 0}),
    "adl": Deed(_deleverage, {"market": None, "qty": None, "after_ms": 0}),
    "position-changed": Deed(_position, {"market": None, "qty": None, "after_ms": 0}),
    "funding": Deed(_funding, {"market": None, "rate": "0.0001", "after_ms": 0}),
    "streams-closed": Deed(_close, {"sockets": "*", "close_code": 1006, "for_ms": 0, "after_ms": 0}),
    "streams-silent": Deed(_silence, {"sockets": "*", "for_ms": 60_000, "after_ms": 0}),
    "listen-keys-expire": Deed(_listen_keys, {"after_ms": 0}),
    "stale-reads": Deed(_lag, {"lag_ms": 5_000, "for_ms": 60_000, "after_ms": 0}),
    "orders-fill": Deed(_fill, {"market": None, "after_ms": 0}),
    "fill-races": Deed(_race_fill, {"after_ms": 0}),
    "trigger-races": Deed(_race_trigger, {"after_ms": 0}),
    "key-revoked": Deed(_revoke, {"key": None, "after_ms": 0}),
}
