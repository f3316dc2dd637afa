"""The options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_CONFIG = "config.toml"


def config_option(function: F) -> F:
    """``--config FILE``."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        default=DEFAULT_CONFIG,
        show_default=True,
        metavar="FILE",
        help="The deployment's configuration.",
    )(function)


def state_option(function: F) -> F:
    """``--state DIR``."""
    return click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Where the journal lives, in place of [framework] state.",
    )(function)


def set_option(function: F) -> F:
    """``--set PATH=VALUE``, as often as wanted."""
    return click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="PATH=VALUE",
        help="Override a setting, like sizing.position_usd=20; may be repeated.",
    )(function)


def live_option(function: F) -> F:
    """``--live ACCOUNT``, as often as wanted."""
    return click.option(
        "--live",
        multiple=True,
        metavar="ACCOUNT",
        help="Trade on this account's real venue, which needs live = true in its table as well; may be repeated.",
    )(function)


def account_option(function: F) -> F:
    """``--account ACCOUNT``, as often as wanted."""
    return click.option("--account", multiple=True, metavar="ACCOUNT", help="Only this account; may be repeated.")(
        function
    )


def json_option(function: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json_", is_flag=True, help="Print JSON.")(function)
