"""The plugin as a whole: what it offers, and that its guide is true."""

from __future__ import annotations

from pathlib import Path

import framework_observers
from framework.testing import check_readme
from framework_observers import Log


def test_the_plugin_offers_the_log() -> None:
    assert framework_observers.observers() == [Log]


def test_the_readme_describes_every_observer_and_setting() -> None:
    readme = Path(__file__).parent.parent / "README.md"

    check_readme(readme.read_text(encoding="utf-8"), framework_observers.observers())
