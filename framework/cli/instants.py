"""Instants on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

import click

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_ns(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """An option's ISO 8601 instant as nanoseconds UTC; one without an offset is in UTC. Bad usage for anything else."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC)
        length = moment - _EPOCH
    except (ValueError, OverflowError) as error:
        text = f"{value!r} is no ISO 8601 instant like 2025-10-31 or 2025-10-31T22:30Z"
        raise click.BadParameter(text, context, parameter) from error
    return (length.days * 86_400 + length.seconds) * 1_000_000_000 + length.microseconds * 1000
