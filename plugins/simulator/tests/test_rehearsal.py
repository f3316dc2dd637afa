"""The stage `emulator`: every setting of it, acting; and what a rehearsal has to know before time may jump."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from framework import ConfigError, Endpoint, ExchangeError, Quote, QuoteUpdate, Rehearsable
from framework.testing import StillClock
from framework_simulator import stages
from framework_simulator.paper import Paper
from framework_simulator.rehearsal import EmulatorStage

ACCOUNTS = {"main": "bybit", "other": "binance"}
EXAMPLES = Path(__file__).parents[3] / "examples" / "markets"
TICKERS = "/v5/market/tickers?category=linear&symbol=BTCUSDT"
SECOND_NS = 1_000_000_000


@asynccontextmanager
async def running(
    stage: EmulatorStage, *, recorded: bool = True, clock: StillClock | None = None
) -> AsyncIterator[Mapping[str, Endpoint]]:
    """A stage from start to stop."""
    try:
        yield await stage.start(clock or StillClock(), ACCOUNTS, recorded)
    finally:
        await stage.stop()


async def read(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.json(content_type=None)


def ask(stage: EmulatorStage, path: str, *, recorded: bool = True) -> Any:
    """What the stage's Bybit answers to one public request."""

    async def go() -> Any:
        async with running(stage, recorded=recorded) as endpoints:
            return await read(endpoints["main"].rest + path)

    return asyncio.run(go())


def state_of(stage: EmulatorStage) -> Any:
    """What the control port tells."""

    async def go() -> Any:
        async with running(stage):
            control = stage.notes()[0].rpartition(" ")[2]
            async with aiohttp.ClientSession() as session, session.post(f"{control}/settings", json={}) as answer:
                settings = await answer.json()
            return {**await read(f"{control}/state"), "settings": settings}

    return asyncio.run(go())


def play_quote(stage: EmulatorStage, price: str = "50000", account: str = "main") -> None:
    quote = Quote(Decimal(price), Decimal(price), Decimal(price), Decimal(price), StillClock().now_ns())
    stage.play(QuoteUpdate(account, "BTCUSDT", quote))


# ── what it is ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_plugin_offers_it() -> None:
    assert [stage.name for stage in stages()] == ["emulator"]
    assert EmulatorStage.venues == {"binance", "bybit"}


def test_paper_can_not_be_rehearsed_and_need_not() -> None:
    assert not issubclass(Paper, Rehearsable)


def test_each_account_has_keys_of_its_own_made_anew_for_each_rehearsal() -> None:
    async def keys() -> set[str]:
        async with running(EmulatorStage()) as endpoints:
            return {each for one in endpoints.values() for each in (one.key.reveal(), one.secret.reveal())}

    first, second = asyncio.run(keys()), asyncio.run(keys())

    assert len(first | second) == 8


def test_its_time_is_the_clock_of_the_session() -> None:
    clock = StillClock(1_761_950_000 * SECOND_NS)

    async def go() -> Any:
        async with running(EmulatorStage(), clock=clock) as endpoints:
            return await read(endpoints["main"].rest + "/v5/market/time")

    assert asyncio.run(go())["result"]["timeSecond"] == "1761950000"


def test_it_says_where_it_listens_and_where_its_ledger_is(tmp_path: Path) -> None:
    async def notes(stage: EmulatorStage) -> tuple[str, ...]:
        async with running(stage) as endpoints:
            assert endpoints["main"].rest in stage.notes()[0]
            assert endpoints["main"].ws in stage.notes()[0]
            return stage.notes()

    assert "not kept (set [rehearsal] ledger)" in asyncio.run(notes(EmulatorStage()))[1]
    ledger = tmp_path / "ledger.jsonl"
    assert str(ledger) in asyncio.run(notes(EmulatorStage(ledger=ledger)))[1]


def test_it_listens_on_the_loopback_alone() -> None:
    async def go() -> None:
        async with running(EmulatorStage()) as endpoints:
            for endpoint in endpoints.values():
                assert endpoint.rest.startswith("http://127.0.0.1:")
                assert endpoint.ws.startswith("ws://127.0.0.1:")

    asyncio.run(go())


def test_a_recorded_market_reaches_the_venue_of_its_account_alone() -> None:
    async def go() -> tuple[Any, Any]:
        stage = EmulatorStage()
        async with running(stage) as endpoints:
            play_quote(stage, account="main")
            play_quote(stage, account="nobody")
            bybit = await read(endpoints["main"].rest + TICKERS)
            binance = await read(endpoints["other"].rest + "/fapi/v1/ticker/bookTicker?symbol=BTCUSDT")
            return bybit["result"]["list"][0]["lastPrice"], binance["bidPrice"]

    assert asyncio.run(go()) == ("50000", "0")


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_markets_come_from_the_venues_own_file() -> None:
    instruments = "/v5/market/instruments-info?category=linear&limit=1000"
    shipped = ask(EmulatorStage(), instruments)["result"]["list"]
    stage = EmulatorStage(markets={"bybit": EXAMPLES / "bybit_linear_2025-03.json"})
    assert len(shipped) == 10
    assert len(ask(stage, instruments)["result"]["list"]) > 300


def test_a_market_file_of_another_venue_and_an_unknown_venue_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bybit_linear"):
        EmulatorStage(markets={"binance": EXAMPLES / "bybit_linear_2025-03.json"})
    with pytest.raises(ValueError, match="there is no venue 'okx'; there are: binance, bybit"):
        EmulatorStage(markets={"okx": tmp_path})


def test_every_account_starts_with_the_balance() -> None:
    state = state_of(EmulatorStage(balance_usd=Decimal(1234)))
    cash = [account["cash"] for venue in state["venues"].values() for account in venue["accounts"].values()]
    assert cash == ["1234"] * 4


@pytest.mark.parametrize(
    ("stage", "name", "value"),
    [
        (EmulatorStage(latency_ms=70), "latency_ms", 70),
        (EmulatorStage(orders_per_s=200), "orders_per_s", 200),
        (EmulatorStage(rate_limits=False), "rate_limits", False),
    ],
)
def test_what_is_set_of_the_venues_is_set_of_them(stage: EmulatorStage, name: str, value: object) -> None:
    assert state_of(stage)["settings"][name] == value
    assert state_of(EmulatorStage())["settings"][name] != value


def test_every_request_is_answered_later_by_the_latency() -> None:
    async def took_s(stage: EmulatorStage) -> float:
        async with running(stage) as endpoints:
            began = time.monotonic()
            await read(endpoints["main"].rest + "/v5/market/time")
            return time.monotonic() - began

    assert asyncio.run(took_s(EmulatorStage(latency_ms=120))) >= 0.12


def test_fault_rules_hold_from_the_start(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\nname = "refuse"\nvenue = "bybit"\ncode = 10016\n', encoding="utf-8")
    assert ask(EmulatorStage(faults=file), "/v5/market/time")["retCode"] == 10016


def test_a_file_of_faults_that_is_wrong_is_refused_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\nname = "refuze"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"faults.toml: fault 1: there is no fault 'refuze'"):
        ask(EmulatorStage(faults=file), "/v5/market/time")


def test_the_ledger_has_every_request(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    ask(EmulatorStage(ledger=ledger), "/v5/market/time")
    lines = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    assert [line["path"] for line in lines if line["kind"] == "request"] == ["/v5/market/time"]


def test_a_ledger_that_can_not_be_written_ends_the_start_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExchangeError, match=r"or the ledger can't be written: .* \(.*file"):
        ask(EmulatorStage(ledger=tmp_path / "file" / "ledger.jsonl"), "/v5/market/time")


def test_without_a_recording_every_market_has_a_price_that_stands() -> None:
    assert len(ask(EmulatorStage(), "/v5/market/tickers?category=linear", recorded=False)["result"]["list"]) == 10


def test_with_a_recording_a_market_has_no_price_before_the_recording_brings_one() -> None:
    assert ask(EmulatorStage(), "/v5/market/tickers?category=linear")["result"]["list"] == []


def test_prices_may_walk_where_no_recording_brings_them_the_same_with_the_same_seed() -> None:
    def price(source: str | None) -> str:
        answer = ask(EmulatorStage(prices=source), TICKERS, recorded=False)
        return str(answer["result"]["list"][0]["lastPrice"])

    assert price("random:7") == price("random:7")
    assert len({price("random:7"), price("random:8"), price(None)}) == 3


def test_prices_that_are_none_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"\[rehearsal\] prices: random:SEED,RATE needs whole numbers"):
        ask(EmulatorStage(prices="random:x"), TICKERS, recorded=False)


def test_prices_beside_a_recording_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"\[rehearsal\] prices: the recording brings its own prices; remove it"):
        ask(EmulatorStage(prices="random:7"), TICKERS)


def test_ids_follow_the_seed() -> None:
    async def listen_key(seed: int) -> str:
        stage = EmulatorStage(seed=seed)
        async with running(stage) as endpoints:
            headers = {"X-MBX-APIKEY": endpoints["other"].key.reveal()}
            url = endpoints["other"].rest + "/fapi/v1/listenKey"
            async with aiohttp.ClientSession() as session, session.post(url, headers=headers) as answer:
                return str((await answer.json())["listenKey"])

    assert asyncio.run(listen_key(1)) == asyncio.run(listen_key(1)) != asyncio.run(listen_key(2))


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_busy_while_a_request_is_under_way_and_then_it_is_not() -> None:
    async def go() -> list[bool]:
        stage = EmulatorStage(latency_ms=100)
        async with running(stage) as endpoints:
            seen = [stage.is_busy()]
            request = asyncio.create_task(read(endpoints["main"].rest + "/v5/market/time"))
            while not stage.is_busy():  # noqa: ASYNC110 - the server says nothing when a request arrives
                await asyncio.sleep(0)
            seen.append(stage.is_busy())
            await request
            await asyncio.sleep(0)
            return [*seen, stage.is_busy()]

    assert asyncio.run(go()) == [False, True, False]


def test_it_is_busy_while_a_subscription_has_not_taken_effect() -> None:
    async def go() -> bool:
        stage = EmulatorStage()
        async with (
            running(stage) as endpoints,
            aiohttp.ClientSession() as session,
            session.ws_connect(endpoints["main"].ws + "/v5/public/linear") as socket,
        ):
            await socket.send_json({"op": "subscribe", "args": ["tickers.BTCUSDT"]})
            while not stage.is_busy():  # noqa: ASYNC110 - the server says nothing when a frame arrives
                await asyncio.sleep(0)
            await socket.receive_json()
            await asyncio.sleep(0)
            return stage.is_busy()

    assert asyncio.run(go()) is False


@asynccontextmanager
async def listening(stage: EmulatorStage, stream: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A client of a Binance market stream that has heard the first price, 50000."""
    async with running(stage) as endpoints, aiohttp.ClientSession() as session:
        play_quote(stage, account="other")
        async with session.ws_connect(f"{endpoints['other'].ws}/market/ws/{stream}") as socket:
            await socket.receive_json()
            yield socket


def test_it_is_busy_until_a_stream_with_a_rhythm_has_told_of_a_move() -> None:
    async def go() -> list[bool]:
        stage = EmulatorStage()
        async with listening(stage, "btcusdt@markPrice"):
            before = stage.is_busy()
            play_quote(stage, "50001", "other")
            return [before, stage.is_busy()]

    assert asyncio.run(go()) == [False, True]


def test_after_a_leap_a_stream_with_a_rhythm_tells_at_once() -> None:
    async def go() -> Decimal:
        stage, clock = EmulatorStage(), StillClock()
        async with listening(stage, "btcusdt@markPrice") as socket:
            await stage.advance(clock.now_ns() + 60 * SECOND_NS)
            play_quote(stage, "50001", "other")
            async with asyncio.timeout(1):  # its rhythm is three seconds
                return Decimal((await socket.receive_json())["p"])

    assert asyncio.run(go()) == 50001


def test_a_leap_lets_the_listen_keys_and_connections_of_clients_live() -> None:
    async def go() -> tuple[int, bool]:
        stage = EmulatorStage()
        async with running(stage) as endpoints, aiohttp.ClientSession() as session:
            headers = {"X-MBX-APIKEY": endpoints["other"].key.reveal()}
            url = endpoints["other"].rest + "/fapi/v1/listenKey"
            await session.post(url, headers=headers)
            async with session.ws_connect(endpoints["main"].ws + "/v5/public/linear") as socket:
                await stage.advance(StillClock().now_ns() + 7 * 86_400 * SECOND_NS)
                await socket.send_json({"op": "ping"})
                pong = await socket.receive_json()
                async with session.put(url, headers=headers) as kept:
                    return kept.status, pong["success"]

    assert asyncio.run(go()) == (200, True)
