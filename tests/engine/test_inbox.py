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
    Signal,
    SignalReceived,
    SignalRefused,
    SignalSettings,
    WaveOpened,
)
from framework.engine.inbox import SETTINGS, Inbox
from framework.testing import NOW_NS, make_signal

D = Decimal
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
    later = signal("s2", bar_time_ns=BAR + 900_000_000_000)
    records, touched = inbox().take(Batch((later, signal("s1"), evolve(later, id="s3"))), NOW_NS)
    assert touched == ["2025-01-01T12:15Z", WAVE]
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
