"""Every row of the tables of codes, met through the emulator or a recorded answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import define

from framework import Refusal, Unknown
from framework_bybit import errors, limits
from framework_bybit.errors import STATUSES, TABLE, TEXTS, classify
from framework_venue.answers import Answer, Hint, Kind, Reply, Row
from framework_venue.budget import Purpose

from .rig import Rig, at, emulated, recorded

ACCOUNT = "/v5/account/info"


@define
class Asked:
    """One exchange at one emulator for the whole table: only its answers differ."""

    rig: Rig
    runner: asyncio.Runner

    def answer(self, **fault: Any) -> Answer:
        """The answer to a harmless read while the venue refuses it."""

        async def ask() -> Answer:
            self.rig.heal()
            self.rig.exchange.line.budget._silent_until = 0.0
            self.rig.fault("refuse", path=ACCOUNT, **fault)
            return await self.rig.exchange.line.client.call(limits.ACCOUNT, {}, Purpose.PROTECT, within_s=3)

        return self.runner.run(ask())


@contextmanager
def _asked() -> Iterator[Asked]:
    with asyncio.Runner() as runner:

        async def up() -> tuple[Any, Any, Rig]:
            outer = emulated()
            venue = await outer.__aenter__()
            inner = at(venue)
            return outer, inner, await inner.__aenter__()

        outer, inner, rig = runner.run(up())

        async def down() -> None:
            await inner.__aexit__(None, None, None)
            await outer.__aexit__(None, None, None)

        try:
            yield Asked(rig, runner)
        finally:
            runner.run(down())


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    with _asked() as one:
        yield one


def reply(body: Any, status: int = 200, text: str = "", **headers: str) -> Reply:
    """A reply that was read."""
    return Reply(status, headers, text or json.dumps(body), body)


@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.code != "10006"], ids=lambda row: row.code)
def test_each_code_of_the_table_is_understood_over_the_wire(asked: Asked, row: Row) -> None:
    answer = asked.answer(code=int(row.code), message="the venue's own words")

    assert (answer.code, answer.kind, answer.hint) == (row.code, row.kind, row.hint)
    assert row.meaning in answer.message
    assert "the venue's own words" in answer.message


def test_10006_is_not_now(asked: Asked) -> None:
    answer = asked.answer(code=10006, message="Too many visits!")

    assert (answer.kind, answer.hint, answer.retry_after_s) == (Kind.NOT_NOW, Hint.LIMIT, None)


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.code)
def test_each_row_has_a_meaning_and_a_source(row: Row) -> None:
    assert row.meaning
    assert row.source


@pytest.mark.parametrize(
    ("message", "kind", "hint"),
    [
        ("can not set tp/sl/ts for zero position", Kind.REJECTED, Hint.NO_POSITION),
        ("StopLoss:505000000 set for Buy position should lower than base_price:500000000", Kind.REJECTED, Hint.CROSSED),
        (
            "sl:257970000 set for Sell position should greater base_price:259477000??LastPrice",
            Kind.REJECTED,
            Hint.CROSSED,
        ),
        ("position idx not match position mode", Kind.REJECTED, None),
        (
            "The order remains unchanged as the parameters entered match the existing ones.",
            Kind.NO_OP,
            Hint.UNCHANGED,
        ),
        ("The number of contracts exceeds maximum limit allowed: too large", Kind.REJECTED, Hint.RULES),
        ("Qty invalid", Kind.REJECTED, Hint.RULES),
        ("params error: Symbol Invalid", Kind.REJECTED, Hint.RULES),
        ("params error: tpslMode invalid", Kind.OUR_BUG, None),
    ],
)
def test_10001_is_told_apart_by_its_text(asked: Asked, message: str, kind: Kind, hint: Hint | None) -> None:
    answer = asked.answer(code=10001, message=message)

    assert (answer.code, answer.kind, answer.hint) == ("10001", kind, hint)


def test_a_take_profit_on_the_wrong_side_is_not_a_crossed_stop() -> None:
    text = "TakeProfit:490 set for Buy position should higher than base_price:500"

    assert classify(reply({"retCode": 10001, "retMsg": text})).hint is not Hint.CROSSED


def test_every_text_has_a_row_of_10001() -> None:
    assert {row.code for _, row in TEXTS} == {"10001"}


@pytest.mark.parametrize("row", STATUSES.items(), ids=lambda item: str(item[0]))
def test_each_http_status_without_a_code_is_understood_over_the_wire(asked: Asked, row: tuple[int, Row]) -> None:
    async def ask() -> Answer:
        async with recorded(row[0], "<html>no</html>", "text/html") as address:
            client = asked.rig.exchange.line.client
            api, client.api.urls["api"]["private"] = client.api.urls["api"]["private"], address
            client.budget._silent_until = 0.0
            try:
                return await client.call(limits.ACCOUNT, {}, Purpose.PROTECT, within_s=3)
            finally:
                client.api.urls["api"]["private"] = api
                client.budget._silent_until = 0.0

    answer = asked.runner.run(ask())

    assert (answer.code, answer.kind, answer.hint) == (row[1].code, row[1].kind, row[1].hint)
    assert answer.status == row[0]
    assert "<html>no</html>" in answer.message


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", "<html>", '{"retCode": "0"}', '{"retCode": true}', "42"])
def test_a_200_that_is_no_answer_of_the_venue_is_unknown(body: str) -> None:
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None

    answer = classify(reply(parsed, text=body or " "))

    assert (answer.kind, answer.code) == (Kind.UNKNOWN, "strange_answer")


def test_a_code_that_is_in_no_table_is_unknown_and_says_so() -> None:
    answer = classify(reply({"retCode": 123456, "retMsg": "new"}))

    assert answer.kind is Kind.UNKNOWN
    assert "in no table" in answer.message


def test_zero_is_accepted_only_with_http_200() -> None:
    assert classify(reply({"retCode": 0, "retMsg": "OK"})).kind is Kind.ACCEPTED
    assert classify(reply({"retCode": 0, "retMsg": "OK"}, 500)).kind is Kind.UNKNOWN


def test_403_asks_for_ten_minutes_of_silence() -> None:
    assert classify(reply(None, 403, "access too frequent")).retry_after_s == 600


def test_10009_asks_for_ten_minutes_of_silence() -> None:
    assert classify(reply({"retCode": 10009, "retMsg": "IP banned"}, 403)).retry_after_s == 600


def test_10018_asks_for_the_silence_of_its_window() -> None:
    assert classify(reply({"retCode": 10018, "retMsg": "ip"})).retry_after_s == errors.ADDRESS_PAUSE_S


@pytest.mark.parametrize(("told", "seconds"), [("7", 7), ("", 1), ("soon", 1)])
def test_429_asks_for_what_it_says_or_a_second(told: str, seconds: float) -> None:
    answer = classify(reply({}, 429, **{"retry-after": told}))

    assert (answer.kind, answer.retry_after_s) == (Kind.NOT_NOW, seconds)


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.code)
def test_each_row_becomes_a_refusal_or_stays_unknown(row: Row) -> None:
    heard = classify(reply({"retCode": int(row.code), "retMsg": "x"})).as_refusal()

    if row.kind in (Kind.UNKNOWN, Kind.NO_OP):
        assert isinstance(heard, Unknown)
    else:
        assert isinstance(heard, Refusal)
        assert heard.for_good is (row.kind not in (Kind.NOT_NOW, Kind.BANNED))
        assert heard.crossed is (row.hint is Hint.CROSSED)
