"""``framework plugins``: what is installed, listed, loaded and enabled, and why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import call
from tests.hooks.stage import Stage
from tests.registry.packages import sound_filter

FILTERS = '[[filters]]\nuse = "quiet"\nenabled = false\n\n[[filters]]\nuse = "quiet"'
KEYS = {"name", "distribution", "version", "requires", "listed", "loaded", "problem", "components"}

COMMANDS = """
import click
from framework import hookimpl

@hookimpl
def commands():
    return [click.Command(name, help="Greet the world.") for name in ("greet", "report")]
"""


def listed(config: Path, status: int = 0) -> dict[str, Any]:
    result = call("plugins", "--json", "--config", config)
    assert (result.exit_code, result.stderr) == (status, "")
    return {row["name"]: row for row in json.loads(result.stdout)}


def test_a_loaded_plugin_shows_its_components_and_what_the_configuration_makes_of_them(stage: Stage) -> None:
    stage.install_source(sound_filter("quiet"))
    acme = listed(stage.write(filters=FILTERS))["acme"]

    assert set(acme) == KEYS
    assert {key: acme[key] for key in KEYS - {"components"}} == {
        "name": "acme", "distribution": "acme-acme", "version": "1.0", "requires": ">=0.1", "listed": True,
        "loaded": True, "problem": None,
    }  # fmt: skip
    assert acme["components"] == [
        {
            "kind": "filter",
            "name": "quiet",
            "state": "enabled",
            "used_by": ["[[filters]] 1", "[[filters]] 2"],
            "help": "Lets everything through.",
            "settings": [],
        }
    ]


@pytest.mark.parametrize(
    ("tables", "state"),
    [
        ({"filters": '[[filters]]\nuse = "quiet"\nenabled = false'}, "disabled"),
        ({}, "not used"),
    ],
)
def test_a_component_may_be_disabled_or_not_used(stage: Stage, tables: dict[str, str], state: str) -> None:
    stage.install_source(sound_filter("quiet"))

    (component,) = listed(stage.write(**tables))["acme"]["components"]

    assert component["state"] == state


def test_an_override_counts(stage: Stage) -> None:
    stage.install_source(sound_filter("quiet"))
    config = stage.write(filters='[[filters]]\nuse = "quiet"')

    result = call("plugins", "--json", "--config", config, "--set", "filters.quiet.enabled=false")

    (acme,) = (row for row in json.loads(result.stdout) if row["name"] == "acme")
    assert acme["components"][0]["state"] == "disabled"


def test_an_override_of_the_list_of_plugins_counts(stage: Stage) -> None:
    stage.install_source(sound_filter("quiet"))

    result = call("plugins", "--json", "--config", stage.write(), "--set", 'plugins.load=["base"]')

    assert {row["name"]: row["listed"] for row in json.loads(result.stdout)}["acme"] is False


def test_a_wrong_override_is_one_line(stage: Stage) -> None:
    result = call("plugins", "--config", stage.write(), "--set", "sizing")

    assert result.exit_code == 2
    assert result.stderr.startswith("error: --set sizing: is no PATH=VALUE")


def test_a_command_says_whether_its_name_was_free(stage: Stage) -> None:
    stage.install_source(COMMANDS)

    components = listed(stage.write())["acme"]["components"]

    assert [(each["kind"], each["name"], each["state"], each["help"]) for each in components] == [
        ("command", "greet", "enabled", "Greet the world."),
        ("command", "report", "name taken", "Greet the world."),
    ]


def test_a_plugin_that_is_installed_and_not_listed_is_shown_and_not_imported(stage: Stage) -> None:
    stage.install_source("raise SystemExit('it was imported')")

    acme = listed(stage.write(plugins='[plugins]\nload = ["base"]'))["acme"]

    assert (acme["listed"], acme["loaded"], acme["problem"], acme["components"]) == (False, False, None, [])


def test_a_broken_plugin_is_shown_with_the_reason_beside_the_sound_ones(stage: Stage) -> None:
    stage.install_source("import nothing_of_this_name")

    everything = listed(stage.write(), status=1)

    assert everything["base"]["loaded"]
    assert not everything["acme"]["loaded"]
    assert "No module named 'nothing_of_this_name'" in everything["acme"]["problem"]


def test_a_listed_plugin_that_is_not_installed_is_shown_with_the_mend(stage: Stage) -> None:
    acme = listed(stage.write(), status=1)["acme"]

    assert (acme["listed"], acme["loaded"], acme["version"]) == (True, False, "")
    assert "is listed in [plugins] load, but not installed" in acme["problem"]


def test_the_text_has_tables_and_a_line_for_each_problem(stage: Stage) -> None:
    stage.install_source("import nothing_of_this_name")

    result = call("plugins", "--config", stage.write())

    rows = [line.split() for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert ["acme", "acme-acme", "1.0", ">=0.1", "yes", "no"] in rows
    assert ["exchange", "venue", "base", "enabled", "[exchanges.main]"] in rows
    assert result.stdout.splitlines()[-1].startswith("error: plugin 'acme' (acme-acme 1.0) can't be imported")


def test_help_and_settings_are_shown_on_demand(stage: Stage) -> None:
    settings = (
        "    least: Decimal\n    max_percent: int | None = None\n    names: dict[str, str] = field(factory=dict)\n\n"
    )
    source = (
        sound_filter("quiet").replace("import frozen", "import field, frozen").replace("    def", settings + "    def")
    )
    stage.install_source(f"from decimal import Decimal\n{source}")
    config = stage.write(filters=FILTERS)

    lines = call("plugins", "--settings", "--config", config).stdout.splitlines()

    start = lines.index("filter quiet (enabled, [[filters]] 1, [[filters]] 2)")
    assert lines[start + 1 : start + 5] == [
        "  Lets everything through.",
        "  least: Decimal, required",
        "  max_percent: int | None, default None",
        "  names: dict[str, str], default empty",
    ]
    assert "  Lets everything through." not in call("plugins", "--config", config).stdout.splitlines()


def test_without_any_configuration_everything_installed_is_shown(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    result = call("plugins", "--json")

    assert result.exit_code == 0
    assert {row["name"]: row["listed"] for row in json.loads(result.stdout)}["base"] is False


def test_a_configuration_that_was_named_must_be_there(tmp_path: Path) -> None:
    assert call("plugins", "--config", tmp_path / "none.toml").exit_code == 2
