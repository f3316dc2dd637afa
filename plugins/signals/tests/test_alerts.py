"""Alerts as their senders document them: each becomes the right signal, or is refused for the right reason."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from framework import BadSignal
from framework_signals.wishes import market_of

from .reading import NOW_NS, code_of, good, judged, reader


def alert(**fields: object) -> str:
    return json.dumps({"ticker": "BTCUSDT.P", "action": "buy", **fields})


# ── the published shapes ────────────────────────────────────────────────────────────────────────────────────

PUBLISHED: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "TradersPost, entry": (
        {"ticker": "SOLUSDT", "action": "buy", "sentiment": "bullish", "price": "146.2"},
        ("main", "SOLUSDT", "long"),
    ),
    "TradersPost, with a stop": (
        {"ticker": "SOLUSDT", "action": "sell", "signalPrice": "146.2", "quantity": 10,
         "takeProfit": {"percent": 10}, "stopLoss": {"type": "stop", "percent": 5}},
        ("main", "SOLUSDT", "short"),
    ),
    "pulse": (
        {"action": "enter_long", "symbol": "BTCUSDT", "price": 64000, "interval": "15", "confidence": 0.8},
        ("main", "BTCUSDT", "long"),
    ),
    "pickmytrade": (
        {"symbol": "ETHUSDT", "date": "2025-10-31T22:30:00Z", "data": "sell", "quantity": "1", "risk_percentage": 0,
         "price": "2500", "tp": 0, "percentage_tp": 0, "dollar_tp": 0, "sl": 0, "percentage_sl": 2, "dollar_sl": 0,
         "trail": 0, "trail_stop": 0, "trail_trigger": 0, "trail_freq": 0, "update_tp": False, "update_sl": False,
         "token": "x", "pyramid": False, "reverse_order_close": False, "multiple_accounts": [{"token": "x"}]},
        ("main", "ETHUSDT", "short"),
    ),
    "Altrady, with a side": (
        {"api_key": "k", "api_secret": "s", "action": "open", "side": "long", "exchange": "BYBI",
         "symbol": "BYBI_USDT_SOL"},
        ("bybit", "SOLUSDT", "long"),
    ),
    "TradingView's placeholders": (
        {"ticker": "BTCUSDT.P", "exchange": "BINANCE", "close": "64000.1", "time": "2025-10-31T22:48:00Z",
         "action": "buy", "contracts": "0.013", "market_position": "long"},
        ("binance", "BTCUSDT", "long"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_alert_is_the_signal_that_it_means(name: str) -> None:
    body, (account, symbol, side) = PUBLISHED[name]

    signal = good("alert", json.dumps(body))

    assert (signal.account, signal.symbol, signal.side.value) == (account, symbol, side)


def test_a_stop_in_percent_a_score_a_time_and_an_id_are_read() -> None:
    body = alert(stopLoss={"type": "stop", "percent": 5}, confidence="80.5", time="2025-10-31T22:40:00Z", id="a-7")

    signal = good("alert", body, id_prefix="tv:")

    assert signal.settings.stop_percent is not None
    assert signal.settings.stop_percent.value == 5
    assert signal.score == Decimal("80.5")
    assert signal.created_ns == NOW_NS - 521_120_000_000
    assert signal.id == "tv:a-7"


@pytest.mark.parametrize("time", ["2025-10-31T22:40:00Z", 1761950400, "1761950400", 1761950400000, "1761950400000"])
def test_a_time_may_be_written_in_several_ways(time: object) -> None:
    assert good("alert", alert(time=time)).created_ns == 1_761_950_400 * 10**9


@pytest.mark.parametrize(("line", "side"), [("BUY BTCUSDT", "long"), ("  sell\tBTC/USDT\n", "short")])
def test_a_line_is_an_alert(line: str, side: str) -> None:
    signal = good("alert", line)

    assert (signal.symbol, signal.side.value) == ("BTCUSDT", side)


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────

REFUSED: dict[str, tuple[str, str]] = {
    "a close": (alert(action="close"), "not_an_entry"),
    "an exit": (alert(action="exit"), "not_an_entry"),
    "a flat": ("flat BTCUSDT", "not_an_entry"),
    "a reversal": (alert(action="reverse"), "not_an_entry"),
    "an increase": (alert(action="increase"), "not_an_entry"),
    "a sale that leaves nothing": (alert(action="sell", sentiment="flat"), "not_an_entry"),
    "a sale that leaves a long": (alert(action="sell", market_position="long"), "not_an_entry"),
    "a purchase that leaves a short": (alert(sentiment="bearish"), "not_an_entry"),
    "a mood that nobody knows": (alert(sentiment="excited"), "unknown_action"),
    "an update of a stop": (alert(update_sl=True), "not_an_entry"),
    "a reduce-only order": (alert(reduce_only="true"), "not_an_entry"),
    "Altrady without a side": (json.dumps({"action": "open", "symbol": "BYBI_USDT_SOL"}), "no_direction"),
    "an action that nobody knows": (alert(action="hodl"), "unknown_action"),
    "two actions": (alert(side="sell"), "ambiguous"),
    "an opening that is a close": (alert(side="close"), "ambiguous"),
    "two markets": (alert(symbol="ETHUSDT"), "ambiguous"),
    "no market": (json.dumps({"action": "buy"}), "missing_field"),
    "no action": (json.dumps({"ticker": "BTCUSDT"}), "missing_field"),
    "a placeholder that was left": (alert(ticker="{{ticker}}"), "bad_symbol"),
    "a market that is none": (alert(ticker="BTC USDT"), "bad_symbol"),
    "another quote than those of linear perpetuals": (alert(ticker="BYBI_USSDT_SOL"), "bad_symbol"),
    "a coin alone": (alert(ticker="BTC"), "bad_symbol"),
    "a venue that nobody knows": (alert(exchange="KRAKEN"), "unknown_venue"),
    "a time without its zone": (alert(time="2025-10-31T22:40:00"), "bad_time"),
    "a time that is true": (alert(time=True), "wrong_type"),
    "a stop that is absurd": (alert(percentage_sl=90), "out_of_range"),
    "a score that is no number": (alert(score="high"), "wrong_type"),
    "a market that is a number": (alert(ticker=7), "wrong_type"),
    "a field twice": ('{"ticker": "BTCUSDT", "ticker": "ETHUSDT", "action": "buy"}', "duplicate_field"),
    "a list": ("[]", "not_an_object"),
    "no JSON": ("please buy some BTCUSDT", "no_json"),
    "nothing": ("", "no_json"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_alert_is_refused_for(name: str) -> None:
    text, code = REFUSED[name]

    assert code_of("alert", text) == code


def test_an_alert_that_names_no_venue_needs_an_account() -> None:
    assert code_of("alert", alert(), account="") == "missing_field"
    assert good("alert", alert(exchange="BYBIT"), account="").account == "bybit"


def test_what_is_kept_of_a_refused_alert_gives_no_secret_away() -> None:
    body = '{"api_key": "K1", "api_secret":"S\\"2", "token" : "T3", "action": "close", "password": 12345'

    answer = judged("alert", body)

    assert isinstance(answer, BadSignal)
    assert not any(secret in answer.raw + answer.message for secret in ("K1", "S\\", "T3", "12345"))


# ── mapping, markets, identity ──────────────────────────────────────────────────────────────────────────────


def test_a_mapping_leads_into_objects_and_wins_over_common_names() -> None:
    body = json.dumps({"action": "ignored", "order": {"what": "Enter Long", "where": {"pair": "eth_usdt"}}})

    signal = good("alert", body, fields={"action": "order.what", "symbol": "order.where.pair"})

    assert (signal.symbol, signal.side.value) == ("ETHUSDT", "long")


@pytest.mark.parametrize(
    ("text", "venue", "symbol"),
    [
        ("BTCUSDT", None, "BTCUSDT"),
        ("btcusdt.p", None, "BTCUSDT"),
        ("BINANCE:BTCUSDT.P", "BINANCE", "BTCUSDT"),
        ("BTC/USDT", None, "BTCUSDT"),
        ("BTC/USDT:USDT", None, "BTCUSDT"),
        ("BTC-USDT", None, "BTCUSDT"),
        ("1000PEPE_USDT", None, "1000PEPEUSDT"),
        ("BYBI_USDT_SOL", "BYBI", "SOLUSDT"),
    ],
)
def test_a_market_is_known_by_its_usual_names(text: str, venue: str | None, symbol: str) -> None:
    assert market_of(text) == (venue, symbol)


def test_the_same_wish_has_the_same_id_also_after_a_restart_and_another_wish_another() -> None:
    first = [reader("alert").read(alert(), NOW_NS + ns)[0].id for ns in (0, 10**9)]

    assert first[0] == first[1]
    assert good("alert", alert(action="sell")).id != first[0]
    assert good("alert", alert(time="2025-10-31T22:40:00Z")).id != first[0]


def test_a_repetition_across_the_border_of_two_windows_is_recognised() -> None:
    one = reader("alert")
    border_ns = (NOW_NS // (60 * 10**9) + 1) * 60 * 10**9

    ids = {one.read(alert(), border_ns + ns)[0].id for ns in (-(10**9), 10**9)}

    assert len(ids) == 1


def test_prices_and_sizes_do_not_make_another_signal() -> None:
    assert good("alert", alert(price="1", quantity=3)).id == good("alert", alert(price="2")).id


# ── OctoBot ─────────────────────────────────────────────────────────────────────────────────────────────────

PAIRS = "EXCHANGE=binance\nSYMBOL=BTCUSDT\nSIGNAL=BUY\nORDER_TYPE=MARKET\nVOLUME=0.1\nTAKE_PROFIT_PRICE_1=10%\nTAG=x"


@pytest.mark.parametrize("text", [PAIRS, PAIRS.replace("\n", ";"), PAIRS.replace("\n", " ; \n"), PAIRS.lower()])
def test_pairs_are_an_alert(text: str) -> None:
    signal = good("octobot", text)

    assert (signal.account, signal.symbol, signal.side.value) == ("binance", "BTCUSDT", "long")


@pytest.mark.parametrize(
    ("more", "stop"), [("STOP_PRICE=-5%", Decimal(5)), ("STOP_PRICE=100", None), ("STOP_PRICE=-3d", None)]
)
def test_a_stop_in_percent_is_read_from_pairs(more: str, stop: Decimal | None) -> None:
    percent = good("octobot", f"{PAIRS}\n{more}").settings.stop_percent

    assert (None if percent is None else percent.value) == stop


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (PAIRS.replace("BUY", "CANCEL"), "not_an_entry"),
        (PAIRS.replace("MARKET", "LIMIT"), "unsupported_order"),
        (PAIRS.replace("MARKET", "STOP"), "not_an_entry"),
        (PAIRS + "\nREDUCE_ONLY=True", "not_an_entry"),
        (PAIRS.replace("BUY", "SELL") + "\nPARAM_SIDE=LONG", "not_an_entry"),
        (PAIRS + "\nSTOP_PRICE=5%", "bad_stop"),
        (PAIRS + "\nSTOP_PRICE=-60%", "bad_stop"),
        (PAIRS + "\nSIGNAL=SELL", "duplicate_field"),
        (PAIRS.replace("SIGNAL=BUY", "SIGNAL="), "missing_field"),
        (PAIRS.replace("binance", "kraken"), "unknown_venue"),
        ("buy BTCUSDT", "not_pairs"),
        ("", "missing_field"),
        ("X" * 1_000_001, "too_large"),
    ],
)
def test_pairs_are_refused_for_the_right_reason(text: str, code: str) -> None:
    assert code_of("octobot", text) == code
