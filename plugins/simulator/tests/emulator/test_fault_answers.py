"""Fault switches that spoil an answer, or put another in its place."""

from __future__ import annotations

import pytest

from .virtual import CREATE, ORDER, Virtual, faulty

# ── the answer is lost, late or damaged ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "held"), [("ack-lost", "0.010"), ("request-lost", "0")])
def test_a_lost_answer_and_a_lost_request_look_alike_and_are_not(name: str, held: str) -> None:
    for venue, place in (("binance", ORDER), ("bybit", CREATE)):
        virtual = faulty(name, **place)
        virtual.order() if venue == "binance" else virtual.bybit_order()
        assert virtual.answers[-1].transport.drop
        assert virtual.held(venue) == held


def test_an_answer_is_late_and_the_order_executed_in_time() -> None:
    virtual = faulty("slow-response", delay_ms=30_000, **ORDER)
    virtual.order()
    assert (virtual.answers[-1].transport.delay_ns, virtual.held("binance")) == (30_000_000_000, "0.010")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("empty-body", b""),
        ("html-body", b"<html><body>oops</body></html>"),
        ("list-body", b"[]"),
        ("null-body", b"null"),
    ],
)
@pytest.mark.parametrize("executed", [True, False])
def test_a_damaged_body_comes_with_200_executed_or_not(name: str, body: bytes, executed: bool) -> None:
    virtual = faulty(name, executed=executed, **ORDER)
    virtual.order()
    assert (virtual.answers[-1].status, virtual.answers[-1].body) == (200, body)
    assert virtual.held("binance") == ("0.010" if executed else "0")


def test_a_body_is_cut_off() -> None:
    virtual = faulty("truncated-body", bytes=7, **CREATE)
    virtual.bybit_order()
    assert virtual.answers[-1].transport.truncate == 7


# ── the venue has trouble, or says no ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("unknown-503", 503, -1000),
        ("failed-503", 503, -1000),
        ("backend-timeout", 408, -1007),
        ("overload", 503, -1008),
        ("rate-limited", 429, -1003),
        ("banned", 418, -1003),
    ],
)
def test_troubles_of_binance_have_their_status_and_code(name: str, status: int, code: int) -> None:
    virtual = faulty(name, **ORDER)
    assert virtual.order()["code"] == code
    assert virtual.answers[-1].status == status


@pytest.mark.parametrize(
    ("name", "code"), [("unknown-503", 10016), ("backend-timeout", 10000), ("overload", 10016), ("rate-limited", 10006)]
)
def test_troubles_of_bybit_have_their_code(name: str, code: int) -> None:
    assert faulty(name, **CREATE).bybit_order()["retCode"] == code


@pytest.mark.parametrize("name", ["unavailable-503", "gateway-504", "forbidden"])
def test_some_troubles_are_no_json_at_all(name: str) -> None:
    virtual = faulty(name, **ORDER)
    assert isinstance(virtual.order(), bytes)
    assert virtual.answers[-1].status == {"unavailable-503": 503, "gateway-504": 504, "forbidden": 403}[name]


def test_the_meanings_of_503_differ_in_whether_the_order_was_executed() -> None:
    held = {}
    for name in ("unknown-503", "failed-503", "unavailable-503"):
        virtual = faulty(name, **ORDER)
        virtual.order()
        held[name] = virtual.held("binance")
    assert held == {"unknown-503": "0.010", "failed-503": "0", "unavailable-503": "0"}


def test_an_overloaded_venue_lets_exits_through() -> None:
    virtual = Virtual.start()
    virtual.order()
    virtual.fault("overload")
    assert virtual.order()["code"] == -1008
    assert virtual.order(side="SELL", reduceOnly="true")["status"] == "FILLED"


def test_a_ban_says_when_to_come_back() -> None:
    virtual = faulty("banned", retry_after_s=99, **ORDER)
    virtual.order()
    assert virtual.answers[-1].headers["Retry-After"] == "99"
