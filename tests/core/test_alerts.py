"""The rules of alerts: each raised for its occasion, once, and not without it."""

from __future__ import annotations

import pytest

from framework import Decision, Event, Health, Outcome, Record, WaveDecided
from framework.core.alerts import ALERTS, SOURCE_DEGRADED_NS, STREAM_SILENT_NS, Alerts
from framework.core.health import Board
from tests.core.records import changed

NOW = 1_000
WAVE = "2025-10-31T22:30"


def stop(result: str, position: str = "p-1") -> Outcome:
    return Outcome(NOW, position, "one", "AVAXUSDT", "stop", f"{position}-s0", result, 5, "no")


def decided(planned: int, opened: int) -> list[Record]:
    plans: list[Record] = [
        Decision(NOW, WAVE, f"s-{number}", "one", "AVAXUSDT", "execution", "planned") for number in range(planned)
    ]
    return [*plans, WaveDecided(NOW, WAVE, {"one": planned}, {"one": opened})]


def raised(*records: Record) -> list[str]:
    alerts = Alerts()
    return [alert.code for record in records for alert in alerts.see(record)]


@pytest.mark.parametrize("result", ["refused", "unknown"])
def test_a_stop_that_the_venue_did_not_confirm_is_an_alert(result: str) -> None:
    [alert] = Alerts().see(stop(result))

    assert (alert.code, alert.level, alert.position_id) == ("alert_stop_not_placed", "error", "p-1")
    assert alert.message == f"one AVAXUSDT: a stop was not placed: {result}: no"


def test_a_stop_that_was_confirmed_is_none() -> None:
    assert raised(stop("accepted")) == []


def test_a_stop_that_fails_again_and_again_is_one_alert_for_each_position() -> None:
    assert raised(stop("refused"), stop("refused"), stop("unknown", "p-2")) == ["alert_stop_not_placed"] * 2


def test_once_the_position_is_protected_the_next_failure_is_an_alert_of_its_own() -> None:
    assert raised(stop("refused"), changed("p-1", to="protected"), stop("refused")) == ["alert_stop_not_placed"] * 2


def test_the_markets_that_wait_for_a_stop_are_known_until_they_are_protected_or_closed() -> None:
    alerts = Alerts()
    for record in (stop("refused"), stop("unknown", "p-2"), changed("p-2", to="closed")):
        list(alerts.see(record))

    assert alerts.unconfirmed("one") == ("AVAXUSDT",)
    assert alerts.unconfirmed("two") == ()


@pytest.mark.parametrize(("planned", "opened", "alarming"), [(4, 1, True), (4, 2, False), (1, 0, True), (0, 0, False)])
def test_a_wave_of_which_less_than_half_was_opened_is_an_alert(planned: int, opened: int, *, alarming: bool) -> None:
    assert raised(*decided(planned, opened)) == (["alert_opening_rate"] if alarming else [])


@pytest.mark.parametrize(
    ("code", "alert"), [("wave_missing", "alert_wave_missing"), ("lease_lost", "alert_lease_lost")]
)
def test_events_that_are_an_alert_in_themselves_are_raised_as_one(code: str, alert: str) -> None:
    assert raised(Event(NOW, "warning", code, "text")) == [alert]


def test_a_source_that_is_degraded_for_an_hour_is_an_alert_once() -> None:
    alerts, board = Alerts(), Board()
    board.report("source websocket", "connected", Health.DEGRADED, "refused", NOW)

    assert list(alerts.look(board, NOW + SOURCE_DEGRADED_NS - 1)) == []
    [alert] = alerts.look(board, NOW + SOURCE_DEGRADED_NS)
    assert alert.code == "alert_source_degraded"
    assert alert.message == "source websocket: connected is degraded for 60 min: refused"
    assert list(alerts.look(board, NOW + 2 * SOURCE_DEGRADED_NS)) == []


def test_a_source_that_recovered_and_failed_again_is_a_new_occasion() -> None:
    alerts, board = Alerts(), Board()
    board.report("source websocket", "connected", Health.DEGRADED, "refused", NOW)
    assert len(list(alerts.look(board, NOW + SOURCE_DEGRADED_NS))) == 1
    board.report("source websocket", "connected", Health.HEALTHY, "", NOW + SOURCE_DEGRADED_NS)
    board.report("source websocket", "connected", Health.DOWN, "refused", NOW + SOURCE_DEGRADED_NS + 1)

    assert list(alerts.look(board, NOW + SOURCE_DEGRADED_NS + 2)) == []
    assert len(list(alerts.look(board, NOW + 2 * SOURCE_DEGRADED_NS + 1))) == 1


def test_a_stream_that_is_down_for_a_minute_is_an_alert() -> None:
    alerts, board = Alerts(), Board()
    board.report("account one", "stream prices", Health.DEGRADED, "silent", NOW)

    assert list(alerts.look(board, NOW + STREAM_SILENT_NS - 1)) == []
    assert [alert.code for alert in alerts.look(board, NOW + STREAM_SILENT_NS)] == ["alert_stream_silent"]


def test_every_rule_says_what_to_do() -> None:
    assert all(code.startswith("alert_") and len(text) > 20 for code, text in ALERTS.items())
