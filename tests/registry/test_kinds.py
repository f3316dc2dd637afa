"""The table of kinds and the contract say the same."""

from __future__ import annotations

import inspect

from framework import hookspecs
from framework.registry import HOOKS, KINDS, Kind, heading


def test_each_hook_of_the_contract_has_exactly_one_kind() -> None:
    specified = [name for name, value in vars(hookspecs).items() if inspect.isfunction(value)]

    assert sorted(HOOKS.values()) == sorted(specified)
    assert set(HOOKS) == set(Kind)


def test_each_hook_returns_what_its_kind_is() -> None:
    for kind, spec in KINDS.items():
        annotation = str(inspect.signature(getattr(hookspecs, HOOKS[kind])).return_annotation)
        assert annotation == f"list[type[{spec.protocol.__name__}]]"


def test_the_documentation_of_each_hook_names_its_section() -> None:
    for kind in KINDS:
        assert f"``{heading(kind)}``" in str(getattr(hookspecs, HOOKS[kind]).__doc__)


def test_the_kernel_keeps_its_own_keys() -> None:
    assert KINDS[Kind.EXCHANGES].kernel_keys == ("use", "max_positions_per_wave", "enabled", "live")
    assert KINDS[Kind.FILTERS].kernel_keys == ("use", "enabled")
    assert KINDS[Kind.SIZING].kernel_keys == ("use",)
