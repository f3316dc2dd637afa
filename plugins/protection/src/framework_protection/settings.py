"""Validators that the protections share."""

from __future__ import annotations

from typing import Any

from attrs import Attribute

from framework import Percent


def below_hundred(instance: object, attribute: Attribute[Any], value: Percent | None) -> None:
    """Validator: a percentage below 100, so that a price lowered by it stays above zero; None passes."""
    if value is not None and value.value >= 100:
        raise ValueError(f"must be below 100, got {value.value}")


def require_distance(name: str, percent: Percent) -> Percent:
    """`percent` if it is above 0 and below 100; else `ValueError`. For settings that a signal brought along."""
    if not 0 < percent.value < 100:
        raise ValueError(f"the signal's {name} must be above 0 % and below 100 %, got {percent}")
    return percent


def require_activation(percent: Percent) -> Percent:
    """`percent` if it is 0 or more and below 100; else `ValueError`. For a signal's trailing activation."""
    if not 0 <= percent.value < 100:
        raise ValueError(f"the signal's trailing activation must be 0 % or more and below 100 %, got {percent}")
    return percent
