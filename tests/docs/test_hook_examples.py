"""docs/plugins.md shows one example of each hook. Each is a whole plugin that is installed, configured and used here.

Its section is headed with the hook's name and holds one Python block, the plugin's module, and one TOML block, the
component's table (none for commands).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from click.testing import CliRunner

from framework.config import Deployment, load_deployment
from framework.core.records import Decision, Event
from framework.registry import HOOKS, Kind, Registry
from framework.testing import check_execution, check_filter, check_protection, check_risk_rule, check_sizer
from tests.docs.blocks import Block, blocks_of
from tests.hooks.stage import Stage
from tests.house.tree import ROOT

CONTRACTS: Mapping[Kind, Callable[[Any], None]] = {
    Kind.FILTERS: check_filter,
    Kind.SIZING: check_sizer,
    Kind.RISK: check_risk_rule,
    Kind.EXECUTION: check_execution,
    Kind.PROTECTION: check_protection,
}
CONFIGURED = [kind for kind in Kind if kind is not Kind.COMMANDS]


class Answers(dict[str, str]):
    """An environment in which every variable is set."""

    def __missing__(self, name: str) -> str:
        return "a secret that is long enough"

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, key: str, default: Any = None) -> Any:
        return self[key]


def example(kind: Kind, language: str) -> str:
    """The one block of a hook's section in this language."""
    text = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    (block,) = [b for b in blocks_of(text, "plugins.md") if (b.section, b.language) == (HOOKS[kind], language)]
    return block.code


def configured(deployment: Deployment, kind: Kind) -> tuple[Any, ...]:
    """What is configured of one kind."""
    found = {
        Kind.EXCHANGES: deployment.exchanges,
        Kind.SIGNALS: deployment.sources,
        Kind.FILTERS: deployment.filters,
        Kind.SIZING: (deployment.sizer,),
        Kind.RISK: deployment.risk,
        Kind.EXECUTION: (deployment.execution,),
        Kind.PROTECTION: deployment.protections,
        Kind.OBSERVERS: deployment.observers,
        Kind.REHEARSAL: (deployment.rehearsal,),
    }
    each: tuple[Any, ...] = found[kind]
    return each


@pytest.mark.parametrize("kind", CONFIGURED, ids=lambda kind: HOOKS[kind])
def test_the_example_of_a_hook_is_a_plugin_that_can_be_configured(kind: Kind, stage: Stage) -> None:
    stage.install_source(example(kind, "python"))

    deployment = load_deployment(stage.write(**{kind.value: example(kind, "toml")}), environ=Answers())

    uses = [each.use for each in configured(deployment, kind)]
    assert uses
    assert {deployment.registry.provider(kind, use).plugin for use in uses} == {"acme"}


@pytest.mark.parametrize("kind", CONTRACTS, ids=lambda kind: HOOKS[kind])
def test_the_example_of_a_pure_component_keeps_its_contract(kind: Kind, stage: Stage) -> None:
    stage.install_source(example(kind, "python"))

    deployment = load_deployment(stage.write(**{kind.value: example(kind, "toml")}), environ=Answers())

    for each in configured(deployment, kind):
        CONTRACTS[kind](each.component)


@pytest.mark.parametrize("kind", CONTRACTS, ids=lambda kind: HOOKS[kind])
def test_the_example_of_a_pure_component_works_in_a_session(kind: Kind, stage: Stage) -> None:
    stage.install_source(example(kind, "python"))

    records = stage.play(**{kind.value: example(kind, "toml")})

    assert records.of(Decision)
    assert [each for each in records.of(Decision) if each.code in ("component_failed", "data_missing")] == []
    assert [each for each in records.of(Event) if each.level == "error"] == []


def test_the_example_of_a_command_can_be_called(stage: Stage) -> None:
    stage.install_source(example(Kind.COMMANDS, "python"))

    (command, *_) = Registry.load(["acme"]).commands()

    assert CliRunner().invoke(command, ["--help"]).exit_code == 0


def test_blocks_know_their_section_and_place() -> None:
    text = "# A\n\n## `filters`\n\n```python\nx = 1\n```\n\n```toml fragment\ny\n```\n"

    assert list(blocks_of(text, "a.md")) == [Block("a.md:5", "filters", "python", "x = 1\n")]
