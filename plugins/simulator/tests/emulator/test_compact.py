"""The emulator's own JSON is the same text whichever encoder wrote it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework_simulator.emulator.compact import dump_own

OURS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(value=OURS)
@settings(deadline=None, max_examples=200)
def test_it_is_what_the_standard_library_writes(value: object) -> None:
    assert dump_own(value) == json.dumps(value, separators=(",", ":"))


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        dump_own({"a": object()})
