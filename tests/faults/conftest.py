"""Both venues, and the place where scenes are played."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.scene import VENUES, Theatre, theatre


@pytest.fixture(params=VENUES)
def venue(request: pytest.FixtureRequest) -> str:
    """The venue that a test is about."""
    return str(request.param)


@pytest.fixture(scope="session")
def stage() -> Iterator[Theatre]:
    """Where scenes are played and judged."""
    with theatre() as made:
        yield made
