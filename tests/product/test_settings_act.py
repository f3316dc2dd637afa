"""Settings of the default deployment act: each changes what it should, and nothing else."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from tests.product.conftest import Product


def outcomes(product: Product, *sets: str) -> dict[str, dict[str, str]]:
    done = product.run(sets)
    assert done.returncode == 0, done.stderr
    return {row["signal_id"]: row for row in product.json("signals")}


@pytest.mark.parametrize(
    ("sets", "symbol", "outcome"),
    [
        (["filters.volume-1h.min_usd=9000"], "LEVERUSDT", "opened"),
        (["filters.open-interest.min_usd=300000"], "PRCLUSDT", "opened"),
        (["filters.price-move.max_percent=6"], "MYROUSDT", "opened"),
        (["filters.spread.action=reject"], "CLOUDUSDT", "rejected"),
        (["filters.symbols.stop=['DOG*']"], "DOGUSDT", "rejected"),
        (["filters.signal-age.max_age_minutes=1", "filters.signal-age.max_future_seconds=60"], "HFTUSDT", "opened"),
        (["sizing.tolerance_percent=210"], "AVAXUSDT", "opened"),
    ],
)
def test_a_filters_limit_decides(fresh: Product, sets: list[str], symbol: str, outcome: str) -> None:
    rows = outcomes(fresh, *sets)
    assert next(row["outcome"] for row in rows.values() if row["symbol"] == symbol) == outcome


def test_a_filter_that_is_switched_off_does_not_act(fresh: Product) -> None:
    rows = outcomes(fresh, "filters.volume-1h.enabled=false")
    assert rows["510410"]["outcome"] == "opened"
    assert Counter(row["code"] for row in rows.values())["volume_1h"] == 0


def test_the_target_of_an_account_is_the_signals_where_they_may_set_it_and_the_deployments_elsewhere(
    fresh: Product,
) -> None:
    carried = outcomes(fresh, "exchanges.binance.max_positions_per_wave=2")
    own = outcomes(fresh, "exchanges.binance.max_positions_per_wave=2", "framework.signal_may_set=[]")

    def opened(rows: dict[str, dict[str, str]]) -> int:
        return sum(row["account"] == "binance" and row["outcome"] == "opened" for row in rows.values())

    assert (opened(carried), opened(own)) == (4, 2)


def test_a_stop_of_the_signal_wins_only_where_it_may(fresh: Product) -> None:
    outcomes(fresh, "protection.stop-loss.percent=3")
    carried = fresh.json("positions", "--all")
    outcomes(fresh, "protection.stop-loss.percent=3", "framework.signal_may_set=[]")
    own = fresh.json("positions", "--all")

    def distance(row: dict[str, str]) -> Decimal:
        entry, stop = Decimal(row["entry_price"]), Decimal(row["initial_stop_price"])
        return (abs(entry - stop) / entry * 100).quantize(Decimal(1))

    assert {distance(row) for row in carried} == {6}
    assert {distance(row) for row in own} == {3}


def test_a_risk_limit_over_all_accounts_ends_the_wave_early(fresh: Product) -> None:
    rows = outcomes(fresh, "risk.max-open-positions.total=3")
    counts = Counter(row["outcome"] for row in rows.values())
    assert counts["opened"] == 3
    assert {row["code"] for row in rows.values() if row["stage"] == "risk"} == {"too_many_positions"}


def test_slippage_fees_and_latency_of_the_paper_venue_are_what_it_says(fresh: Product) -> None:
    outcomes(fresh, "exchanges.binance.slippage_percent=0.1", "exchanges.bybit.taker_fee_percent=0")
    positions = {row["symbol"]: row for row in fresh.json("positions", "--all")}
    assert Decimal(positions["HFTUSDT"]["entry_price"]) > Decimal("0.04458")
    assert Decimal(positions["CLOUDUSDT"]["fees_usd"]) == 0


def test_an_old_quote_is_missing_data(fresh: Product) -> None:
    rows = outcomes(fresh, "exchanges.binance.latency_ms=3000", "framework.max_quote_age_s=1")
    assert {row["code"] for row in rows.values() if row["account"] == "binance"} == {"data_missing"}
    assert sum(row["outcome"] == "opened" for row in rows.values()) == 4


def test_an_entry_whose_deadline_is_over_is_not_sent(fresh: Product) -> None:
    rows = outcomes(fresh, "exchanges.bybit.latency_ms=12000", "framework.data_timeout_s=5")
    assert {row["code"] for row in rows.values() if row["account"] == "bybit"} == {"account_unknown"}
