"""All protections at once, in a deployment that is played as a user plays it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.product.conftest import ROOT, Product

MORE = """
[[protection]]
use = "trailing-stop"
activation_percent = "6"
distance_percent = "3"

[[protection]]
use = "break-even"
after_percent = "1.5"

[[protection]]
use = "take-profit"
levels = [{ percent = "1", share = "0.2" }, { percent = "3", share = "0.3" }]

[[protection]]
use = "time-exit"
grace_hours = "40"

[[protection]]
use = "liquidation-guard"
maintenance_margin_percent = "0.5"
"""
HFT = "510401"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Product:
    place = tmp_path_factory.mktemp("protected")
    text = (ROOT / "config.toml").read_text(encoding="utf-8").replace("examples/", f"{ROOT}/examples/")
    config: Path = place / "config.toml"
    config.write_text(text.replace('position_usd = "6"', 'position_usd = "60"') + MORE, encoding="utf-8")
    product = Product(place / "state", config)
    done = product.run()
    assert done.returncode == 0, done.stderr
    return product


def test_parts_are_closed_in_profit_and_the_stop_is_resized_to_what_remains(product: Product) -> None:
    told = product.json("explain", HFT)

    sent = [(order["action"], int(order["request"]["quantity"])) for order in told["orders"] if order["request"]]
    # 0.2 and 0.3 of 1345, rounded down to whole pieces together, rest beside the stop; each that is filled resizes it.
    # The stop also trails by the price that fills the second one: both are one order.
    assert sent == [
        ("entry", 1345), ("stop", 1345), ("target", 269), ("target", 403), ("stop", 1076), ("stop", 673)
    ]  # fmt: skip
    assert [fill["quantity"] for fill in told["fills"] if fill["side"] == "sell"] == ["269", "403", "673"]
    assert [event["code"] for event in told["events"]] == ["profit_taken", "profit_taken"]


def test_whoever_acts_first_gives_the_reason_and_every_position_ends(product: Product) -> None:
    reasons = {row["symbol"]: row["exit_reason"] for row in product.json("positions", "--all")}

    assert reasons["HFTUSDT"] == "trailing-stop"
    assert reasons["C98USDT"] == "stop-loss"
    assert reasons["MANAUSDT"] == "aged_out"
    assert None not in reasons.values()


def test_the_report_sums_up_slippage_and_the_time_to_flat(product: Product) -> None:
    totals = product.json("report")["totals"]

    assert totals["slippage"] == {"count": 4, "p50_percent": "0.0000", "worst_percent": "0.0000"}
    assert totals["trigger_to_flat"]["count"] == 8
    assert {line["symbol"]: line["fill_price"] for line in totals["exit_lines"]}["HFTUSDT"] == "0.04619"
