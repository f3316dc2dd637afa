"""The plugin as a whole: what it offers, and that its README describes all of it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import framework_bybit
from framework import Checkable, Exchange, ExercisesStops, Rehearsable
from framework.testing import check_readme
from framework_bybit.exchange import Bybit

from .rig import make

SOURCES = sorted(Path(framework_bybit.__file__).parent.glob("*.py"))


def test_the_plugin_offers_the_exchange() -> None:
    assert framework_bybit.exchanges() == [Bybit]
    assert Bybit.name == "bybit"


def test_the_exchange_has_every_method_of_the_contract_with_its_parameters() -> None:
    for name, method in inspect.getmembers(Exchange, inspect.isfunction):
        if name.startswith("_"):
            continue
        wanted = list(inspect.signature(method).parameters)
        assert list(inspect.signature(getattr(Bybit, name)).parameters) == wanted, name


def test_the_exchange_can_be_checked_exercised_and_rehearsed() -> None:
    exchange = make("http://127.0.0.1:1")

    assert isinstance(exchange, Checkable)
    assert isinstance(exchange, ExercisesStops)
    assert isinstance(exchange, Rehearsable)


def test_the_readme_describes_every_setting() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")

    # The kernel's own key of an account is no setting of the component.
    check_readme(readme, [Bybit])


def test_the_plugin_imports_only_the_kernels_surface_and_the_base_package() -> None:
    allowed = {"framework", "framework_venue", "attrs", "framework_bybit"}
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in names:
                root = name.split(".")[0]
                assert root in allowed or root not in {"ccxt", "aiohttp", "framework_simulator"}, (source, name)
                assert not name.startswith("framework."), (source, name)
