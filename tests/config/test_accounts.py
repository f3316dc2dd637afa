"""The accounts of a configuration alone: what an emergency needs, whatever is wrong with the rest of the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from framework import ConfigError
from framework.config import load_accounts
from framework.config.accounts import Nothing
from framework.registry import Registry
from tests.hooks.stage import Stage, stage

__all__ = ["stage"]

BROKEN = "raise RuntimeError('broken')"
ONE = '[exchanges.main]\nuse = "venue"\nmax_positions_per_wave = 1'
OFF = '[exchanges.spare]\nuse = "gone"\nenabled = false\nmax_positions_per_wave = 1'


def written(directory: Path, *tables: str) -> Path:
    path = directory / "config.toml"
    path.write_text("\n\n".join(tables), encoding="utf-8")
    return path


def test_the_enabled_accounts_are_there_and_nothing_else(stage: Stage) -> None:
    path = written(stage.directory, '[plugins]\nload = ["base"]', ONE, OFF, "[sizing]\nuse = 7", "[nonsense]")
    found = load_accounts(path, environ={})
    assert [(each.name, each.use, each.enabled) for each in found.exchanges] == [("main", "venue", True)]
    assert (found.sources, found.filters, found.risk, found.protections, found.observers) == ((), (), (), (), ())
    assert found.state == stage.directory / "var"


def test_a_plugin_that_no_exchange_needs_is_not_even_imported(stage: Stage) -> None:
    stage.site.add("venue", "", entry_point="tests.hooks.base")
    stage.install_source(BROKEN)
    tried: list[Sequence[str]] = []

    def load(names: Sequence[str]) -> Registry:
        tried.append(tuple(names))
        return Registry.attempt(names)

    path = written(stage.directory, '[plugins]\nload = ["acme", "venue"]', ONE)
    assert load_accounts(path, environ={}, load_plugins=load).exchanges
    assert tried == [("venue",)], "the plugin of the exchange's own name comes first"


def test_others_are_tried_in_their_order_until_the_exchange_is_found(stage: Stage) -> None:
    stage.install_source(BROKEN)
    path = written(stage.directory, '[plugins]\nload = ["acme", "base"]', ONE)
    assert load_accounts(path, environ={}).exchanges


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ((ONE,), "[plugins]"),
        (('[plugins]\nload = ["base"]',), "no account to trade on"),
        (('[plugins]\nload = ["base"]', ONE.replace("venue", "venu")), '"venu" is an unknown exchange'),
        (('[plugins]\nload = ["base"]', ONE + "\nfee = 1"), "fee"),
        (('[plugins]\nload = ["acme"]', ONE), "broken"),
        (('[framework]\ndata_timeout_s = 0\n[plugins]\nload = ["base"]', ONE), "data_timeout_s"),
    ],
)
def test_what_is_wrong_with_the_accounts_is_told(stage: Stage, tables: tuple[str, ...], said: str) -> None:
    stage.install_source(BROKEN)
    with pytest.raises(ConfigError) as error:
        load_accounts(written(stage.directory, *tables), environ={})
    assert said in str(error.value)


def test_nothing_is_ever_opened_with_it() -> None:
    nothing = Nothing()
    assert nothing.size(None).code == "entries_stopped"  # type: ignore[arg-type]
    assert nothing.after(None, ()) is None  # type: ignore[arg-type]
    with pytest.raises(AssertionError):
        nothing.first(None)  # type: ignore[arg-type]
