"""Commands that plugins offer: only those of the plugins that the configuration lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ..config import read_plugins_list
from ..errors import ConfigError, PluginError
from ..registry import Kind, Registry
from .group import BUILT_IN
from .options import DEFAULT_CONFIG


def find_command(name: str, arguments: Sequence[str]) -> click.Command | None:
    """The command `name` of a listed plugin; None if there is none, or no configuration that lists plugins.

    A plugin that can't be loaded does not keep the others' commands away; a name that is not found because of it
    gets a hint on stderr.
    """
    config = config_of(arguments)
    if not config.is_file():
        click.echo(f"note: {config} is not there, so no plugin's commands are known; name it with --config", err=True)
        return None
    try:
        listed = read_plugins_list(config)
    except ConfigError:
        return None  # the name is wrong in any case; what is wrong in the file is told by `framework check`
    registry = Registry.attempt(listed)
    found = commands_of(registry).get(name)
    if found is None:
        for plugin in dict.fromkeys(problem.plugin for problem in registry.problems):
            click.echo(f"note: plugin {plugin!r} could not be loaded; `framework plugins` says why", err=True)
    return found


def commands_of(registry: Registry) -> dict[str, click.Command]:
    """The plugins' commands by name. Raises `PluginError` if one claims the name of a command of the kernel."""
    commands = {str(command.name): command for command in registry.commands()}
    for name in commands:
        if name in BUILT_IN:
            owner = registry.provider(Kind.COMMANDS, name)
            raise PluginError(
                owner.distribution,
                f"plugin {owner.plugin!r} ({owner}) offers the command {name!r}, which is the kernel's own; "
                f"update {owner.distribution}, or take it off [plugins] load",
            )
    return commands


def config_of(arguments: Sequence[str]) -> Path:
    """The file that ``--config`` names on a command line that nobody has parsed yet."""
    for index, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--config" and index + 1 < len(arguments):
            return Path(arguments[index + 1])
        if argument.startswith("--config="):
            return Path(argument.partition("=")[2])
    return Path(DEFAULT_CONFIG)
