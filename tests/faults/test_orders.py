"""Orders and positions that go other ways than planned: always covered in full, closed once, and explained."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from framework import OrderStatus
from framework_simulator.emulator.world import World
from framework_simulator.simulation import Item
from tests.faults.scene import (
    FALL_MS,
    LATENCY_MS,
    ORDER,
    RISE_MS,
    STOP,
    SYMBOL,
    Theatre,
    act,
    falls,
    happening,
    helpless,
    jump,
    resting,
    rises,
    rule,
    signal,
    turn,
    well,
)
from tests.simulation.judging import MARGIN_MS, ROUND_TRIP

THIN = Decimal("0.06")
"""A third of what a position wants."""


def thin(venue: str, at_ms: int) -> Item:
    """From then on the best prices are good for `THIN` alone."""

    def do(world: World) -> None:
        book = world.book(venue, SYMBOL)
        assert book is not None
        now = book.quote
        world.price(venue, SYMBOL, now.bid, now.ask, last=now.last, mark=now.mark, bid_quantity=THIN, ask_quantity=THIN)

    return act(at_ms, do)


UNTOLD_MS = 61_000
"""What nobody tells is seen by the reading of the account that comes each minute; asking and mending takes a moment."""

REFUSED = {"naked_max_ms_binance": 2 * ROUND_TRIP * LATENCY_MS + MARGIN_MS}
"""One round trip for the stop that is refused, one for the close that follows."""


# ── fills ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_entry_that_fills_in_part_is_protected_for_what_it_filled(stage: Theatre, venue: str) -> None:
    seen = well(stage.play(venue, signal(venue), thin(venue, 4_500)), protected=True)

    assert seen.held == THIN


def test_what_was_filled_in_part_is_closed_by_its_stop_and_nothing_more(stage: Theatre, venue: str) -> None:
    again = act(FALL_MS - 1_000, lambda world: world.price(venue, SYMBOL, Decimal(3000), Decimal("3000.01")))

    seen = well(stage.play(venue, signal(venue), thin(venue, 4_500), again, falls(venue)), protected=False)

    assert seen.fills == seen.journalled == ["buy", "sell"]


@pytest.mark.parametrize("races", ["fill-races", None], ids=["fill during cancel", "cancel wins"])
def test_a_limit_entry_that_is_cancelled_is_counted_with_what_it_filled(
    stage: Theatre, venue: str, races: str | None
) -> None:
    """The first order rests and is cancelled; what it filled before, or in that moment, is not bought again."""
    race = (rule(venue, races, count=1),) if races else ()

    seen = stage.play(venue, signal(venue), *race, variant=resting(venue))

    assert not seen.problems, "\n".join(seen.problems)
    assert seen.states[-1] == "protected"
    assert len(seen.triggers) == 1
    assert seen.held == well(stage.play(venue, signal(venue)), protected=True).held


def test_a_partial_fill_and_then_the_cancel_leave_one_position_and_one_stop(stage: Theatre, venue: str) -> None:
    """A third fills while it rests; the rest is bought at the market, which has a third, too."""
    part = happening(venue, "orders-fill", 6_000, market=SYMBOL)

    seen = stage.play(venue, signal(venue), thin(venue, 4_500), part, variant=resting(venue))

    assert not seen.problems, "\n".join(seen.problems)
    assert seen.states[-1] == "protected"
    assert 0 < seen.held <= 4 * THIN
    assert len(seen.triggers) == 1


@pytest.mark.parametrize("fault", ["lose-event", "duplicate-event", "swap-events", "delay-event"])
def test_events_that_are_missing_doubled_reordered_or_late_change_nothing(
    stage: Theatre, venue: str, fault: str
) -> None:
    """All private events of a life: entry, stop, its move, its execution. The delayed ones come 20 s late."""
    own: dict[str, Any] = {"delay_ms": 20_000} if fault == "delay-event" else {}

    seen = stage.play(venue, signal(venue), rises(venue), jump(venue, -6, FALL_MS), rule(venue, fault, **own))

    well(seen, protected=False)
    assert seen.met[fault] > 5
    assert seen.fills == seen.journalled == ["buy", "sell"]
    assert seen.exit_reason == "trailing-stop"


# ── stops ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("filled_percent", [0, 60, 97], ids=["nothing", "a part", "all but dust"])
def test_a_stop_whose_order_does_not_close_the_position_is_helped_by_a_close(
    stage: Theatre, venue: str, filled_percent: int
) -> None:
    """The stop fires, and its order ends: refused by the venue, or filled in part."""
    short = rule(venue, "short-child", count=1, filled_percent=filled_percent)

    seen = well(stage.play(venue, signal(venue), falls(venue), short), protected=False)

    assert seen.met["short-child"] == 1
    assert seen.exit_reason == "stop-loss"
    assert seen.fills == seen.journalled


def test_a_stop_that_somebody_else_cancels_is_placed_again_and_follows(stage: Theatre, venue: str) -> None:
    seen = stage.play(venue, signal(venue), rises(venue), rule(venue, "stop-vanishes", count=1))

    well(seen, protected=True)
    assert seen.met["stop-vanishes"] == 1
    assert seen.states.count("unprotected") == 2
    assert seen.triggers[0] > seen.stops[0]


def test_a_stop_that_is_cancelled_without_a_word_is_found_missing(stage: Theatre, venue: str) -> None:
    """Neither its cancellation nor anything else is told: the next reading of the account shows it, a minute later."""
    untold = rule(venue, "lose-event", at_ms=20_000)
    gone = act(21_000, lambda world: _cancel_stops(world, venue))

    seen = well(stage.play(venue, signal(venue), untold, gone), protected=True)

    assert len(seen.stops) == 2


def _cancel_stops(world: World, venue: str) -> None:
    helpless(world, venue, "stop-gone-untold", UNTOLD_MS)
    engine = world.venues[venue]
    account = engine.accounts[0]
    for stop in engine.resting_stops(account):
        ends = (account, stop.symbol, stop.id, OrderStatus.CANCELLED, "")
        world.act(venue, lambda one, now_ns, ends=ends: one.end_stop(*ends, now_ns))  # type: ignore[misc]


def test_a_stop_that_acts_while_it_is_being_moved_closes_once(stage: Theatre, venue: str) -> None:
    """On Binance the old one acts as it is about to be removed, on Bybit the one that is being amended."""
    seen = stage.play(venue, signal(venue), rises(venue), rule(venue, "trigger-races", count=1))

    well(seen)
    assert seen.fills == seen.journalled


def test_an_orphan_stop_of_ours_is_removed(stage: Theatre) -> None:
    """Of Binance, where a stop outlives its position. Somebody closes by hand, and the removals get lost at first."""
    by_hand = happening("binance", "position-changed", 20_000, market=SYMBOL, qty="0")
    lost = turn("binance", STOP["binance"], method="DELETE", count=2, arrives=False)

    seen = well(stage.play("binance", signal("binance"), by_hand, lost), protected=False)

    assert seen.met["turn"] == 2
    assert seen.exit_reason == "closed_elsewhere"


# ── others trade ────────────────────────────────────────────────────────────────────────────────────────────────

BY_HAND = {"close": "0", "reduce": "0.05", "add": "0.5", "flip": "-0.1"}


@pytest.mark.parametrize("how", BY_HAND)
def test_what_somebody_does_by_hand_is_covered_and_never_undone(stage: Theatre, venue: str, how: str) -> None:
    """More than ours is protected in full and nothing more is entered; a position turned round is not ours any more."""
    by_hand = happening(venue, "position-changed", 20_000, market=SYMBOL, qty=BY_HAND[how])

    seen = stage.play(venue, signal(venue), rises(venue), by_hand)

    assert not seen.problems, "\n".join(seen.problems)
    assert len(seen.entries) == 1
    assert seen.held == Decimal(BY_HAND[how])
    assert seen.states[-1] == {"close": "closed", "reduce": "protected", "add": "quarantined", "flip": "closed"}[how]
    assert len(seen.triggers) == (1 if how in ("reduce", "add") else 0)


@pytest.mark.parametrize("how", ["reduce", "add"])
def test_the_stop_closes_what_somebody_has_changed_by_hand(stage: Theatre, venue: str, how: str) -> None:
    by_hand = happening(venue, "position-changed", 20_000, market=SYMBOL, qty=BY_HAND[how])

    seen = stage.play(venue, signal(venue), by_hand, falls(venue))

    assert not seen.problems, "\n".join(seen.problems)
    assert seen.held == 0
    assert len(seen.triggers) == 0


@pytest.mark.parametrize("how", ["liquidation", "adl"])
def test_what_the_venue_closes_by_itself_is_closed_and_called_so(stage: Theatre, venue: str, how: str) -> None:
    own = {"qty": "1"} if how == "adl" else {}

    seen = stage.play(venue, signal(venue), rises(venue), happening(venue, how, 20_000, market=SYMBOL, **own))

    assert not seen.problems, "\n".join(seen.problems)
    assert seen.exit_reason == how
    assert seen.fills == seen.journalled == ["buy", "sell"]
    assert len(seen.triggers) == 0


def test_what_auto_deleveraging_leaves_stays_covered(stage: Theatre, venue: str) -> None:
    taken = happening(venue, "adl", 20_000, market=SYMBOL, qty="0.02")

    seen = well(stage.play(venue, signal(venue), rises(venue), taken), protected=True)

    assert seen.triggers[0] > seen.stops[0]


# ── prices leap ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("side", ["long", "short"])
def test_a_gap_through_the_stop_closes_at_the_new_price(stage: Theatre, venue: str, side: str) -> None:
    percent = -8 if side == "long" else 8

    seen = well(stage.play(venue, signal(venue, side), jump(venue, percent, RISE_MS)), protected=False)

    assert seen.exit_reason == "stop-loss"
    assert len(seen.fills) == len(seen.journalled) == 2


@pytest.mark.parametrize("at_ms", [5_085, 5_103, 5_120], ids=["before the fill", "after the fill", "with the stop"])
def test_a_gap_while_the_position_opens_leaves_nothing_naked(stage: Theatre, venue: str, at_ms: int) -> None:
    seen = well(stage.play(venue, signal(venue), jump(venue, -8, at_ms), bounds=REFUSED))

    assert seen.fills == seen.journalled
    assert len(seen.entries) == 1


def test_a_gap_through_the_stop_while_the_product_is_down_is_explained_afterwards(stage: Theatre, venue: str) -> None:
    """It dies as it moves the stop; the stop acts while nobody is there."""
    moved = 1 if venue == "binance" else 0
    dies = turn(venue, STOP[venue], after=moved, dies=True)

    seen = stage.play(venue, signal(venue), rises(venue), jump(venue, -8, RISE_MS + 300), dies)

    assert [life.end.killed for life in seen.outcome.lives] == [True, False]
    well(seen, protected=False)
    assert seen.fills == seen.journalled == ["buy", "sell"]


# ── the process dies in between ─────────────────────────────────────────────────────────────────────────────────


def test_a_death_between_the_new_stop_and_the_old_one_leaves_the_tighter_one(stage: Theatre, venue: str) -> None:
    moved = 1 if venue == "binance" else 0
    dies = turn(venue, STOP[venue], after=moved, dies=True)

    seen = stage.play(venue, signal(venue), rises(venue), dies)

    assert [life.end.killed for life in seen.outcome.lives] == [True, False]
    well(seen, protected=True)
    assert seen.triggers[0] == max(seen.stops)


def test_a_death_with_the_entry_on_its_way_is_followed_by_no_other_entry(stage: Theatre, venue: str) -> None:
    seen = stage.play(venue, signal(venue), turn(venue, ORDER[venue], dies=True))

    assert [life.end.killed for life in seen.outcome.lives] == [True, False]
    well(seen)
    assert len(seen.entries) == 1
    assert seen.held or seen.fills == ["buy", "sell"]


def test_a_death_with_the_close_on_its_way_closes_once(stage: Theatre, venue: str) -> None:
    hangs = rule(venue, "short-child", count=1)

    seen = stage.play(venue, signal(venue), falls(venue), hangs, turn(venue, ORDER[venue], after=1, dies=True))

    assert [life.end.killed for life in seen.outcome.lives] == [True, False]
    assert well(seen, protected=False).fills == seen.journalled == ["buy", "sell"]
