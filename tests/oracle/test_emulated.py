"""A ledger that the emulator wrote while plain HTTP requests traded on both venues, and the same with changes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from framework_simulator.emulator.build import DEFAULT_KEY, Plan
from framework_simulator.emulator.emulator import Emulator
from tests.oracle.judging import Case, judge
from tests.oracle.ledger import Line, UnusableError
from tests.oracle.story import P1, P2, broken, rows

QTY = "0.01"


class Desk:
    """What a trader would do on both venues, over loopback sockets, one request after the other."""

    def __init__(self, emulator: Emulator, url: str) -> None:
        self.emulator, self.url = emulator, url

    async def binance(self, method: str, path: str, **params: str) -> None:
        text = urlencode({**params, "timestamp": str(self.emulator.world.told_ms("binance"))})
        url = f"{self.url}{path}?{text}&signature={_signed(text)}"
        await self._send(urllib.request.Request(url, method=method, headers={"X-MBX-APIKEY": DEFAULT_KEY.key}))  # noqa: S310 - loopback

    async def bybit(self, path: str, **params: object) -> None:
        body, stamp = json.dumps({"category": "linear", **params}), str(self.emulator.world.told_ms("bybit"))
        headers = {
            "X-BAPI-API-KEY": DEFAULT_KEY.key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": _signed(f"{stamp}{DEFAULT_KEY.key}5000{body}"),
            "Content-Type": "application/json",
        }
        await self._send(urllib.request.Request(self.url + path, body.encode(), headers))  # noqa: S310 - loopback

    async def _send(self, request: urllib.request.Request) -> None:
        def go() -> None:
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
                    answer.read()
            except urllib.error.HTTPError as error:
                error.close()

        await asyncio.to_thread(go)

    def price(self, price: int) -> None:
        for venue in ("binance", "bybit"):
            self.emulator.control.price({"venue": venue, "symbol": "BTCUSDT", "bid": str(price), "ask": str(price + 1)})

    def wait(self, seconds: int) -> None:
        self.emulator.control.advance({"ms": seconds * 1000})


def _signed(text: str) -> str:
    return hmac.new(DEFAULT_KEY.secret.encode(), text.encode(), hashlib.sha256).hexdigest()


async def on_binance(desk: Desk) -> None:
    """A position with a stop that trails once and then fires; another that is closed and swept. Its sides are long."""
    stop = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "algoType": "CONDITIONAL", "quantity": QTY}
    order = {"symbol": "BTCUSDT", "type": "MARKET", "quantity": QTY}
    algo = "/fapi/v1/algoOrder"
    entry = f"fw-{P1}-e0"
    await desk.binance("POST", "/fapi/v1/order", side="BUY", newClientOrderId=entry, **order)
    await desk.binance("POST", algo, triggerPrice="49000", reduceOnly="true", clientAlgoId=f"fw-{P1}-s0", **stop)
    desk.wait(20)
    desk.price(51000)
    await desk.binance("POST", algo, triggerPrice="50000", reduceOnly="true", clientAlgoId=f"fw-{P1}-s1", **stop)
    await desk.binance("DELETE", algo, symbol="BTCUSDT", clientAlgoId=f"fw-{P1}-s0")
    desk.price(49900)
    desk.wait(1)
    desk.price(50000)
    await desk.binance("POST", "/fapi/v1/order", side="BUY", newClientOrderId=f"fw-{P2}-e0", **order)
    await desk.binance("POST", algo, triggerPrice="49000", reduceOnly="true", clientAlgoId=f"fw-{P2}-s0", **stop)
    exit_id = f"fw-{P2}-x0"
    await desk.binance("POST", "/fapi/v1/order", side="SELL", newClientOrderId=exit_id, reduceOnly="true", **order)
    await desk.binance("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")
    await desk.binance("DELETE", algo, symbol="BTCUSDT", clientAlgoId=f"fw-{P2}-s0")


async def on_bybit(desk: Desk) -> None:
    """A position whose stop travels in the entry, trails once, and fires; a short one that is closed."""
    order = {"symbol": "BTCUSDT", "orderType": "Market", "qty": QTY, "positionIdx": 0}
    await desk.bybit(
        "/v5/order/create", side="Buy", orderLinkId=f"fw-{P1}-e0", stopLoss="49000", tpslMode="Full", **order
    )
    desk.wait(20)
    await desk.bybit("/v5/position/trading-stop", symbol="BTCUSDT", tpslMode="Full", stopLoss="49500", positionIdx=0)
    desk.price(49400)
    desk.wait(1)
    desk.price(50000)
    await desk.bybit(
        "/v5/order/create", side="Sell", orderLinkId=f"fw-{P2}-e0", stopLoss="51000", tpslMode="Full", **order
    )
    await desk.bybit("/v5/order/create", side="Buy", orderLinkId=f"fw-{P2}-x0", reduceOnly=True, **order)


async def run(path: Path) -> None:
    emulator = Emulator(Plan(), ledger=path)
    ready: Any = await emulator.start()
    desk = Desk(emulator, ready["binance"]["rest"])
    try:
        desk.price(50000)
        await on_binance(desk)
        desk.price(50000)
        await on_bybit(desk)
        desk.wait(200)
        desk.price(50000)
        assert [defect.trace for defect in emulator.world.defects] == []
    finally:
        await emulator.stop()


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    path = tmp_path_factory.mktemp("emulated") / "ledger.jsonl"
    asyncio.run(run(path))
    return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]


def first(lines: list[Line], kind: str, **fields: object) -> Line:
    return next(
        line for line in lines if line["kind"] == kind and all(line.get(key) == value for key, value in fields.items())
    )


def asking(lines: list[Line], path: str, number: int = 0) -> Line:
    return [line for line in lines if line["kind"] == "request" and line["path"] == path][number]


def test_what_the_emulator_wrote_keeps_every_invariant(lines: list[Line]) -> None:
    judgement = judge(rows(lines), Case())

    assert [(one.name, one.first) for one in judgement.verdicts if one.count] == []
    assert {
        venue: (told["positions"], told["entries"], told["fills"]) for venue, told in judgement.figures.items()
    } == {
        "binance": (2, 2, 4),
        "bybit": (2, 2, 4),
    }
    assert judgement.figures["bybit"]["naked_ms"]["worst"] == 0


@pytest.mark.parametrize(
    ("kind", "fields", "number"),
    [
        ("stop", {"venue": "binance", "client_id": f"fw-{P1}-s0", "status": "untriggered"}, 1),
        ("stop", {"venue": "bybit", "attached": True}, 1),
        ("stop", {"venue": "binance", "client_id": f"fw-{P1}-s1", "status": "untriggered"}, 8),
        ("stop", {"venue": "binance", "client_id": f"fw-{P2}-s0", "status": "cancelled"}, 7),
        ("fill", {"venue": "binance"}, 5),
        ("fill", {"venue": "bybit"}, 5),
        ("position", {"venue": "bybit"}, 5),
        ("order", {"venue": "binance"}, 5),
    ],
)
def test_without_one_line_it_does_not(lines: list[Line], kind: str, fields: dict[str, object], number: int) -> None:
    removed = first(lines, kind, **fields)
    rest = [{**line, "seq": seq} for seq, line in enumerate((one for one in lines if one is not removed), 1)]

    assert number in broken(judge(rows(rest), Case()))


def test_a_gap_in_the_numbers_is_no_ledger(lines: list[Line]) -> None:
    with pytest.raises(UnusableError, match="lines are missing"):
        judge(rows([*lines[:5], *lines[6:]]), Case())


def _moved(lines: list[Line]) -> Line:
    return [line for line in lines if line["kind"] == "stop" and line["venue"] == "bybit"][1]


def _hang_up(lines: list[Line]) -> None:
    """The order of the first stop that fires fills nothing, and nothing else closes the position."""
    start = lines.index(first(lines, "stop", venue="binance", status="triggered")) + 1
    lines[start:] = [line for line in lines[start:] if line["kind"] == "price"]


def _disown(lines: list[Line]) -> None:
    for line in lines:
        if line["kind"] == "stop" and line["client_id"] == f"fw-{P2}-s0":
            line["client_id"] = "web_1"


def _take_for(lines: list[Line], client_id: str, another: str) -> None:
    first(lines, "order", client_id=client_id)["client_id"] = another


def _send_again(lines: list[Line]) -> None:
    asking(lines, "/v5/order/create", 1)["params"]["orderLinkId"] = f"fw-{P1}-e0"


Change = Callable[[list[Line]], None]
CHANGES: tuple[tuple[str, int, Change], ...] = (
    ("a stop covers too little", 1, lambda all_: first(all_, "stop", venue="binance").update(qty="0.009")),
    ("a stop opens", 12, lambda all_: first(all_, "stop", venue="binance").update(reduce_only=False)),
    ("a stop wins", 3, lambda all_: first(all_, "stop", venue="binance").update(trigger_price="50500")),
    ("a stop hangs", 2, _hang_up),
    ("an entry filled twice", 4, lambda all_: _take_for(all_, f"fw-{P2}-e0", f"fw-{P1}-e0")),
    ("a fill is larger", 5, lambda all_: first(all_, "fill", venue="bybit").update(qty="0.02")),
    ("a stop loosens", 8, lambda all_: _moved(all_).update(trigger_price="48000")),
    ("an id is strange", 9, lambda all_: asking(all_, "/fapi/v1/order")["params"].update(newClientOrderId="fw-1")),
    ("an entry is sent twice", 10, lambda all_: _send_again(all_)),
    ("a limit is passed", 11, lambda all_: first(all_, "response", venue="bybit").update(code=10006)),
    ("an exit is no exit", 12, lambda all_: asking(all_, "/v5/order/create", 2)["params"].update(reduceOnly=False)),
    ("money moves", 14, lambda all_: asking(all_, "/fapi/v3/positionRisk").update(path="/sapi/v1/asset/transfer")),
    ("another's stop is cancelled", 7, _disown),
)  # fmt: skip


@pytest.mark.parametrize(("what", "number", "change"), CHANGES, ids=[what for what, _, _ in CHANGES])
def test_with_one_change_it_does_not(lines: list[Line], what: str, number: int, change: Change) -> None:
    changed: list[Line] = json.loads(json.dumps(lines))
    change(changed)
    for seq, line in enumerate(changed, 1):
        line["seq"] = seq

    assert number in broken(judge(rows(changed), Case())), what
