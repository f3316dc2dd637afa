"""What a plugin author may import is there, and says what it is."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import framework
import framework.testing

PUBLIC = [(framework, name) for name in framework.__all__] + [
    (framework.testing, name) for name in framework.testing.__all__
]


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=lambda value: getattr(value, "__name__", value))
def test_every_public_name_is_there_and_documented(module: object, name: str) -> None:
    value = getattr(module, name)

    if inspect.isclass(value) or inspect.isroutine(value):
        assert (value.__doc__ or "").strip(), f"{name} has no docstring"


@pytest.mark.parametrize("module", [framework, framework.testing], ids=lambda module: module.__name__)
def test_no_public_name_is_listed_twice(module: ModuleType) -> None:
    assert len(set(module.__all__)) == len(module.__all__)


def test_every_public_method_of_a_component_protocol_is_documented() -> None:
    tree = ast.parse(Path(str(framework.__file__)).with_name("components.py").read_text(encoding="utf-8"))
    bare = [
        f"{node.name}.{method.name}"
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        for method in node.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
        and not method.name.startswith("_")
        and ast.get_docstring(method) is None
    ]

    assert bare == []
