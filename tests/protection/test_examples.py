"""The worked examples: each one is walked, and every stop, part and exit is the one that stands there."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any

import pytest

from framework.testing import Walk, walk_candles, walk_protection
from tests.docs.blocks import documented
from tests.protection.build_examples import DATA, MARKETS, files, tick_sizes

EXAMPLES = [
    pytest.param(example, id=f"{path.stem}: {example['name']}")
    for path in sorted(DATA.glob("*.toml"))
    for example in tomllib.loads(path.read_text(encoding="utf-8"))["example"]
]


def walked(example: dict[str, Any]) -> Walk:
    about = {key: example[key] for key in ("side", "entry_price", "tick_size", "candles_before") if key in example}
    if "candles" in example:
        return walk_candles(example["protections"], candles=example["candles"], path=example["path"], **about)
    return walk_protection(example["protections"], ticks=example["ticks"], **about)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_stop_take_and_exit_is_the_one_that_was_worked_out(example: dict[str, Any]) -> None:
    walk = walked(example)

    assert ["" if stop is None else str(stop) for stop in walk.stops] == example["stops"]
    takes = [[take.index, str(take.price), take.share] for take in walk.takes]
    assert takes == [[index, price, Decimal(share)] for index, price, share in example.get("takes", [])]
    exit_ = None if walk.exit is None else {
        "index": walk.exit.index, "price": str(walk.exit.price), "reason": walk.exit.reason
    }  # fmt: skip
    assert exit_ == example.get("exit")


def test_the_examples_are_those_that_the_definitions_give_today() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in DATA.glob("*.toml")} == files()


def test_there_are_more_than_a_hundred_long_and_short_on_the_tick_sizes_of_seven_markets() -> None:
    examples: list[Any] = [param.values[0] for param in EXAMPLES]

    sides = [example["side"] for example in examples]
    assert len(examples) > 150
    assert min(sides.count("long"), sides.count("short")) > 40
    assert {example["tick_size"] for example in examples} == set(tick_sizes().values())
    assert len(MARKETS) == len(tick_sizes()) == 7


def test_the_page_that_defines_the_rules_shows_code_that_is_true() -> None:
    blocks = [b for b in documented() if b.place.startswith("docs/protection.md") and b.language == "python"]

    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block.code, block.place, "exec"), {})  # noqa: S102 - our own document
