"""The hook `commands`: a listed plugin's command is one of ``framework``'s; an unlisted one's is not."""

from __future__ import annotations

import click
from click.testing import CliRunner

from framework import hookimpl
from framework.cli.group import cli
from tests.hooks.stage import TABLES, Stage


@click.command("greet")
@click.option("--config", required=True)
@click.argument("whom")
def greet(config: str, whom: str) -> None:
    """Greet somebody."""
    click.echo(f"good day, {whom}")


@hookimpl
def commands() -> list[click.Command]:
    return [greet]


def test_a_listed_plugins_command_can_be_called(stage: Stage) -> None:
    stage.install(__name__)
    config = stage.write()

    result = CliRunner().invoke(cli, ["greet", "--config", str(config), "world"])

    assert (result.exit_code, result.output) == (0, "good day, world\n")


def test_the_command_of_a_plugin_that_is_not_listed_does_not_exist(stage: Stage) -> None:
    stage.install(__name__)
    config = stage.write(plugins=TABLES["plugins"].replace(', "acme"', ""))

    result = CliRunner().invoke(cli, ["greet", "--config", str(config), "world"])

    assert result.exit_code == 2
