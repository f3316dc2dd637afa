"""The parameters of a request, read as what they should be; both venues alike, each with words of its own."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from attrs import frozen


@frozen
class Values(ABC):
    """What a client sent, by name. A venue says how a value is written, and which error a wrong one is."""

    values: Mapping[str, Any]

    NUMBER: ClassVar[re.Pattern[str]]
    WHOLE: ClassVar[re.Pattern[str]]
    TRUTH: ClassVar[Mapping[str, bool]]

    @abstractmethod
    def text(self, name: str) -> str | None:
        """A value; None if it is absent or empty."""

    @abstractmethod
    def missing(self, name: str) -> Exception:
        """A mandatory value is not there."""

    @abstractmethod
    def unreadable(self, name: str) -> Exception:
        """A value is not written as it should be."""

    @abstractmethod
    def unknown(self, name: str) -> Exception:
        """A value is none of the venue's words."""

    def need(self, name: str) -> str:
        """A mandatory value."""
        value = self.text(name)
        if value is None:
            raise self.missing(name)
        return value

    def decimal(self, name: str) -> Decimal | None:
        """A decimal without an exponent, or none."""
        value = self.text(name)
        if value is None:
            return None
        if not self.NUMBER.fullmatch(value):
            raise self.unreadable(name)
        return Decimal(value)

    def need_decimal(self, name: str) -> Decimal:
        """A mandatory decimal."""
        value = self.decimal(name)
        if value is None:
            raise self.missing(name)
        return value

    def whole(self, name: str) -> int | None:
        """A whole number, or none."""
        value = self.text(name)
        if value is None:
            return None
        if not self.WHOLE.fullmatch(value):
            raise self.unreadable(name)
        return int(value)

    def truth(self, name: str) -> bool:
        """A boolean in any letter case; absent is false."""
        value = self.text(name)
        if value is None:
            return False
        known = self.TRUTH.get(value.lower())
        if known is None:
            raise self.unknown(name)
        return known

    def one_of(self, name: str, allowed: Mapping[str, Any] | frozenset[str], default: str) -> str:
        """One of the venue's words."""
        value = self.text(name) or default
        if value not in allowed:
            raise self.unknown(name)
        return value
