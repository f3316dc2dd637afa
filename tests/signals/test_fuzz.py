"""Whatever arrives, no parser raises, and no signal comes out that was not sent. `make fuzz` goes on for longer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import Signal
from framework_signals.formats import Format
from tests.signals.fuzzing import CORPUS, Finding, campaign, look, readers

FORMS: tuple[Format, ...] = tuple(CORPUS)


def test_damaged_messages_of_every_kind_are_read_or_refused() -> None:
    told: list[str] = []

    assert campaign(4_000, 7, told.append) == []
    assert all(f"{form} signals" in told[0] and f"{form} refused" in told[0] for form in FORMS)


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, max_examples=100)
@given(text=st.text() | st.binary() | st.text(alphabet='{}[]":,;=\n0123456789.%-eUSDTBYENTRYstopl/ '))
def test_anything_at_all_is_read_or_refused(form: Format, text: str | bytes) -> None:
    assert [each for each in look(form, readers()[form], text) if isinstance(each, Finding)] == []


@pytest.mark.parametrize("form", FORMS)
def test_what_is_not_damaged_is_a_signal(form: Format) -> None:
    for text in CORPUS[form]:
        assert all(isinstance(each, Signal) for each in look(form, readers()[form], text)), text


def test_an_invented_signal_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework_signals.wishes.market_of", lambda text: (None, "DOGEUSDT"))

    (found,) = look("alert", readers()["alert"], "BUY BTCUSDT")

    assert isinstance(found, Finding)
    assert found.what == "a market was invented: DOGEUSDT"


def test_a_parser_that_raises_would_be_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("framework_signals.wishes.market_of", lambda text: 1 / 0)

    (found,) = look("alert", readers()["alert"], "BUY BTCUSDT")

    assert isinstance(found, Finding)
    assert found.what.startswith("raised ZeroDivisionError")
