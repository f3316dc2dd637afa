"""A simulated venue: one matching engine with one ledger, behind two faces.

In process it is the exchange `paper`; over the loopback (``framework emulate``, ``framework rehearse``) it speaks
Binance and Bybit.
"""

from __future__ import annotations

import click

from framework import Exchange, Stage, hookimpl


@hookimpl
def exchanges() -> list[type[Exchange]]:
    """The components for ``[exchanges.NAME]``."""
    # Imported here: listing what is installed must not load the engine.
    from .paper import Paper

    return [Paper]


@hookimpl
def stages() -> list[type[Stage]]:
    """The components for ``[rehearsal]``."""
    from .rehearsal import EmulatorStage

    return [EmulatorStage]


@hookimpl
def commands() -> list[click.Command]:
    """``framework emulate`` and ``framework simulate``."""
    # Imported here for the same reason; what is behind them is imported when they run.
    from .emulator.command import emulate
    from .simulation.command import simulate

    return [emulate, simulate]
