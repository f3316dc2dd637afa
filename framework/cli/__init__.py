"""The command line. Importing this imports click and nothing of the kernel: a command brings its own needs."""

from __future__ import annotations

import contextlib
import io
import sys

from .group import cli


def main() -> None:
    """The console script ``framework``."""
    for stream in (sys.stdout, sys.stderr):
        # What a terminal can't show must never end a command half-way.
        with contextlib.suppress(OSError, ValueError):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
    cli(prog_name="framework")
