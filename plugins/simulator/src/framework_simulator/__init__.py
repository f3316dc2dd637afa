"""A simulated venue: one matching engine with one ledger. Its first face is the in-process exchange `paper`."""

from __future__ import annotations

from framework import Exchange, hookimpl


@hookimpl
def exchanges() -> list[type[Exchange]]:
    """The components for ``[exchanges.NAME]``."""
    # Imported here: listing what is installed must not load the engine.
    from .paper import Paper

    return [Paper]
