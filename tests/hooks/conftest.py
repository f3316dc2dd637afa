from __future__ import annotations

from tests.hooks.stage import stage

__all__ = ["stage"]
