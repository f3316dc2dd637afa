"""The files of this checkout that people write, and the plugins that ship with it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

WRITTEN = ("framework", "plugins", "tests", "tools", "bench", "docs", "examples", "requirements", ".ci")
"""The directories that hold what people write; all else beside them is made."""


def files(*suffixes: str) -> Iterator[Path]:
    """Every written file with one of these suffixes, or of any kind; sorted."""
    candidates = [path for name in WRITTEN for path in (ROOT / name).rglob("*")]
    candidates += [path for path in ROOT.iterdir() if path.suffix in (".md", ".toml") or path.name == "Makefile"]
    for path in sorted(candidates):
        made = any(_is_made(part) for part in path.relative_to(ROOT).parts)
        if path.is_file() and not made and (not suffixes or path.suffix in suffixes):
            yield path


def _is_made(part: str) -> bool:
    """Whether a file or directory of this name is some tool's: caches, metadata, build output."""
    hidden = part.startswith(".") and part != ".ci"
    return hidden or part in ("__pycache__", "build", "dist") or part.endswith(".egg-info")


def short(path: Path) -> str:
    """The path as people name it, from the root of the checkout."""
    return str(path.relative_to(ROOT))


def project(directory: Path) -> dict[str, Any]:
    """The ``[project]`` table of a distribution."""
    table: dict[str, Any] = tomllib.loads((directory / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def plugin_directories() -> list[Path]:
    """Where the plugins of this checkout live."""
    return sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))


def plugin_packages() -> list[str]:
    """The names of their import packages."""
    return [path.name for directory in plugin_directories() for path in sorted((directory / "src").glob("framework_*"))]
