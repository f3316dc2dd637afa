"""The venues' own market rows, with other rules written into them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from framework import MarketRules, plain


def row_with(venue: str, row: Mapping[str, Any], rules: MarketRules) -> dict[str, Any]:
    """A market's row as the venue would tell it with these rules: tick, step and least notional."""
    changed = copy.deepcopy(dict(row))
    if venue == "binance":
        for one in changed["filters"]:
            if one["filterType"] == "PRICE_FILTER":
                one["tickSize"] = plain(rules.tick_size)
            elif one["filterType"] in ("LOT_SIZE", "MARKET_LOT_SIZE"):
                one["stepSize"] = plain(rules.step_size)
            elif one["filterType"] == "MIN_NOTIONAL":
                one["notional"] = plain(rules.min_notional)
        return changed
    changed["priceFilter"]["tickSize"] = plain(rules.tick_size)
    changed["lotSizeFilter"]["qtyStep"] = plain(rules.step_size)
    changed["lotSizeFilter"]["minNotionalValue"] = plain(rules.min_notional)
    if rules.max_leverage is not None:
        changed["leverageFilter"]["maxLeverage"] = plain(rules.max_leverage)
    return changed
