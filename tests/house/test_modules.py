"""Every module can be imported: what nobody imports in a test can still be what stops trading in production."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from tests.house.tree import plugin_packages


def modules_of(package: str) -> list[str]:
    found = importlib.import_module(package)
    return [package, *(info.name for info in pkgutil.walk_packages(found.__path__, f"{package}."))]


def test_every_module_of_the_kernel_can_be_imported() -> None:
    names = modules_of("framework")

    imported = [importlib.import_module(name).__name__ for name in names]

    assert imported == names
    assert {"framework.app", "framework.core.lifecycle", "framework.engine.engine"} <= set(names)


@pytest.mark.parametrize("package", plugin_packages())
def test_every_module_of_a_plugin_can_be_imported(package: str) -> None:
    names = modules_of(package)

    imported = [importlib.import_module(name).__name__ for name in names]

    assert imported == names
