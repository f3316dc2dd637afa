"""The diagram of a position's life in the documents is the one that its table draws."""

from __future__ import annotations

import pytest

from framework.core.lifecycle import TABLE
from framework.core.position import State
from tools.draw_lifecycle import BEGIN, DOCUMENT, END, arrows, diagram, with_diagram


def test_the_document_shows_exactly_the_tables_diagram() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert text == with_diagram(text), "run: python tools/draw_lifecycle.py --write"


def test_every_way_in_the_table_is_an_arrow() -> None:
    drawn = {(state, target, happening) for (state, target), names in arrows().items() for happening in names}

    ways = {(s, to, happening.__name__) for (s, happening), row in TABLE.items() for to in row.to if to is not s}
    assert drawn == ways


def test_final_states_are_marked() -> None:
    ends = [line for line in diagram().splitlines() if line.endswith("--> [*]")]

    assert ends == [f"    {state.value} --> [*]" for state in State if state.is_final]


def test_a_new_diagram_replaces_the_old_one_and_nothing_else() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    assert with_diagram(text) == f"before\n{BEGIN}\n{diagram()}\n{END}\nafter\n"


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="lifecycle:begin"):
        with_diagram("no markers here")
