"""What a venue answers when something is wrong, with it or with us: understood, never repeated blindly, never naked."""

from __future__ import annotations

from typing import Any

import pytest

from framework_simulator.simulation import Item
from tests.faults.scene import (
    CALM_MS,
    ORDER,
    OTHER,
    RISE_MS,
    STOP,
    SYMBOL,
    Theatre,
    falls,
    happening,
    jump,
    rises,
    rule,
    signal,
    turn,
    well,
)

S, MS = 1_000_000_000, 1_000_000
BINANCE, BYBIT = "binance", "bybit"

TROUBLE: dict[str, dict[str, Any]] = {
    "503 unknown, carried out": {"name": "unknown-503"},
    "503 unknown, not carried out": {"name": "unknown-503", "executed": False},
    "503 failed": {"name": "failed-503"},
    "503 unavailable": {"name": "unavailable-503"},
    "-1007 with 408, carried out": {"name": "backend-timeout"},
    "-1007 with 408, not carried out": {"name": "backend-timeout", "executed": False},
    "504, carried out": {"name": "gateway-504"},
    "504, not carried out": {"name": "gateway-504", "executed": False},
    "-1006, carried out": {"name": "refuse", "code": -1006, "executed": True},
    "-1006, not carried out": {"name": "refuse", "code": -1006},
}
"""The venue has trouble of its own. Bybit says the same with 10016, 10000 and the statuses."""

OF_BINANCE_ALONE = ("-1006, carried out", "-1006, not carried out")
BOTH = [
    (venue, how) for venue in (BINANCE, BYBIT) for how in TROUBLE if venue == BINANCE or how not in OF_BINANCE_ALONE
]


def trouble(venue: str, how: str, path: str, **more: Any) -> Item:
    """The venue has that trouble with one request on a path."""
    own = {"method": "POST", "path": path, "count": 1, **TROUBLE[how], **more}
    return rule(venue, own.pop("name"), **own)


# ── trouble of the venue's own ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("venue", "how"), BOTH)
def test_an_entry_that_meets_trouble_is_sent_once_and_protected_if_it_was_carried_out(
    stage: Theatre, venue: str, how: str
) -> None:
    seen = well(stage.play(venue, signal(venue), trouble(venue, how, ORDER[venue])))

    carried_out = not how.endswith(("not carried out", "failed", "unavailable"))
    assert len(seen.entries) == 1
    assert seen.states[-1] == ("protected" if carried_out else "aborted")


@pytest.mark.parametrize(("venue", "how"), BOTH)
def test_a_stop_that_meets_trouble_is_there_in_the_end(stage: Theatre, venue: str, how: str) -> None:
    well(stage.play(venue, signal(venue), rises(venue), trouble(venue, how, STOP[venue])), protected=True)


@pytest.mark.parametrize(("venue", "how"), BOTH)
def test_a_close_that_meets_trouble_closes_once(stage: Theatre, venue: str, how: str) -> None:
    hangs = rule(venue, "short-child", count=1)

    seen = stage.play(venue, signal(venue), falls(venue), hangs, trouble(venue, how, ORDER[venue], after=1))

    assert well(seen, protected=False).fills == seen.journalled == ["buy", "sell"]


def test_an_overloaded_venue_takes_no_entry_and_it_is_not_sent_again(stage: Theatre, venue: str) -> None:
    """-1008: Binance turns away what adds risk, and takes what reduces it."""
    seen = well(stage.play(venue, signal(venue), rule(venue, "overload", count=1)), protected=False)

    assert seen.met["overload"] == 1
    assert (len(seen.entries), seen.fills) == (1, [])


def test_an_order_that_is_accepted_and_then_rejected_opens_nothing(stage: Theatre, venue: str) -> None:
    seen = well(stage.play(venue, signal(venue), rule(venue, "reject-order", count=1)), protected=False)

    assert seen.met["reject-order"] == 1
    assert (len(seen.entries), seen.states[-1]) == (1, "aborted")


def test_maintenance_is_waited_for_while_the_stop_rests(stage: Theatre, venue: str) -> None:
    """For two minutes every request is answered with 503, and the streams are closed and stay so."""
    for_ms = 120_000
    shut = Item("rule", 20_000, 0, venue, {"name": "streams-closed", "at_ms": 0, "for_ms": for_ms, "close_code": 1001})
    unavailable = rule(venue, "unavailable-503", at_ms=20_000)

    def ends(world: Any) -> None:
        world.faults.clear()

    over = Item("act", 20_000 + for_ms, own={"do": ends})
    seen = well(stage.play(venue, signal(venue), rises(venue), shut, unavailable, over, end_ms=400_000), protected=True)

    assert seen.met["unavailable-503"] > 5
    assert seen.triggers[0] > seen.stops[0]


# ── it wants silence ────────────────────────────────────────────────────────────────────────────────────────────

SILENCES: dict[str, tuple[str, dict[str, Any], int]] = {
    "429": (BINANCE, {"name": "rate-limited", "retry_after_s": 20}, 20),
    "418 for two minutes": (BINANCE, {"name": "banned", "retry_after_s": 120}, 120),
    "418 for an hour": (BINANCE, {"name": "banned", "retry_after_s": 3_600}, 3_600),
    "403": (BYBIT, {"name": "forbidden"}, 600),
}


def requests_between(lines: list[dict[str, Any]], from_ns: int, to_ns: int) -> list[dict[str, Any]]:
    return [line for line in lines if line["kind"] == "request" and from_ns < line["t"] < to_ns]


@pytest.mark.parametrize("how", SILENCES)
def test_nothing_is_sent_until_the_venue_wants_to_hear_of_us_again_and_the_stop_rests(stage: Theatre, how: str) -> None:
    """Said to a move of the stop; the price goes on running, and the stop stays where it is."""
    venue, own, for_s = SILENCES[how]
    own = {**own, "path": STOP[venue], "method": "POST", "at": RISE_MS}
    silence = rule(venue, own.pop("name"), at_ms=own.pop("at") - 1_000, count=1, **own)

    seen = stage.play(venue, signal(venue), rises(venue), silence, end_ms=for_s * 1_000 + 250_000)

    well(seen, protected=True)
    told_ns = next(line["t"] for line in seen.lines if line["kind"] == "fault" and line["name"] == silence.own["name"])
    on_their_way_ns = 40 * MS
    assert requests_between(seen.lines, told_ns + on_their_way_ns, told_ns + for_s * S) == []
    assert seen.triggers[0] > seen.stops[0]


def test_a_silence_that_begins_with_the_entry_opens_nothing(stage: Theatre, venue: str) -> None:
    name = "banned" if venue == BINANCE else "forbidden"
    own = {"retry_after_s": 60} if venue == BINANCE else {}
    refused = rule(venue, name, path=ORDER[venue], method="POST", count=1, **own)

    seen = well(stage.play(venue, signal(venue), refused, end_ms=900_000), protected=False)

    assert (len(seen.entries), seen.fills) == (1, [])


def test_a_silence_that_begins_with_the_first_stop_ends_with_the_position_closed(stage: Theatre) -> None:
    """Of Binance: for so long nothing can be done about it, and people are told at once."""
    banned = rule(BINANCE, "banned", path=STOP[BINANCE], method="POST", count=1, retry_after_s=60)

    seen = well(stage.play(BINANCE, signal(BINANCE), banned))

    assert seen.codes["venue_banned"] == 1


def test_10006_shuts_one_route_and_the_stop_follows_later(stage: Theatre) -> None:
    limited = rule(BYBIT, "rate-limited", path=STOP[BYBIT], method="POST", count=3)

    seen = well(stage.play(BYBIT, signal(BYBIT), rises(BYBIT), limited), protected=True)

    assert seen.met["rate-limited"] == 3
    assert seen.triggers[0] > seen.stops[0]


# ── it says no, or something that is not so ─────────────────────────────────────────────────────────────────────

ENTRY_READ = {BINANCE: "/fapi/v1/order", BYBIT: "/v5/order/*"}
NOT_FOUND = {BINANCE: -2013, BYBIT: 110001}


@pytest.mark.parametrize("lag_ms", [5_000, 20_000])
def test_an_order_that_the_venue_denies_falsely_is_not_sent_again(stage: Theatre, venue: str, lag_ms: int) -> None:
    """The entry's answer is lost, reads trail behind, and the order's own query says that there is none."""
    lost = turn(venue, ORDER[venue], answers=False)
    denied = rule(venue, "refuse", at_ms=5_090, code=NOT_FOUND[venue], path=ENTRY_READ[venue], method="GET", count=3)
    stale = happening(venue, "stale-reads", 5_050, lag_ms=lag_ms, for_ms=30_000)

    seen = well(stage.play(venue, signal(venue), lost, denied, stale))

    assert len(seen.entries) == 1
    assert seen.held or seen.fills == ["buy", "sell"]


@pytest.mark.parametrize("lag_ms", [60_000, 600_000], ids=["1 min", "10 min"])
def test_reads_that_trail_behind_for_minutes_open_nothing_twice_and_leave_nothing(
    stage: Theatre, venue: str, lag_ms: int
) -> None:
    """For so long reads show an account from before, so much later; what the venue holds is covered all the while."""
    lost = turn(venue, ORDER[venue], answers=False)
    stale = Item("rule", 5_050, 0, venue, {"name": "stale-reads", "at_ms": 0, "lag_ms": lag_ms, "for_ms": lag_ms})

    seen = stage.play(venue, signal(venue), lost, stale, end_ms=3 * lag_ms + 400_000)

    assert [problem for problem in seen.problems if not problem.startswith("7 ")] == []
    assert len(seen.entries) == 1
    assert seen.fills in (["buy"], ["buy", "sell"])
    assert len(seen.triggers) == (1 if seen.held else 0)


DUPLICATE = {BINANCE: -4116, BYBIT: 110072}


def test_a_client_id_that_the_venue_knows_already_is_the_order_that_was_wanted(stage: Theatre, venue: str) -> None:
    told = rule(venue, "refuse", code=DUPLICATE[venue], path=ORDER[venue], method="POST", count=1, executed=True)

    seen = well(stage.play(venue, signal(venue), told), protected=True)

    assert len(seen.entries) == 1


def test_a_client_id_that_the_venue_claims_to_know_and_does_not_is_not_used_again(stage: Theatre, venue: str) -> None:
    told = rule(venue, "refuse", code=DUPLICATE[venue], path=ORDER[venue], method="POST", count=1)

    seen = well(stage.play(venue, signal(venue), told), protected=False)

    assert len(seen.entries) == 1


@pytest.mark.parametrize("times", [1, 3, None], ids=["once", "three times", "for ever"])
@pytest.mark.parametrize("code", [-4509, -4130, -2021, -2022, -4120, -4045])
def test_a_first_stop_that_is_refused_is_placed_again_or_its_position_closed(
    stage: Theatre, code: int, times: int | None
) -> None:
    """-4509: no position. -4130: one rests. -2021: passed. -2022: reduces nothing. -4120: route. -4045: too many."""
    own: dict[str, Any] = {} if times is None else {"count": times}
    refused = rule(BINANCE, "refuse", code=code, path=STOP[BINANCE], method="POST", **own)

    seen = well(stage.play(BINANCE, signal(BINANCE), refused))

    waited_for = code == -4509 and times is not None
    again = code in (-4130, -2022, -4045) and times == 1
    assert (seen.held != 0) == (waited_for or again)


MOVES = [(BINANCE, code) for code in (-4509, -4130, -2022, -4120, -4045)] + [
    (BYBIT, code) for code in (34040, 110001, 10001)
]


@pytest.mark.parametrize(("venue", "code"), MOVES)
def test_a_move_that_is_refused_for_ever_leaves_the_stop_where_it_is(stage: Theatre, venue: str, code: int) -> None:
    after = 1 if venue == BINANCE else 0
    refused = rule(venue, "refuse", code=code, path=STOP[venue], method="POST", after=after)

    seen = well(stage.play(venue, signal(venue), rises(venue), refused), protected=True)

    assert seen.met["refuse"] >= 1
    assert len(seen.triggers) == 1


def test_a_move_whose_price_was_passed_meanwhile_closes_the_position(stage: Theatre) -> None:
    refused = rule(BINANCE, "refuse", code=-2021, path=STOP[BINANCE], method="POST", after=1)

    seen = well(stage.play(BINANCE, signal(BINANCE), rises(BINANCE), refused), protected=False)

    assert seen.exit_reason == "trailing-stop"


CLOSE_REFUSED = {BINANCE: -2022, BYBIT: 110017}


def test_a_close_that_reduces_nothing_according_to_the_venue_is_tried_until_it_is_flat(
    stage: Theatre, venue: str
) -> None:
    hangs = rule(venue, "short-child", count=1)
    refused = rule(venue, "refuse", code=CLOSE_REFUSED[venue], path=ORDER[venue], method="POST", after=1, count=3)

    seen = well(stage.play(venue, signal(venue), falls(venue), hangs, refused), protected=False)

    assert seen.met["refuse"] == 3
    assert seen.fills == ["buy", "sell"]


NO_MARGIN = {BINANCE: -2019, BYBIT: 110007}


def test_without_margin_nothing_is_opened_and_the_next_candidate_goes_on(stage: Theatre, venue: str) -> None:
    where = {"symbol": SYMBOL}
    refused = rule(venue, "refuse", code=NO_MARGIN[venue], path=ORDER[venue], method="POST", params=where)

    seen = stage.play(venue, signal(venue), signal(venue, symbol=OTHER), refused)

    assert list(seen.problems) == []
    assert len(seen.entries) == 1
    assert {step.symbol: step.to_state for step in seen.steps} == {SYMBOL: "aborted", OTHER: "protected"}


# ── what it changes, or others do ───────────────────────────────────────────────────────────────────────────────

FILTERS = {"tick size": "tick_factor", "step size": "step_factor", "smallest notional": "min_notional_factor"}


@pytest.mark.parametrize("which", FILTERS)
def test_rules_that_change_before_an_entry_leave_it_protected_or_not_opened(
    stage: Theatre, venue: str, which: str
) -> None:
    changed = happening(venue, "filters-change", 4_500, market=SYMBOL, **{FILTERS[which]: 100})

    seen = well(stage.play(venue, signal(venue), rises(venue), changed))

    assert seen.met["filters-change"] == 1


@pytest.mark.parametrize("which", FILTERS)
def test_rules_that_change_while_a_position_is_open_leave_its_stop(stage: Theatre, venue: str, which: str) -> None:
    changed = happening(venue, "filters-change", 20_000, market=SYMBOL, **{FILTERS[which]: 10})

    well(stage.play(venue, signal(venue), rises(venue), changed), protected=True)


@pytest.mark.parametrize("which", ["tick size", "step size"])
def test_a_position_off_the_changed_rules_is_closed_by_its_stop(stage: Theatre, venue: str, which: str) -> None:
    changed = happening(venue, "filters-change", 10_000, market=SYMBOL, **{FILTERS[which]: 1000})

    seen = well(stage.play(venue, signal(venue), falls(venue), changed), protected=False)

    assert seen.fills == seen.journalled == ["buy", "sell"]
    assert seen.states[-1] == "closed"
    assert seen.held == 0


DELISTED = {BINANCE: -4140, BYBIT: 30228}


def test_a_market_that_is_delisted_is_not_entered(stage: Theatre, venue: str) -> None:
    refused = rule(venue, "refuse", code=DELISTED[venue], path=ORDER[venue], method="POST")

    seen = well(stage.play(venue, signal(venue), refused), protected=False)

    assert (len(seen.entries), seen.states[-1]) == (1, "aborted")


def test_a_position_whose_market_is_delisted_keeps_its_stop_until_the_venue_closes_it(
    stage: Theatre, venue: str
) -> None:
    """Nothing new is taken any more; half a minute later the venue ends the position by itself."""
    refused = rule(venue, "refuse", at_ms=20_000, code=DELISTED[venue], path="*order*", method="POST")
    ended = happening(venue, "liquidation", 50_000, market=SYMBOL)

    seen = stage.play(venue, signal(venue), rises(venue), refused, ended)

    assert list(seen.problems) == []
    assert seen.fills == seen.journalled == ["buy", "sell"]
    assert seen.states[-1] == "closed"
    assert seen.held == 0
    assert len(seen.triggers) == 0


@pytest.mark.parametrize("at_ms", [4_500, 20_000], ids=["before the entry", "while it is open"])
def test_a_leverage_that_others_change_costs_no_protection(stage: Theatre, venue: str, at_ms: int) -> None:
    changed = happening(venue, "leverage-changed", at_ms, market=SYMBOL, leverage=3)

    seen = well(stage.play(venue, signal(venue), rises(venue), changed), protected=True)

    assert seen.met["leverage-changed"] == 1
    assert seen.triggers[0] > seen.stops[0]


def test_a_position_mode_that_others_change_opens_nothing(stage: Theatre, venue: str) -> None:
    changed = happening(venue, "position-mode-changed", 4_500, hedge=True)

    well(stage.play(venue, signal(venue), changed), protected=False)


def test_a_position_mode_that_others_change_while_a_position_is_open_leaves_its_stop(
    stage: Theatre, venue: str
) -> None:
    """No venue allows that; should one do it all the same, what rests protects, and people are told."""
    changed = happening(venue, "position-mode-changed", 20_000, hedge=True)

    seen = well(stage.play(venue, signal(venue), rises(venue), changed), protected=True)

    assert seen.codes["stop_not_moved"] == 1


def test_a_key_that_is_revoked_opens_nothing_and_is_told(stage: Theatre, venue: str) -> None:
    revoked = happening(venue, "key-revoked", 4_500, key="simulated-key")

    seen = well(stage.play(venue, signal(venue), revoked), protected=False)

    assert seen.entries == []
    assert seen.codes["venue_credentials"] >= 1


def test_a_key_that_is_revoked_while_a_position_is_open_leaves_its_stop_to_the_venue(
    stage: Theatre, venue: str
) -> None:
    revoked = happening(venue, "key-revoked", 20_000, key="simulated-key")

    seen = well(stage.play(venue, signal(venue), rises(venue), revoked), protected=True)

    assert seen.codes["venue_credentials"] >= 1


def test_a_stop_acts_although_the_key_is_revoked(stage: Theatre, venue: str) -> None:
    """What became of it can't be asked any more: the product claims nothing that it does not know."""
    revoked = happening(venue, "key-revoked", 20_000, key="simulated-key")

    seen = stage.play(venue, signal(venue), jump(venue, -3, RISE_MS), revoked, end_ms=CALM_MS + 60_000)

    assert seen.fills == ["buy", "sell"]
    assert seen.held == 0
    assert len(seen.triggers) == 0
