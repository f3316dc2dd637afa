"""A simulated venue: one matching engine with one ledger, behind two faces.

In process it is the exchange `paper`; over the loopback (``framework emulate``) it speaks Binance and Bybit.
"""

from __future__ import annotations

import click

from framework import Exchange, hookimpl


@hookimpl
def exchanges() -> list[type[Exchange]]:
    """The components for ``[exchanges.NAME]``."""
    # Imported here: listing what is installed must not load the engine.
    from .paper import Paper

    return [Paper]


@hookimpl
def commands() -> list[click.Command]:
    """``framework emulate``."""
    # Imported here for the same reason; the server behind it is imported when the command runs.
    from .emulator.command import emulate

    return [emulate]
