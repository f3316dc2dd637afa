"""The inbox: each signal once, for an account that exists, into the wave of its bar; all else refused with a reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from framework import (
    BadSignal,
    Batch,
    Percent,
    Record,
    Side,
    Signal,
    SignalReceived,
    SignalRefused,
    SignalSettings,
    WaveOpened,
)
from framework.engine.inbox import MAX_AHEAD_NS, SETTINGS, Inbox
from framework.testing import NOW_NS, make_signal

D = Decimal
S = 1_000_000_000
BAR = 1_735_732_800_000_000_000
WAVE = "2025-01-01T12:00Z"
ALL = SignalSettings(
    stop_percent=Percent(D(3)),
    trailing_activation_percent=Percent(D(2)),
    trailing_distance_percent=Percent(D(1)),
    max_positions=4,
    min_scores={"week": D(60)},
)


def signal(identity: str = "s1", **fields: Any) -> Signal:
    return evolve(make_signal(id=identity, account="one", bar_time_ns=BAR), **fields)


def inbox(*may_set: str) -> Inbox:
    return Inbox(("one", "two"), frozenset(may_set))


def taken(box: Inbox, *signals: Signal | BadSignal) -> list[Record]:
    return box.take(Batch(signals), NOW_NS)[0]


def refusal(box: Inbox, one: Signal) -> BadSignal:
    (record,) = taken(box, one)
    assert isinstance(record, SignalRefused)
    return record.bad


def test_the_first_signal_of_a_bar_opens_its_wave_and_the_others_join_it() -> None:
    box = inbox()
    assert taken(box, signal("s1"), signal("s2")) == [
        WaveOpened(NOW_NS, WAVE, BAR),
        SignalReceived(NOW_NS, WAVE, signal("s1")),
        SignalReceived(NOW_NS, WAVE, signal("s2")),
    ]
    assert taken(box, signal("s3")) == [SignalReceived(NOW_NS, WAVE, signal("s3"))]
    assert [each.id for each in box.waves[WAVE]] == ["s1", "s2", "s3"]


def test_a_batch_names_the_waves_that_it_added_to_once_and_in_order() -> None:
    other = signal("s2", bar_time_ns=BAR - 900_000_000_000)
    records, touched = inbox().take(Batch((other, signal("s1"), evolve(other, id="s3"))), NOW_NS)
    assert touched == ["2025-01-01T11:45Z", WAVE]
    assert sum(isinstance(record, WaveOpened) for record in records) == 2


def test_a_batch_of_nothing_but_refusals_touches_no_wave() -> None:
    assert inbox().take(Batch((signal(account="nobody"),)), NOW_NS)[1] == []


def test_a_signal_is_taken_once_however_often_it_arrives() -> None:
    box = inbox()
    records = taken(box, signal(), signal())
    assert [type(record) for record in records] == [WaveOpened, SignalReceived, SignalRefused]
    assert refusal(box, signal(source="another")).code == "duplicate"
    assert len(box.waves[WAVE]) == 1


def test_a_signal_that_an_earlier_run_took_is_a_duplicate() -> None:
    box = inbox()
    box.known.add("s1")
    assert refusal(box, signal()).code == "duplicate"


def test_an_account_that_is_not_enabled_is_unknown_and_the_message_names_the_others() -> None:
    bad = refusal(inbox(), signal(account="three"))
    assert (bad.code, bad.id, bad.account, bad.bar_time_ns) == ("unknown_account", "s1", "three", BAR)
    assert "there are: one, two" in bad.message


def test_whoever_comes_after_the_decision_is_late() -> None:
    box = inbox()
    taken(box, signal())
    assert [each.id for each in box.close(WAVE)] == ["s1"]
    assert refusal(box, signal("s2")).code == "late"


def test_a_signal_that_was_refused_for_its_account_may_come_again_for_another() -> None:
    box = inbox()
    refusal(box, signal(account="three"))
    assert isinstance(taken(box, signal())[-1], SignalReceived)


# ── age ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_signal_that_was_made_too_long_ago_is_stale() -> None:
    box = Inbox(("one",), frozenset(), max_age_ns=60 * S)
    assert refusal(box, signal(created_ns=NOW_NS - 60 * S - 1)).code == "stale"
    assert isinstance(taken(box, signal(created_ns=NOW_NS - 60 * S))[-1], SignalReceived)


@pytest.mark.parametrize("name", ["created_ns", "bar_time_ns"])
def test_a_signal_of_a_time_to_come_is_refused_unless_clocks_may_differ_by_so_much(name: str) -> None:
    ahead: dict[str, Any] = {name: NOW_NS + MAX_AHEAD_NS}
    beyond: dict[str, Any] = {name: NOW_NS + MAX_AHEAD_NS + 1}
    assert isinstance(taken(inbox(), signal(**ahead))[-1], SignalReceived)
    assert refusal(inbox(), signal(**beyond)).code == "future"


# ── the same signal from several sources ────────────────────────────────────────────────────────────────────


def test_what_another_source_brought_already_is_a_duplicate_under_any_id() -> None:
    box = inbox()
    taken(box, signal("s1", source="websocket"))
    bad = refusal(box, signal("webhook:7", source="webhook"))
    assert bad.code == "duplicate"
    assert "the source websocket brought the same before, as signal s1" in bad.message


@pytest.mark.parametrize(
    "fields", [{"symbol": "OTHERUSDT"}, {"account": "two"}, {"side": Side.SHORT}, {"bar_time_ns": BAR + S}], ids=str
)
def test_another_source_may_bring_what_differs(fields: dict[str, Any]) -> None:
    box = inbox()
    taken(box, signal("s1", source="websocket"))
    assert isinstance(taken(box, signal("w1", source="webhook", **fields))[-1], SignalReceived)


def test_one_source_may_say_the_same_twice_under_two_ids() -> None:
    box = inbox()
    taken(box, signal("s1"))
    assert isinstance(taken(box, signal("s2"))[-1], SignalReceived)


def test_what_an_earlier_run_took_from_another_source_is_a_duplicate() -> None:
    box = inbox()
    one = signal("s1", source="websocket")
    box.remember("websocket", "s1", (one.account, one.symbol, one.side.value, one.bar_time_ns))
    assert refusal(box, signal("w1", source="webhook")).code == "duplicate"


def test_what_was_taken_is_remembered_in_a_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework.engine.inbox.KEPT_CONTENTS", 2)
    box = inbox()
    for n in range(3):
        taken(box, signal(f"s{n}", symbol=f"A{n}USDT"))
    assert isinstance(taken(box, signal("w0", source="webhook", symbol="A0USDT"))[-1], SignalReceived)
    assert refusal(box, signal("w2", source="webhook", symbol="A2USDT")).code == "duplicate"


def test_a_wave_takes_no_more_signals_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework.engine.inbox.MOST_IN_A_WAVE", 2)
    records = taken(inbox(), *(signal(f"s{n}", symbol=f"A{n}USDT") for n in range(3)))
    assert [each.bad.code for each in records if isinstance(each, SignalRefused)] == ["over_limit"]


# ── values ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fields",
    [
        {"bar_time_ns": -1},
        {"bar_time_ns": 253_370_764_800 * 1_000_000_000},
        {"bar_time_ns": 10**30},
        {"score": D("NaN")},
        {"score": D("Infinity")},
    ],
    ids=str,
)
def test_what_has_no_place_in_time_or_order_is_out_of_range(fields: dict[str, Any]) -> None:
    assert refusal(inbox(), signal(**fields)).code == "out_of_range"


def test_a_bad_signal_is_written_down_and_the_others_of_its_batch_go_on() -> None:
    bad = BadSignal("web", "no_json", "no JSON", NOW_NS, "{")
    records = taken(inbox(), bad, signal())
    assert records[0] == SignalRefused(NOW_NS, bad)
    assert isinstance(records[-1], SignalReceived)


# ── what a signal may set ───────────────────────────────────────────────────────────────────────────────────


def kept(*may_set: str) -> SignalSettings:
    record = taken(inbox(*may_set), signal(settings=ALL))[-1]
    assert isinstance(record, SignalReceived)
    return record.signal.settings


def test_what_a_signal_may_not_set_is_taken_from_it_before_anybody_sees_it() -> None:
    assert kept() == SignalSettings()


@pytest.mark.parametrize(
    ("may_set", "fields"),
    [
        ("stop", {"stop_percent": Percent(D(3))}),
        (
            "trailing",
            {"trailing_activation_percent": Percent(D(2)), "trailing_distance_percent": Percent(D(1))},
        ),
        ("max_positions", {"max_positions": 4}),
        ("min_scores", {"min_scores": {"week": D(60)}}),
    ],
)
def test_what_a_signal_may_set_stays_and_nothing_else(may_set: str, fields: dict[str, Any]) -> None:
    assert kept(may_set) == evolve(SignalSettings(), **fields)


def test_every_setting_of_a_signal_can_be_allowed() -> None:
    assert kept(*SETTINGS) == ALL
