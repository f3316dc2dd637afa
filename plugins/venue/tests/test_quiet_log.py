"""What ccxt logs for debugging tells nobody how to act for us."""

import logging

import pytest

from framework_venue.quiet_log import QuietLog

NAME = "ccxt.base.exchange"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> QuietLog:
    caplog.set_level(logging.DEBUG, NAME)
    return QuietLog(("the-key", "the/secret", ""))


def test_no_key_is_logged_wherever_it_stands(log: QuietLog, caplog: pytest.LogCaptureFixture) -> None:
    log.debug("%s, Request: %s %s", "https://venue/x?key=the-key", {"X-MBX-APIKEY": "the-key"}, "a=the/secret")

    assert caplog.messages == ["https://venue/x?key=***, Request: {'X-MBX-APIKEY': '***'} a=***"]


def test_a_key_that_was_quoted_for_a_url_is_not_logged(log: QuietLog, caplog: pytest.LogCaptureFixture) -> None:
    log.debug("x=%s", "the%2Fsecret")

    assert caplog.messages == ["x=***"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /x?a=1&signature=0aF3&b=2", "GET /x?a=1&signature=***&b=2"),
        ("{'X-BAPI-SIGN': '0af3', 'X': '1'}", "{'X-BAPI-SIGN': '***', 'X': '1'}"),
        ('{"listenKey":"pqia91ma19a5s61"}', '{"listenKey":"***"}'),
        ("{'X-BAPI-SIGN-TYPE': '2'}", "{'X-BAPI-SIGN-TYPE': '2'}"),
    ],
)
def test_what_is_signed_or_opens_the_private_stream_is_not_logged(
    log: QuietLog, caplog: pytest.LogCaptureFixture, text: str, shown: str
) -> None:
    log.debug(text)

    assert caplog.messages == [shown]


def test_a_line_that_can_not_be_put_together_is_logged_without_its_arguments(
    log: QuietLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.debug("%d of them", "the-key")

    assert caplog.messages == ["%d of them"]


def test_what_is_not_wanted_is_not_logged(log: QuietLog, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, NAME)

    log.debug("a request")
    log.warning("the session is not closed")

    assert caplog.messages == ["the session is not closed"]
