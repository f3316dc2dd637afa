"""The command `framework` itself: its subcommands are imported when they are used, plugins only for their own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from .. import __version__

BUILT_IN: Mapping[str, str] = {
    "run": "Trade the deployment until its recording ends or Ctrl-C.",
    "rehearse": "Run the deployment's real exchange plugins on emulated venues.",
    "check": "Validate everything without trading.",
    "plugins": "What is installed, listed, loaded and enabled, and why not.",
    "positions": "The positions that the journal knows.",
    "signals": "The signals that arrived, and what became of them.",
    "events": "What a person should be able to find again.",
    "health": "How the session and its parts are, and since when.",
    "explain": "Why a signal ended the way it did.",
    "report": "What became of waves: counts, protection, latencies, errors.",
    "journal": "Whether the journal can be trusted.",
    "reconcile": "What is different at the venues, and what would be done about it.",
    "halt": "Open no more positions; what is open stays protected.",
    "resume": "Take a halt back.",
    "flatten": "Close everything.",
}
"""The kernel's commands and their short help. Each is the object `command` of the module of its name."""


class LazyCommand(click.Command):
    """A command whose module is imported when it is invoked, not when it is listed."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the real command."""
        return self.load().make_context(info_name, args, parent, **extra)

    def load(self) -> click.Command:
        """The real command."""
        command: click.Command = import_module(f"{__package__}.commands.{self.name}").command
        return command


class FrameworkGroup(click.Group):
    """Looks up plugins' commands, and turns every error into lines on stderr and an exit status."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command of the kernel; else one of the plugins that the configuration lists."""
        built_in = super().get_command(ctx, cmd_name)
        if built_in is not None:
            return built_in
        from .plugin_commands import find_command

        return find_command(cmd_name, ctx.meta.get(ARGUMENTS, []))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keeps the arguments, because a plugin's command is looked up in the configuration they name."""
        ctx.meta[ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click knows what to do with these
        except Exception as error:
            from .failures import tell

            return ctx.exit(tell(error))


ARGUMENTS = f"{__name__}.arguments"

cli = FrameworkGroup(
    name="framework",
    help="Trade perpetual futures on waves of signals, every position protected on the venue.",
    commands={name: LazyCommand(name, short_help=text) for name, text in BUILT_IN.items()},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
click.version_option(__version__, prog_name="framework", message="%(prog)s %(version)s")(cli)
