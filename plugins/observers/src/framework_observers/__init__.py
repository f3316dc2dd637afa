"""Observers: a log of what a session records."""

from __future__ import annotations

from framework import Observer, hookimpl

from .log import Log

__all__ = ["Log", "observers"]


@hookimpl
def observers() -> list[type[Observer]]:
    """The observers of this plugin."""
    return [Log]
