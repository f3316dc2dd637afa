"""The ledger: what is written, and that it can be trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from framework_simulator.engine.ledger import JsonLines, Ledger, replay
from framework_simulator.engine.style import BYBIT

from .kit import attached, bench, d, quote

COMMON: dict[str, Any] = {"t": 0, "venue": "bybit", "account": "main"}
NUMBERS = [
    "qty",
    "filled",
    "avg_price",
    "fee",
    "realized_pnl",
    "entry_price",
    "price",
    "trigger_price",
    "bid",
    "ask",
    "mark",
    "last",
]


def _comparable(key: str, value: Any) -> Any:
    """Numbers as numbers: how many zeros follow is not the ledger's promise."""
    return d(value) if key in NUMBERS and value is not None else value


def test_an_entry_with_a_stop_that_triggers_is_told_line_by_line() -> None:
    venue = bench(BYBIT)
    venue.quote("99.9", "100", last="100", mark="100.1")
    venue.lines.clear()
    venue.order("buy", "0.5", client_id="e0", stop=attached("94", "s0"))
    venue.walk("94")
    price: dict[str, Any] = {"kind": "price", "account": None, "symbol": "BTCUSDT"}
    entry: dict[str, Any] = {
        "kind": "order",
        "id": "1",
        "client_id": "e0",
        "side": "buy",
        "qty": "0.5",
        "created_by": "client",
    }
    child: dict[str, Any] = {
        "kind": "order",
        "id": "3",
        "client_id": "s0",
        "side": "sell",
        "qty": "0.500",
        "created_by": "stop",
    }
    stop: dict[str, Any] = {
        "kind": "stop",
        "id": "2",
        "client_id": "s0",
        "side": "sell",
        "qty": None,
        "trigger_price": "94",
    }
    expected: list[dict[str, Any]] = [
        entry | {"status": "new", "filled": "0", "avg_price": None, "reduce_only": False},
        {"kind": "fill", "order": "1", "side": "buy", "qty": "0.500", "price": "100.0", "fee": "0.02500"},
        {"kind": "position", "qty": "0.5", "entry_price": "100"},
        entry | {"status": "filled", "filled": "0.500", "avg_price": "100.0", "type": "market", "price": None},
        stop | {"status": "untriggered", "trigger_by": "last", "reduce_only": True, "attached": True},
        price | {"bid": "100", "ask": "100", "mark": "100", "last": "100"},
        price | {"bid": "94", "ask": "94", "mark": "94", "last": "94"},
        stop | {"status": "triggered"},
        child | {"status": "new", "reduce_only": True, "close_position": False},
        {"kind": "fill", "order": "3", "price": "94.0", "fee": "0.02350", "realized_pnl": "-3.0"},
        {"kind": "position", "qty": "0", "entry_price": "0"},
        child | {"status": "filled"},
    ]
    assert len(venue.lines) == len(expected)
    for line, wanted in zip(venue.lines, expected, strict=True):
        told = COMMON | {"symbol": "BTCUSDT"} | wanted
        assert {key: _comparable(key, line[key]) for key in told} == {k: _comparable(k, v) for k, v in told.items()}


def test_without_a_sink_nothing_is_built() -> None:
    ledger = Ledger("binance")
    ledger.price(0, "BTCUSDT", quote("100"))
    lines: list[dict[str, object]] = []
    ledger.sinks.append(lines.append)
    ledger.price(0, "BTCUSDT", quote("100"))
    assert [line["seq"] for line in lines] == [1]


def test_json_lines_are_whole_at_once_and_the_file_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.jsonl"
    for _ in range(2):
        sink = JsonLines.open(path)
        sink({"seq": 1, "qty": "0.10"})
        assert json.loads(path.read_text(encoding="utf-8")) == {"seq": 1, "qty": "0.10"}
        sink.close()
        sink.close()


def test_a_replay_tells_accounts_of_the_same_name_on_two_venues_apart() -> None:
    fill = {
        "seq": 1,
        "kind": "fill",
        "symbol": "BTCUSDT",
        "side": "buy",
        "price": "100",
        "fee": "1",
        "realized_pnl": "0",
    }
    lines = [
        fill | {"venue": "binance", "account": "main", "qty": "1"},
        fill | {"venue": "bybit", "account": "main", "qty": "2"},
    ]
    accounts = replay(lines)
    assert accounts["binance", "main"].position("BTCUSDT").quantity == 1
    assert accounts["bybit", "main"].position("BTCUSDT").quantity == 2
    assert accounts["bybit", "main"].cash == -1


@pytest.mark.parametrize(
    ("kind", "field"), [("position", "qty"), ("position", "entry_price"), ("fill", "realized_pnl")]
)
def test_a_replay_refuses_a_ledger_that_contradicts_itself(kind: str, field: str) -> None:
    venue = bench()
    venue.order("buy", "1")
    line = venue.of_kind(kind)[-1]
    line[field] = str(d(line[field]) + 1)
    with pytest.raises(ValueError, match=f"ledger line {line['seq']}"):
        replay(venue.lines)


def test_the_json_of_a_ledger_replays_like_the_ledger() -> None:
    venue = bench()
    venue.order("buy", "1")
    venue.order("sell", "0.3")
    assert replay(json.loads(json.dumps(venue.lines))) == replay(venue.lines)
