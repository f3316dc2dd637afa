"""Imports one exchange of ccxt, and not the other hundred.

``import ccxt.pro`` imports every exchange that there is: half a second and 100 MB. The modules of one exchange need
only their packages to exist, so these are stood in for during the import and put back as they were: whoever imports
ccxt later gets the whole of it, with the same modules. Should a version of ccxt need more, the plain import is used.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = ("ccxt", "ccxt.async_support", "ccxt.pro")


def load(name: str) -> Any:
    """The class of ccxt.pro for an exchange, like ``binanceusdm``. Raises ImportError if ccxt has none of the name."""
    if any(package in sys.modules for package in PACKAGES):
        return _plainly(name)
    try:
        return _alone(name)
    except (ImportError, AttributeError, TypeError):
        return _plainly(name)


def _plainly(name: str) -> Any:
    module = importlib.import_module(f"ccxt.pro.{name}")
    return getattr(module, name) if isinstance(module, ModuleType) else module


@cache
def _alone(name: str) -> Any:
    root = importlib.util.find_spec("ccxt")
    if root is None or root.origin is None:
        raise ImportError("ccxt is not installed; install framework-venue with its dependencies")
    try:
        stubs = [_stub(package, Path(root.origin).parent) for package in PACKAGES]
        ccxt, rest, pro = stubs
        ccxt.async_support, ccxt.pro, ccxt.__version__ = rest, pro, importlib.metadata.version("ccxt")  # type: ignore[attr-defined]
        errors = importlib.import_module("ccxt.base.errors")
        vars(ccxt).update({key: value for key, value in vars(errors).items() if isinstance(value, type)})
        ccxt.Exchange = importlib.import_module("ccxt.base.exchange").Exchange  # type: ignore[attr-defined]
        for base in _bases(name):
            setattr(rest, base, getattr(importlib.import_module(f"ccxt.async_support.{base}"), base))
        for base in _bases(name):
            setattr(pro, base, getattr(importlib.import_module(f"ccxt.pro.{base}"), base))
        return getattr(pro, name)
    finally:
        for package in PACKAGES:
            sys.modules.pop(package, None)


def _bases(name: str) -> tuple[str, ...]:
    """An exchange after the one that it is made from."""
    return ("binance", name) if name == "binanceusdm" else (name,)


def _stub(package: str, root: Path) -> ModuleType:
    module = ModuleType(package)
    module.__path__ = [str(root.joinpath(*package.split(".")[1:]))]
    sys.modules[package] = module
    return module
