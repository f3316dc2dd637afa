"""What answers mean to the kernel."""

from __future__ import annotations

import pytest

from framework import Refusal, Unknown
from framework_venue.answers import (
    Answer,
    Hint,
    Kind,
    Reply,
    Row,
    of_row,
    of_transport,
    strange_body,
    table,
    unlisted,
)

ROW = Row("-2021", Kind.REJECTED, "the stop would trigger at once", "Error Codes", Hint.CROSSED)


def test_a_code_stands_in_a_table_once() -> None:
    assert table([ROW]) == {"-2021": ROW}
    with pytest.raises(ValueError, match="-2021 is in the table twice"):
        table([ROW, ROW])


@pytest.mark.parametrize(
    ("kind", "for_good"),
    [
        (Kind.REJECTED, True),
        (Kind.CREDENTIALS, True),
        (Kind.OUR_BUG, True),
        (Kind.NOT_NOW, False),
        (Kind.BANNED, False),
    ],
)
def test_a_no_is_a_refusal_for_good_unless_it_may_succeed_later(kind: Kind, for_good: bool) -> None:
    refusal = Answer(kind, "-1", "no").as_refusal()
    assert refusal == Refusal("-1", "no", for_good=for_good)


def test_a_request_that_was_not_sent_in_a_silence_says_how_long_it_lasts() -> None:
    refusal = Answer(Kind.NOT_NOW, "rate_budget", "silent", silent_s=1.5).as_refusal()
    assert refusal == Refusal("rate_budget", "silent", for_good=False, silent_ns=1_500_000_000)


def test_a_refusal_without_a_code_is_named_by_its_kind() -> None:
    assert Answer(Kind.BANNED).as_refusal() == Refusal("banned", "banned", for_good=False)


def test_a_crossed_stop_is_told_to_the_kernel() -> None:
    refusal = of_row(ROW, Reply(400), "Order would immediately trigger.").as_refusal()
    assert isinstance(refusal, Refusal)
    assert refusal.crossed
    assert refusal.message == "Order would immediately trigger. (the stop would trigger at once)"


@pytest.mark.parametrize("kind", [Kind.UNKNOWN, Kind.NO_OP, Kind.ACCEPTED])
def test_what_nobody_knows_is_never_a_refusal(kind: Kind) -> None:
    assert Answer(kind, "110043", "not modified").as_refusal() == Unknown("110043: not modified")
    assert Answer(kind).as_refusal() == Unknown(kind.value)


def test_a_row_explains_a_reply() -> None:
    reply = Reply(429, body={"code": -1003})
    row = Row("-1003", Kind.NOT_NOW, "too many requests", "General Info", Hint.LIMIT)
    answer = of_row(row, reply, "", retry_after_s=3)
    assert answer == Answer(Kind.NOT_NOW, "-1003", "too many requests", {"code": -1003}, Hint.LIMIT, 429, 3)
    assert not answer.accepted


def test_a_code_in_no_table_is_unknown_and_says_so() -> None:
    answer = unlisted("-9999", Reply(400), "Surprise.", "Binance")
    assert (answer.kind, answer.code, answer.status) == (Kind.UNKNOWN, "-9999", 400)
    assert answer.message == "Surprise. (the code is in no table of Binance: find out what it means)"


def test_a_reply_that_was_read_is_left_to_the_table() -> None:
    assert of_transport(Reply(200)) is None


def test_a_request_that_never_left_is_not_now() -> None:
    answer = of_transport(Reply(failure="refused", sent=False))
    assert answer == Answer(Kind.NOT_NOW, "not_sent", "the request was not sent: refused")


def test_a_request_that_left_without_an_answer_is_unknown() -> None:
    assert of_transport(Reply(failure="reset")) == Answer(Kind.UNKNOWN, "no_answer", "no answer: reset")


def test_a_strange_body_is_unknown_and_shown_in_one_short_line() -> None:
    answer = strange_body(Reply(200, text="<html>\n<body>" + "x" * 200))
    assert (answer.kind, answer.code) == (Kind.UNKNOWN, "strange_answer")
    assert "\n" not in answer.message
    assert len(answer.message) < 120
    assert strange_body(Reply(200)).message == "HTTP 200 with 'nothing'"
