"""Every contract suite begins with the class itself: each rule catches a class that breaks it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

import pytest
from attrs import define, field, frozen

from framework import MarketSnapshot, Need, Passed, Percent, Secret, Signal, Verdict
from framework.testing import ContractBrokenError, check_filter


class Passing:
    """The behaviour of a filter, without the class around it."""

    needs: ClassVar[frozenset[Need]] = frozenset()

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        return Passed()


@frozen
class Good(Passing):
    """Let everything through.

    A second paragraph is free.
    """

    name: ClassVar[str] = "good-2"

    decimal: Decimal = Decimal(1)
    percent: Percent | None = None
    whole: int = 1
    text: str = ""
    truth: bool = False
    choice: Literal["one", "other"] = "one"
    several: tuple[str, ...] = ()
    by_name: Mapping[str, Decimal] = field(factory=dict)
    secret: Secret | None = None
    inside: object = field(init=False, default=None)


@frozen
class UpperCase(Passing):
    """Let everything through."""

    name: ClassVar[str] = "Upper_Case"


@frozen
class Nameless(Passing):
    """Let everything through."""


class Plain(Passing):
    """Let everything through."""

    name: ClassVar[str] = "plain"


@define
class Mutable(Passing):
    """Let everything through."""

    name: ClassVar[str] = "mutable"

    setting: int = 1


@define(slots=False)
class MutableWithoutSettings(Passing):
    """Let everything through."""

    name: ClassVar[str] = "mutable"


@frozen
class Undocumented(Passing):
    name: ClassVar[str] = "undocumented"


@frozen
class HalfASentence(Passing):
    """Lets everything through, and then
    goes on."""

    name: ClassVar[str] = "half-a-sentence"


@frozen
class FloatSetting(Passing):
    """Let everything through."""

    name: ClassVar[str] = "float-setting"

    setting: float = 1.0


@frozen
class DeepSetting(Passing):
    """Let everything through."""

    name: ClassVar[str] = "deep-setting"

    setting: Mapping[str, tuple[object, ...]] = field(factory=dict)


def test_a_good_class_is_accepted() -> None:
    check_filter(Good())


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (UpperCase(), "UpperCase: `name` must be lower-case words"),
        (Nameless(), "Nameless: `name` must be lower-case words"),
        (Plain(), "Plain: must be an attrs class"),
        (Mutable(), "Mutable: must be frozen"),
        (MutableWithoutSettings(), "MutableWithoutSettings: must be frozen"),
        (Undocumented(), "Undocumented: the docstring is the help"),
        (HalfASentence(), "HalfASentence: the docstring is the help"),
        (FloatSetting(), "FloatSetting: the setting `setting` can't be structured"),
        (DeepSetting(), "DeepSetting: the setting `setting` can't be structured"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_bad_class_is_caught(component: Any, message: str) -> None:
    with pytest.raises(ContractBrokenError, match=message):
        check_filter(component)
