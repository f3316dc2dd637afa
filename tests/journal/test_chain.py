"""Facts are chained: what was changed, left out, put in or moved no longer fits."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from framework.core.records import Record
from framework.journal import verify
from framework.journal.chain import COLUMNS, GENESIS, link
from framework.journal.scan import Scan
from framework.journal.store import Store
from tests.journal import history as h
from tests.journal import strategies

ROW: tuple[Any, ...] = (
    7,
    1_761_949_800_000_000_000,
    "event",
    None,
    "510401",
    "",
    "binance",
    "BTCUSDT",
    '{"code":"slow"}',
)

texts = st.text(alphabet="ab1-: \n", max_size=3)
ids = st.none() | texts
rows = st.tuples(st.integers(0, 3), st.integers(0, 3), texts, ids, ids, ids, ids, ids, texts)
"""Rows that are easily mistaken for each other."""


def test_the_format_is_for_good() -> None:
    text = '7 1761949800000000000 5:event - 6:510401 0: 7:binance 7:BTCUSDT {"code":"slow"}'

    assert link(GENESIS, ROW) == sha256(bytes(32) + text.encode()).digest()


@settings(deadline=None, max_examples=300)
@given(rows, rows)
def test_different_facts_have_different_hashes(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert (link(GENESIS, one) == link(GENESIS, other)) == (one == other)


def test_what_a_damaged_file_holds_in_place_of_a_value_has_another_hash() -> None:
    for index, column in enumerate(COLUMNS):
        for wrong in (b"BTCUSDT", 1.5, None, "", str(ROW[index]).encode()):
            if wrong != ROW[index]:
                changed = (*ROW[:index], wrong, *ROW[index + 1 :])
                assert link(GENESIS, changed) != link(GENESIS, ROW), (column, wrong)


def test_the_same_fact_in_another_place_has_another_hash() -> None:
    assert link(link(GENESIS, ROW), ROW) != link(GENESIS, ROW)


def stored(path: Path) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    found = connection.execute(f"SELECT {', '.join(COLUMNS)}, hash FROM facts ORDER BY seq").fetchall()  # noqa: S608
    connection.close()
    return found


def write(path: Path, groups: Sequence[Sequence[Record]]) -> None:
    store = Store(path)
    store.prepare()
    store.connect()
    for group in groups:
        store.write(group)
    store.close()


@settings(deadline=None, max_examples=25)
@given(strategies.sequences, st.integers(1, 5))
def test_whatever_is_written_is_chained_the_same_however_it_is_grouped(sequence: list[Record], size: int) -> None:
    with TemporaryDirectory() as directory:
        one, other = Path(directory) / "one.sqlite", Path(directory) / "other.sqlite"
        write(one, [sequence])
        write(other, [sequence[start : start + size] for start in range(0, len(sequence), size)])

        assert stored(one) == stored(other)
        found = [verify(path) for path in (one, other)]
        assert [each.damages for each in found] == [(), ()]
        assert found[0].digest == found[1].digest
        assert found[0].checked == len(sequence)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_row_that_is_changed_left_out_doubled_or_moved_is_found_and_no_other(data: st.DataObject) -> None:
    honest, digest = list[tuple[Any, ...]](), GENESIS
    for seq in range(1, 9):
        row: tuple[Any, ...] = (seq, *ROW[1:])
        digest = link(digest, row)
        honest.append((*row, digest))
    at = data.draw(st.integers(0, len(honest) - 1))
    spoiled = list(honest)
    match data.draw(st.sampled_from(("changed", "left out", "moved"))):
        case "changed":
            column = data.draw(st.integers(1, len(COLUMNS) - 1))
            spoiled[at] = (*honest[at][:column], "changed", *honest[at][column + 1 :])
            expected = {at + 1}
        case "left out":
            del spoiled[at]
            # The one after it can't be judged without it; at the end only the mark knows of it.
            expected = {at + 1, at + 2} if at + 1 < len(honest) else set()
        case _:
            other = (at + 1) % len(honest)
            first, second = (*honest[at][:1], *honest[other][1:]), (*honest[other][:1], *honest[at][1:])
            spoiled[at], spoiled[other] = first, second
            expected = {at + 1, other + 1, at + 2, other + 2} - {len(honest) + 1}

    scan = Scan()
    for row in spoiled:
        scan.take(row)

    assert set(scan.first_broken) == expected
    assert scan.broken == len(expected)
    assert scan.intact == len(honest) - len(expected) - (len(spoiled) < len(honest) and not expected)


def test_the_chain_of_the_history_holds(path: Path) -> None:
    h.write(path, *h.HISTORY)

    digest = GENESIS
    for row in stored(path):
        digest = link(digest, row[:-1])
        assert row[-1] == digest
