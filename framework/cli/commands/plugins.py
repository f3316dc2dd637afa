"""``framework plugins``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ..inventory import ComponentLine, PluginLine, inventory
from ..options import config_option, json_option, set_option
from ..output import print_rows_as_json, print_table
from ..words import safe

HEADINGS = ("plugin", "distribution", "version", "made for", "listed", "loaded")
COMPONENT_HEADINGS = ("kind", "component", "plugin", "state", "used by")


@click.command("plugins")
@config_option
@set_option
@click.option("--settings", is_flag=True, help="Show what each component does, and its settings.")
@json_option
@click.pass_context
def command(context: click.Context, config: Path, sets: Sequence[str], settings: bool, as_json_: bool) -> None:
    """Show the plugins that are installed, and those that the configuration lists: what they offer, what of it is
    enabled, and why one could not be loaded. Only listed plugins are imported.

    The exit status is 1 when a listed plugin could not be loaded.
    """
    named = context.get_parameter_source("config") is not click.core.ParameterSource.DEFAULT
    lines = inventory(config if named or config.is_file() else None, sets)
    if as_json_:
        print_rows_as_json(lines)
    else:
        _print(lines)
        if settings:
            _print_settings(lines)
    context.exit(1 if any(line.listed and not line.loaded for line in lines) else 0)


def _print(lines: Sequence[PluginLine]) -> None:
    print_table(HEADINGS, [_cells(line) for line in lines])
    components = [
        (each.kind, each.name, line.name, each.state, ", ".join(each.used_by) or "-")
        for line in lines
        for each in line.components
    ]
    if components:
        click.echo()
        print_table(COMPONENT_HEADINGS, components)
    for line in lines:
        if line.problem is not None:
            click.echo(f"{'error' if line.listed else 'note'}: {safe(line.problem)}")


def _cells(line: PluginLine) -> tuple[str, ...]:
    yes = {True: "yes", False: "no"}
    return (
        line.name, line.distribution, line.version or "-", line.requires or "-", yes[line.listed], yes[line.loaded],
    )  # fmt: skip


def _print_settings(lines: Sequence[PluginLine]) -> None:
    for component in (component for line in lines for component in line.components):
        click.echo(f"\n{_heading(component)}")
        click.echo(f"  {safe(component.help)}")
        for setting in component.settings:
            default = "required" if setting.default is None else f"default {setting.default}"
            click.echo(f"  {setting.name}: {setting.type}, {default}")


def _heading(component: ComponentLine) -> str:
    where = f", {', '.join(component.used_by)}" if component.used_by else ""
    return f"{component.kind} {component.name} ({component.state}{where})"
