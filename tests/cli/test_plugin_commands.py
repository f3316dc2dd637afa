"""Plugins' commands: only of listed plugins, only when they are called, and never in the place of the kernel's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from framework.cli.plugin_commands import config_of
from tests.cli.shell import call
from tests.hooks.stage import Stage

COMMAND = """
import click
from framework import hookimpl

@click.command("{name}")
@click.option("--config")
def command(config):
    click.echo("good day")

@hookimpl
def commands():
    return [command]
"""


def test_a_listed_plugins_command_is_found_in_the_configuration_that_is_named(stage: Stage) -> None:
    stage.install_source(COMMAND.format(name="greet"))

    for words in (["greet", "--config", stage.write()], ["greet", f"--config={stage.write()}"]):
        assert call(*words).output == "good day\n"


def test_without_an_option_the_configuration_of_the_working_directory_counts(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.install_source(COMMAND.format(name="greet"))
    stage.write()
    monkeypatch.chdir(stage.directory)

    assert call("greet").output == "good day\n"


def test_no_plugin_is_imported_for_the_kernels_own_commands(stage: Stage) -> None:
    module = stage.site.add("acme", COMMAND.format(name="greet"))
    config = stage.write()

    assert call("--help").exit_code == 0
    assert call("events", "--config", config).exit_code == 3
    assert module not in sys.modules

    assert call("greet", "--config", config).exit_code == 0
    assert module in sys.modules


@pytest.mark.parametrize("command", ["check", "run", "anything"])
def test_a_plugin_that_claims_a_command_of_the_kernel_stops_the_start(stage: Stage, command: str) -> None:
    stage.install_source(COMMAND.format(name="report"))

    result = call(command, "--config", stage.write())

    assert result.exit_code == 2
    assert result.stderr == (
        "error: plugin 'acme' (acme-acme 1.0) offers the command 'report', which is the kernel's own; "
        "update acme-acme, or take it off [plugins] load\n"
    )


def test_what_nobody_offers_is_no_such_command(stage: Stage) -> None:
    stage.install_source(COMMAND.format(name="greet"))

    result = call("frobnicate", "--config", stage.write())

    assert result.exit_code == 2
    assert "No such command 'frobnicate'" in result.stderr
    assert "note:" not in result.stderr


def test_without_a_configuration_a_note_says_why_no_plugins_command_is_known(tmp_path: Path) -> None:
    config = tmp_path / "missing.toml"

    result = call("greet", "--config", config)

    assert result.exit_code == 2
    assert result.stderr.startswith(f"note: {config} is not there, so no plugin's commands are known;")
    assert "No such command 'greet'" in result.stderr


def test_a_typo_of_a_command_gets_a_suggestion() -> None:
    assert "Did you mean 'positions'?" in call("postions").stderr


def test_a_plugin_that_could_not_be_loaded_is_named_when_a_command_is_not_found(stage: Stage) -> None:
    result = call("frobnicate", "--config", stage.write())

    assert result.exit_code == 2
    assert result.stderr.startswith("note: plugin 'acme' could not be loaded; `framework plugins` says why\n")


def test_a_broken_configuration_does_not_hide_that_there_is_no_such_command(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("this is no TOML")

    assert "No such command 'frobnicate'" in call("frobnicate", "--config", config).stderr


@pytest.mark.parametrize(
    ("words", "config"),
    [
        (["x", "--config", "a.toml"], "a.toml"),
        (["x", "--config=b.toml", "y"], "b.toml"),
        (["x", "--", "--config", "a.toml"], "config.toml"),
        (["x", "--config"], "config.toml"),
        ([], "config.toml"),
    ],
)
def test_the_configuration_is_read_off_the_command_line(words: list[str], config: str) -> None:
    assert config_of(words) == Path(config)
