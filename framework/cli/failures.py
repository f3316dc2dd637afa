"""Errors as a user meets them: one line each on stderr, a status, and a traceback only where it is asked for."""

from __future__ import annotations

import os
import traceback

import click

from ..errors import ConfigError, FrameworkError
from .words import safe

DEBUG = "FRAMEWORK_DEBUG"
"""The environment variable that turns on tracebacks of internal errors."""


class NotFoundError(FrameworkError):
    """What was asked for is not in the journal."""


def tell(error: Exception) -> int:
    """Print `error` to stderr, one line for each problem. Returns the exit status."""
    if isinstance(error, FrameworkError):
        for line in _lines(error):
            click.echo(f"error: {safe(line)}", err=True)
        return error.exit_status
    if os.environ.get(DEBUG):
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    text = safe(" ".join(f"{type(error).__name__}: {error}".split()))
    click.echo(f"internal error: {text} (this is a bug; run with {DEBUG}=1 for the traceback)", err=True)
    return 1


def _lines(error: FrameworkError) -> list[str]:
    if isinstance(error, ConfigError):
        return [str(problem) for problem in error.problems]
    return str(error).split("\n")
