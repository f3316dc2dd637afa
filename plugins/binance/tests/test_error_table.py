"""Every row of the table of codes, met through the emulator or a recorded answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import define

from framework_binance import errors, limits
from framework_binance.errors import TABLE, classify
from framework_venue.answers import Answer, Hint, Kind, Reply
from framework_venue.budget import Purpose

from .rig import Rig, entry, trading

CODES = sorted(code for code in TABLE if code.startswith("-"))
BY_STATUS: dict[str, dict[str, Any]] = {
    "http-418": {"name": "banned", "retry_after_s": 0},
    "http-429": {"name": "rate-limited", "retry_after_s": 0},
    "http-504": {"name": "gateway-504"},
    "503-unknown": {"name": "unknown-503"},
    "503-unavailable": {"name": "unavailable-503"},
    "503-failed": {"name": "failed-503"},
}
RECORDED = {"http-401": 401, "http-403": 403, "http-404": 404, "http-408": 408, "http-5xx": 502}


@define
class Bench:
    """One emulator and one exchange for the whole table: starting them anew for each row would take minutes."""

    loop: asyncio.AbstractEventLoop
    rig: Rig

    def answer(self, **fault: Any) -> Answer:
        """What a request is answered while a fault holds."""
        self.rig.fault(path="/fapi/v1/order", **fault)
        client = self.rig.exchange.line.client
        params = {"symbol": "BTCUSDT", "origClientOrderId": "x"}
        try:
            return self.loop.run_until_complete(client.call(limits.ORDER, params, Purpose.PROTECT))
        finally:
            self.rig.heal()


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    loop = asyncio.new_event_loop()
    opened = trading()
    rig = loop.run_until_complete(opened.__aenter__())
    try:
        yield Bench(loop, rig)
    finally:
        loop.run_until_complete(opened.__aexit__(None, None, None))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_table_means_what_its_row_says(bench: Bench, code: str) -> None:
    answer = bench.answer(name="refuse", code=int(code), message="the venue's words", status=400)
    row = TABLE[code]
    assert (answer.code, answer.kind, answer.hint) == (code, row.kind, row.hint)
    assert "the venue's words" in answer.message
    assert row.meaning in answer.message


@pytest.mark.parametrize("row", BY_STATUS)
def test_every_status_with_a_meaning_of_its_own_is_understood(bench: Bench, row: str) -> None:
    answer = bench.answer(**BY_STATUS[row])
    assert (answer.kind, answer.hint) == (TABLE[row].kind, TABLE[row].hint)
    assert TABLE[row].meaning in answer.message


@pytest.mark.parametrize("row", RECORDED)
def test_a_status_without_a_code_is_understood(row: str) -> None:
    answer = classify(Reply(status=RECORDED[row], text="<html>no</html>"))
    assert (answer.kind, answer.hint) == (TABLE[row].kind, TABLE[row].hint)


def test_no_row_is_left_without_a_test() -> None:
    assert set(TABLE) == {*CODES, *BY_STATUS, *RECORDED}


def test_every_row_has_a_source_and_a_meaning() -> None:
    assert all(row.source and row.meaning for row in TABLE.values())


@pytest.mark.parametrize("fault", ["empty-body", "html-body", "null-body"])
def test_a_success_without_a_body_of_the_venue_s_is_unknown(bench: Bench, fault: str) -> None:
    assert bench.answer(name=fault).kind is Kind.UNKNOWN


def test_a_truncated_answer_is_unknown(bench: Bench) -> None:
    assert bench.answer(name="truncated-body").kind is Kind.UNKNOWN


def test_a_code_that_nobody_knows_is_unknown_and_says_so(bench: Bench) -> None:
    answer = bench.answer(name="refuse", code=-9999, message="new rule", status=400)
    assert answer.kind is Kind.UNKNOWN
    assert "in no table" in answer.message


def test_a_negative_code_with_status_200_is_no_success() -> None:
    answer = classify(Reply(status=200, text="…", body={"code": -2019, "msg": "Margin is insufficient."}))
    assert answer.kind is Kind.REJECTED


@pytest.mark.parametrize("code", [200, "200"])
def test_code_200_is_a_success_as_a_number_and_as_text(code: Any) -> None:
    assert classify(Reply(status=200, text="…", body={"code": code, "msg": "success"})).accepted


def test_a_plain_503_of_unknown_text_is_unknown() -> None:
    assert classify(Reply(status=503, text="…", body={"code": -1, "msg": "Something else"})).kind is Kind.UNKNOWN


def test_overload_at_503_is_told_by_its_code_and_may_be_sent_later(bench: Bench) -> None:
    answer = bench.answer(name="refuse", code=-1008)
    assert (answer.status, answer.kind) == (503, Kind.NOT_NOW)


def test_retry_after_is_kept_to_the_letter() -> None:
    answer = classify(Reply(429, {"retry-after": "17"}, "…", {"code": -1003, "msg": "Too many requests."}))
    assert (answer.kind, answer.hint, answer.retry_after_s) == (Kind.NOT_NOW, Hint.LIMIT, 17.0)


def test_too_many_orders_with_retry_after_keep_it_too() -> None:
    answer = classify(Reply(429, {"retry-after": "4"}, "…", {"code": -1015, "msg": "Too many new orders."}))
    assert (answer.code, answer.hint, answer.retry_after_s) == ("-1015", Hint.LIMIT, 4.0)


def test_a_ban_is_a_ban_whatever_its_code() -> None:
    answer = classify(Reply(418, {"retry-after": "120"}, "…", {"code": -1003, "msg": "banned"}))
    assert (answer.kind, answer.code, answer.retry_after_s) == (Kind.BANNED, "-1003", 120.0)


@pytest.mark.parametrize(("status", "silence_s"), [(403, 10.0), (418, 120.0), (429, 10.0)])
def test_without_retry_after_the_venue_s_shortest_silence_is_kept(status: int, silence_s: float) -> None:
    assert classify(Reply(status=status, text="no")).retry_after_s == silence_s


def test_a_refused_entry_asks_for_no_silence(bench: Bench) -> None:
    assert bench.answer(name="refuse", code=-2019).retry_after_s is None


def test_our_own_bugs_are_told_aloud(bench: Bench) -> None:
    before = len(bench.rig.notices("venue_our_bug"))
    bench.answer(name="refuse", code=-1102)
    assert len(bench.rig.notices("venue_our_bug")) == before + 1


def test_the_venue_s_name_stands_in_the_text_of_an_unknown_code() -> None:
    assert errors.VENUE in classify(Reply(400, {}, "…", {"code": -9999, "msg": ""})).message


def test_an_entry_of_the_table_s_bench_reaches_the_venue(bench: Bench) -> None:
    """The rig itself: without a fault the same exchange trades."""
    answer = bench.loop.run_until_complete(bench.rig.exchange.place_entry(entry()))
    assert type(answer).__name__ == "OrderReport"
