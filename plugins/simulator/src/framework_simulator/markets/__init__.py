"""Reads the venues' own market files. Rules change, so they are read from the venue's answer and never built in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import InvalidOperation
from pathlib import Path
from typing import Any

from framework import ConfigError, Problem

from ..engine.rules import Market
from . import binance, bybit


class MarketsFileError(ConfigError, ValueError):
    """A market file can't be used. Also a ValueError, so that it is reported like any other wrong setting."""


_PARSERS: Mapping[str, tuple[str, Callable[[Any], dict[str, Market]]]] = {
    "binance": ("GET /fapi/v1/exchangeInfo", binance.parse),
    "bybit": ("GET /v5/market/instruments-info", bybit.parse),
}


def read_markets(path: Path, venue: str) -> dict[str, Market]:
    """The linear USDT perpetuals of a market file that are being traded, by symbol.

    Raises `MarketsFileError` when the file can't be read, or is not what `venue` answers.
    """
    request, parse = _PARSERS[venue]
    try:
        markets = parse(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise _failure(path, f"can't be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise _failure(path, f"is no JSON: {error}; save the answer of {request} there") from None
    except KeyError as error:
        raise _failure(path, f"lacks {error}; is it the answer of {request}?") from None
    except (TypeError, AttributeError, InvalidOperation):
        raise _failure(path, f"has another shape than the answer of {request}") from None
    if not markets:
        raise _failure(path, "lists no linear USDT perpetual that is being traded")
    return markets


def _failure(path: Path, message: str) -> MarketsFileError:
    return MarketsFileError([Problem(where=str(path), message=f"the market file {message}")])


__all__ = ["Market", "MarketsFileError", "read_markets"]
