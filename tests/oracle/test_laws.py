"""Laws: what must not change a judgement."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.judging import Case, Judgement, judge
from tests.oracle.ledger import Line
from tests.oracle.story import P1, P2, Story, broken, rows

DEEDS = st.lists(
    st.sampled_from(
        ("enter", "stop", "tighten", "loosen", "cancel", "close", "wait", "wait long", "vanish", "again", "leak")
    ),
    min_size=1,
    max_size=12,
)


def played(deeds: list[str], venue: str, symbol: str, position: str) -> Story:
    """A run of one market that does these deeds, sensible or not, as far as the venue would let it."""
    story, stops, trigger = Story(venue, symbol=symbol).price(), 0, 49_000
    entered = 0
    for number, deed in enumerate(deeds):
        story.wait(10)
        held = str(abs(story.quantity))
        if deed == "enter" and story.quantity <= 0:
            story.enter(position, sequence=entered)
            entered += 1
        elif deed in ("stop", "tighten", "loosen"):
            trigger += {"stop": 0, "tighten": 100, "loosen": -100}[deed]
            story.place_stop(str(trigger), "1", stops, position)
            stops += 1
        elif deed == "cancel" and stops:
            stops -= 1
            story.cancel_stop(str(trigger), stops, position=position)
        elif deed == "close" and story.quantity > 0:
            story.close(held, number, position)
        elif deed.startswith("wait"):
            story.wait(9_000 if deed == "wait" else 130_000).price()
        elif deed == "vanish" and stops:
            stops -= 1
            story.fault("stop-vanishes", symbol=symbol)
            story.stop(f"fw-{position}-s{stops}", str(trigger), status="cancelled", attached=False)
        elif deed == "again":
            with story.request("POST", "/fapi/v1/order", 400, -2019, newClientOrderId=f"fw-{position}-e0"):
                pass
        elif deed == "leak":
            with story.request("POST", "/sapi/v1/asset/transfer", 400, -1):
                pass
    return story


def blocks(lines: list[Line]) -> Iterator[list[Line]]:
    """Lines that belong together: a request with its response, a fill with its position, else one."""
    block: list[Line] = []
    waits = False
    for line in lines:
        block.append(line)
        waits = (waits or line["kind"] == "request") and line["kind"] != "response"
        if not waits and line["kind"] != "fill":
            yield block
            block = []


def mixed(first: list[Line], second: list[Line], seed: int) -> list[Line]:
    """Two runs as one ledger: by time, and what comes at the same time in any order that keeps blocks together."""
    chance = random.Random(seed)
    waiting = [list(blocks(first)), list(blocks(second))]
    merged: list[Line] = []
    while any(waiting):
        earliest = min(rest[0][0]["t"] for rest in waiting if rest)
        rest = chance.choice([rest for rest in waiting if rest and rest[0][0]["t"] == earliest])
        merged += rest.pop(0)
    return renumbered(merged)


def renumbered(lines: list[Line]) -> list[Line]:
    return [{**line, "seq": number} for number, line in enumerate(lines, 1)]


def renamed(lines: list[Line]) -> list[Line]:
    """The same with request ids that no other run has."""
    keys = {"request": "id", "response": "request"}
    return [
        {**line, key: line[key] + 1_000_000} if (key := keys.get(line["kind"])) is not None else line for line in lines
    ]


def found(judgement: Judgement) -> list[tuple[int, int]]:
    """Which invariants break and how often."""
    return [(one.number, one.count) for one in judgement.verdicts if one.count]


@settings(deadline=None, max_examples=60)
@given(first=DEEDS, second=DEEDS, seed=st.integers(0, 1000), other=st.sampled_from(("binance", "bybit")))
def test_what_happens_in_another_market_changes_nothing(
    first: list[str], second: list[str], seed: int, other: str
) -> None:
    one = played(first, "binance", "BTCUSDT", P1)
    two = played(second, other, "ETHUSDT", P2)
    last_ns = max(one.t, two.t)
    for story in (one, two):
        story.t = last_ns
        story.price()
    alone = [judge(rows(story.lines), Case()) for story in (one, two)]

    together = judge(rows(mixed(one.lines, renamed(two.lines), seed)), Case())

    expected = {verdict.number: verdict.count for verdict in alone[0].verdicts}
    for verdict in alone[1].verdicts:
        expected[verdict.number] += verdict.count
    assert {verdict.number: verdict.count for verdict in together.verdicts} == expected


@settings(deadline=None, max_examples=40)
@given(deeds=DEEDS, parts=st.sampled_from((2, 4, 5, 10)), venue=st.sampled_from(("binance", "bybit")))
def test_splitting_a_fill_changes_nothing(deeds: list[str], parts: int, venue: str) -> None:
    story = played(["enter", *deeds], venue, "BTCUSDT", P1)
    whole = judge(rows(story.lines), Case())

    in_parts = judge(rows(split(story.lines, parts)), Case())

    assert found(in_parts) == found(whole)
    assert in_parts.figures[venue]["naked_ms"] == whole.figures[venue]["naked_ms"]


def split(lines: list[Line], parts: int) -> list[Line]:
    """Every fill in equal parts at the same instant, each with the position after it."""
    result: list[Line] = []
    held = 0.0
    for line, after in itertools.zip_longest(lines, lines[1:]):
        if line["kind"] == "position":
            held = float(line["qty"])
        elif line["kind"] == "fill":
            quantity = float(line["qty"])
            for part in range(1, parts + 1):
                now = held + (1 if line["side"] == "buy" else -1) * quantity * part / parts
                result.append({**line, "qty": f"{quantity / parts:.6f}"})
                if part < parts:
                    result.append({**after, "qty": f"{now:.6f}", "entry_price": "50000"})
            continue
        result.append(line)
    return renumbered(result)


@settings(deadline=None, max_examples=40)
@given(deeds=DEEDS, cut=st.integers(0, 200), torn=st.booleans())
def test_a_ledger_that_is_cut_is_judged_up_to_there(deeds: list[str], cut: int, torn: bool) -> None:
    whole = rows(played(["enter", *deeds], "binance", "BTCUSDT", P1).lines)
    kept = 1 + cut % len(whole)
    rest = whole[kept : kept + 1] if torn else []

    judgement = judge([*whole[:kept], *(row[: len(row) // 2] for row in rest)], Case())

    assert judgement.lines == kept
    assert judgement.torn is bool(rest)


@settings(deadline=None, max_examples=40)
@given(deeds=DEEDS)
def test_violations_before_a_cut_do_not_depend_on_what_comes_later(deeds: list[str]) -> None:
    lines = played(["enter", *deeds], "binance", "BTCUSDT", P1).lines
    counts = [0] * 14
    for end in range(1, len(lines) + 1):
        now = [one.count for one in judge(rows(lines[:end]), Case()).verdicts]
        assert all(before <= after for before, after in zip(counts, now, strict=True))
        counts = now


def test_a_bound_that_is_widened_never_makes_a_breach() -> None:
    story = Story().price().enter().wait(8001).place_stop()
    case = Case()

    assert broken(judge(rows(story.lines), case)) == [1]
    wider = replace(case, bounds=replace(case.bounds, naked_max_ms_binance=8001))
    assert broken(judge(rows(story.lines), wider)) == []
