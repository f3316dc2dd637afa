"""The source `webhook` over real sockets: who may send, what is answered, and what strangers can't do."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from attrs import define

from framework import Secret
from framework_signals.webhook import ANSWER_WITHIN_S, TOLD_PER_MINUTE, WebhookSource

from .listening import NOW_NS, WAVE, WITHIN_S, Kernel, kernel, running

SECRET = "correct horse battery"  # noqa: S105
SIGNING = "another long secret"
BUY = '{"ticker": "BTCUSDT.P", "action": "buy"}'


def webhook(**settings: Any) -> WebhookSource:
    return WebhookSource(**{"port": 0, "secret": Secret(SECRET), "account": "main", **settings})


@define
class Sender:
    """Somebody who sends alerts."""

    session: aiohttp.ClientSession
    port: int

    async def post(self, body: str | bytes, path: str = f"/signals/{SECRET}", **headers: str) -> tuple[int, Any]:
        """The status and what is said."""
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.post(url, data=body, headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else text

    async def raw(self, data: bytes) -> bytes:
        """Send bytes; all that is answered until the other side hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            await writer.drain()
            with contextlib.suppress(ConnectionError):
                return await asyncio.wait_for(reader.read(), WITHIN_S)
            return b""
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def listening(source: WebhookSource, link: Kernel) -> AsyncIterator[Sender]:
    async with running(source, link):
        await link.was_told("source_connected")
        port = int(link.told[0][2].split(":")[2].split("/")[0])
        async with aiohttp.ClientSession() as session:
            yield Sender(session, port)


def played(source: WebhookSource, *bodies: str | bytes, **how: Any) -> tuple[list[tuple[int, Any]], Kernel]:
    """What is answered to each body, and what the kernel got."""
    link = kernel()

    async def scenario() -> list[tuple[int, Any]]:
        async with listening(source, link) as sender:
            return [await sender.post(body, **how) for body in bodies]

    return asyncio.run(scenario()), link


# ── alerts ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alert_is_answered_with_the_id_of_its_signal_once_it_is_durable() -> None:
    ((status, said),), link = played(webhook(), BUY)

    assert status == 200
    assert said == {"signals": [link.ids[0]], "refused": []}
    assert (link.good[0].account, link.good[0].symbol) == ("main", "BTCUSDT")
    assert not link.batches[0].complete


def test_plain_text_is_an_alert_too() -> None:
    _, link = played(webhook(), "SELL ETHUSDT")

    assert [(each.symbol, each.side.value) for each in link.good] == [("ETHUSDT", "short")]


def test_what_can_not_be_used_is_answered_and_kept_with_the_reason_but_without_secrets() -> None:
    body = json.dumps({"ticker": "BTCUSDT", "action": "close", "token": "my token", "note": SECRET})

    ((status, said),), link = played(webhook(), body)

    assert status == 400
    assert [each["code"] for each in said["refused"]] == ["not_an_entry"]
    assert [each.code for each in link.bad] == ["not_an_entry"]
    assert "my token" not in link.bad[0].raw
    assert SECRET not in link.bad[0].raw


def test_a_repeated_alert_has_the_same_id() -> None:
    _, link = played(webhook(), BUY, BUY)

    assert len(set(link.ids)) == 1


def test_alerts_are_told_apart_by_their_own_ids() -> None:
    _, link = played(
        webhook(id_prefix="tv:"), *(f'{{"id": {n}, "ticker": "BTCUSDT", "action": "buy"}}' for n in (1, 2))
    )

    assert link.ids == ["tv:1", "tv:2"]


@pytest.mark.parametrize(
    ("form", "body", "count"),
    [
        ("octobot", "EXCHANGE=bybit;SYMBOL=BTCUSDT;SIGNAL=BUY", 1),
        ("text", "BTC/USDT LONG\nEntry: 100\nTarget: 110\nStop: 95", 1),
        ("wave", json.dumps({"type": "signals", "data": WAVE}), 57),
    ],
)
def test_every_format_can_be_sent(form: Any, body: str, count: int) -> None:
    ((status, _),), link = played(webhook(format=form), body)

    assert status == 200
    assert len(link.good) == count


def test_fields_say_where_an_alert_holds_what_is_read() -> None:
    fields = {"symbol": "order.market", "action": "order.what"}

    _, link = played(webhook(fields=fields), '{"order": {"market": "ETH-USDT", "what": "short"}}')

    assert [(each.symbol, each.side.value) for each in link.good] == [("ETHUSDT", "short")]


def test_venues_route_alerts_that_name_one() -> None:
    body = '{"ticker": "BINANCE:BTCUSDT.P", "action": "buy"}'

    _, link = played(webhook(venues={"Binance": "second"}), body)

    assert [each.account for each in link.good] == ["second"]


def test_alerts_of_one_bar_share_its_wave() -> None:
    _, link = played(webhook(bar_minutes=15), BUY)

    assert link.good[0].bar_time_ns == NOW_NS // (900 * 10**9) * (900 * 10**9)


def test_the_same_wish_after_a_while_is_another_signal() -> None:
    async def scenario() -> None:
        link = kernel()
        async with listening(webhook(same_within_s=1), link) as sender:
            await sender.post(BUY)
            link.clock.ahead_ns += 1_100_000_000  # type: ignore[attr-defined]
            await sender.post(BUY)
        assert len(set(link.ids)) == 2

    asyncio.run(scenario())


# ── who may send ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/signals/wrong", "/signals/", f"/signals/{SECRET}x"])
def test_a_wrong_secret_in_the_path_is_unauthorised(path: str) -> None:
    ((status, said),), link = played(webhook(), BUY, path=path)

    assert (status, said["error"]) == (401, "unauthorised")
    assert link.good == []
    assert [each.code for each in link.bad] == ["unauthorised"]


@pytest.mark.parametrize("path", ["/", f"/else/{SECRET}", f"/signals/more/{SECRET}"])
def test_another_path_is_not_found(path: str) -> None:
    ((status, said),), _ = played(webhook(), BUY, path=path)

    assert (status, said["error"]) == (404, "not_found")


def test_another_path_can_be_set() -> None:
    ((status, _),), _ = played(webhook(path="/in/here"), BUY, path=f"/in/here/{SECRET}")

    assert status == 200


@pytest.mark.parametrize(
    ("said", "status"), [(SECRET, 200), ("wrong", 401), (None, 401), (7, 401), (["x"], 401)], ids=str
)
def test_a_body_may_carry_the_secret(said: object, status: int) -> None:
    body = json.dumps({"ticker": "BTCUSDT", "action": "buy", "token": said})

    ((answered, _),), link = played(webhook(body_field="token"), body, path="/signals")

    assert answered == status
    assert len(link.good) == (status == 200)


@pytest.mark.parametrize("body", ["BUY BTCUSDT", "{", "[]", '"token"', "\xff"])
def test_a_body_without_the_secret_is_unauthorised_whatever_it_is(body: str) -> None:
    ((status, _),), _ = played(webhook(body_field="token"), body, path="/signals")

    assert status == 401


@pytest.mark.parametrize(("token", "status"), [(SECRET, 200), ("wrong", 401), ("", 401)])
def test_pairs_may_carry_the_secret(token: str, status: int) -> None:
    body = f"EXCHANGE=bybit;SYMBOL=BTCUSDT;SIGNAL=BUY;TOKEN={token}"

    ((answered, _),), _ = played(webhook(format="octobot", body_field="token"), body, path="/signals")

    assert answered == status


def signed(body: str, at_s: int, secret: str = SIGNING) -> dict[str, str]:
    text = f"{at_s}.{body}"
    return {
        "X-Signature": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest(),
        "X-Timestamp": str(at_s),
    }


NOW_S = NOW_NS // 10**9
HEADERS: dict[str, tuple[dict[str, str], int]] = {
    "a good signature": (signed(BUY, NOW_S), 200),
    "one of GitHub's style": (
        {**signed(BUY, NOW_S), "X-Signature": "sha256=" + signed(BUY, NOW_S)["X-Signature"]},
        200,
    ),
    "another secret": (signed(BUY, NOW_S, "someone else's secret"), 401),
    "another body": (signed(BUY + " ", NOW_S), 401),
    "a time that is over": (signed(BUY, NOW_S - 3600), 401),
    "a time to come": (signed(BUY, NOW_S + 3600), 401),
    "no signature": ({"X-Timestamp": str(NOW_S)}, 401),
    "no time": ({"X-Signature": signed(BUY, NOW_S)["X-Signature"]}, 401),
    "no number for a time": ({**signed(BUY, NOW_S), "X-Timestamp": "now"}, 401),
    "nothing": ({}, 401),
}


@pytest.mark.parametrize("name", HEADERS)
def test_with_a_signing_secret_an_alert_needs(name: str) -> None:
    headers, status = HEADERS[name]

    ((answered, _),), link = played(webhook(hmac_secret=Secret(SIGNING)), BUY, **headers)

    assert answered == status
    assert len(link.good) == (status == 200)


def test_how_far_a_signature_may_be_off_can_be_set() -> None:
    source = webhook(hmac_secret=Secret(SIGNING), skew_s=7200)

    ((status, _),), _ = played(source, BUY, **signed(BUY, NOW_S - 3600))

    assert status == 200


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_more_alerts_than_are_allowed_are_refused_with_the_reason_and_kept() -> None:
    answers, link = played(webhook(most_per_minute=2), *[f"BUY {coin}USDT" for coin in ("AAA", "BBB", "CCC")])

    assert [status for status, _ in answers] == [200, 200, 429]
    assert answers[2][1]["error"] == "over_limit"
    assert [each.code for each in link.bad] == ["over_limit"]
    assert len(link.good) == 2


def test_strangers_use_up_nothing_of_what_is_allowed() -> None:
    async def scenario() -> None:
        link = kernel()
        async with listening(webhook(most_per_minute=1), link) as sender:
            for _ in range(5):
                await sender.post(BUY, path="/signals/wrong")
            assert (await sender.post(BUY))[0] == 200

    asyncio.run(scenario())


def test_a_flood_of_strangers_is_written_down_as_a_number() -> None:
    async def scenario() -> None:
        link = kernel()
        source = webhook()
        async with listening(source, link) as sender:
            for _ in range(TOLD_PER_MINUTE + 12):
                await sender.post(BUY, path="/signals/wrong")
            await source._sum_up(link)
        assert len(link.bad) in (TOLD_PER_MINUTE + 1, TOLD_PER_MINUTE * 2)  # a minute may pass meanwhile
        if len(link.bad) == TOLD_PER_MINUTE + 1:
            assert link.bad[-1].message == "12 more requests were turned away in the last minute"

    asyncio.run(scenario())


def test_a_body_that_is_too_long_is_refused_unread() -> None:
    ((status, said),), link = played(webhook(most_bytes=100), "x" * 101)

    assert (status, said["error"]) == (413, "too_large")
    assert [each.code for each in link.bad] == ["too_large"]


def test_a_body_of_unknown_length_is_read_as_far_as_is_allowed() -> None:
    chunks = b"".join(b"40\r\n" + b"x" * 64 + b"\r\n" for _ in range(4)) + b"0\r\n\r\n"
    head = (
        f"POST /signals/{SECRET.replace(' ', '%20')} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )

    async def scenario() -> bytes:
        async with listening(webhook(most_bytes=100), kernel()) as sender:
            return await sender.raw(head + chunks)

    assert b"413" in asyncio.run(scenario()).splitlines()[0]


@pytest.mark.parametrize(
    "data",
    [b"", b"POST /signals", b"POST /signals/x HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf"],
    ids=["nothing", "half a head", "half a body"],
)
def test_a_slow_sender_is_hung_up_on(data: bytes) -> None:
    async def scenario() -> None:
        link = kernel()
        async with listening(webhook(read_within_s=1), link) as sender:
            answer = await sender.raw(data)
            await link.reached(lambda: bool(link.bad))
        assert answer == b"" or b"408" in answer
        assert [each.code for each in link.bad] == ["too_slow"]

    asyncio.run(scenario())


def test_more_connections_than_are_allowed_are_turned_away_and_the_others_served() -> None:
    async def scenario() -> None:
        link = kernel()
        async with listening(webhook(most_connections=2), link) as sender:
            idle = [await asyncio.open_connection("127.0.0.1", sender.port) for _ in range(2)]
            assert b"503" in await sender.raw(b"POST")
            assert [each.code for each in link.bad] == ["over_limit"]
            for _, writer in idle:
                writer.close()
                await writer.wait_closed()
            async with asyncio.timeout(WITHIN_S):
                while (await sender.post(BUY))[0] == 503:
                    pass  # it has yet to hear that they are gone
            assert len(link.good) == 1

    asyncio.run(scenario())


def test_more_connections_a_second_than_are_allowed_are_told_so() -> None:
    async def scenario() -> None:
        link = kernel()
        async with listening(webhook(most_connections_per_s=3), link) as sender:
            answers = [await sender.post(BUY) for _ in range(8)]
        assert answers[0][0] == 200
        assert (503, {"error": "over_limit"}) in answers
        assert {each.code for each in link.bad} == {"over_limit"}

    asyncio.run(scenario())


def test_one_who_is_turned_away_and_says_nothing_is_hung_up_on() -> None:
    async def scenario() -> None:
        async with listening(webhook(most_connections_per_s=1, read_within_s=1), kernel()) as sender:
            await sender.post(BUY)
            assert await sender.raw(b"") == b""

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "data",
    [b"\x00\xff\xfe garbage\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST " + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n"],
    ids=["garbage", "no version", "a long path"],
)
def test_garbage_disturbs_nobody(data: bytes) -> None:
    async def scenario() -> None:
        async with listening(webhook(), kernel()) as sender:
            answer = await sender.raw(data)
            assert b"200" not in answer[:20]
            assert (await sender.post(BUY))[0] == 200

    asyncio.run(scenario())


def test_what_is_not_durable_in_time_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework_signals.webhook.ANSWER_WITHIN_S", 0.05)

    async def scenario() -> None:
        link = kernel(submit_s=0.2)
        async with listening(webhook(), link) as sender:
            status, said = await sender.post(BUY)
            assert (status, said["error"]) == (503, "not_durable")
            await link.has(1)

    assert ANSWER_WITHIN_S < 3
    asyncio.run(scenario())


# ── the rest ────────────────────────────────────────────────────────────────────────────────────────────────


def test_its_state_says_whether_it_listens_and_what_it_heard() -> None:
    async def scenario() -> None:
        link, source = kernel(), webhook()
        assert not source.state().connected
        async with listening(source, link) as sender:
            assert source.state().connected
            assert source.state().heard_ns is None
            await sender.post(BUY)
            assert source.state().signal_ns == source.state().heard_ns is not None
        assert not source.state().connected
        assert all(SECRET not in message for _, _, message in link.told)

    asyncio.run(scenario())


def test_a_check_says_whether_the_port_can_be_had() -> None:
    async def scenario() -> None:
        (fine,) = await webhook().checkup()
        assert fine.ok
        async with listening(webhook(), kernel()) as sender:
            (taken,) = await webhook(port=sender.port).checkup()
            with pytest.raises(OSError, match="set another `port`"):
                await webhook(port=sender.port).run(kernel())
        assert not taken.ok
        assert "set another `port`" in taken.message

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"secret": Secret("short")}, "at least 16 characters"),
        ({"hmac_secret": Secret("short")}, "at least 16 characters"),
        ({"path": "signals"}, "must be a path"),
        ({"path": "/a?b"}, "must be a path"),
        ({"port": 70000}, "65535"),
        ({"fields": {"colour": "x"}}, "nothing that is read"),
        ({"fields": {"symbol": "a..b"}}, "needs the name of a field"),
        ({"format": "text", "body_field": "token"}, "has no fields"),
        ({"most_per_minute": 0}, "greater than 0"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_settings_that_can_not_work_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        webhook(**settings)
