"""Both venues, and a place for the state of the product."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["binance", "bybit"])
def venue(request: pytest.FixtureRequest) -> str:
    """The venue that a test is about."""
    return str(request.param)
