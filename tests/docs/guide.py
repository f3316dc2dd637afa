"""docs/plugins.md, and the template that it shows, as the tests use them."""

from __future__ import annotations

import re

from tests.house.tree import ROOT

TEXT = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
TEMPLATE = ROOT / "examples" / "plugin-template"

_FENCED = re.compile(r"^```(\w+(?: fragment)?)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def section(heading: str, level: str = "##") -> str:
    """The text below a heading, down to the next one of its level."""
    (text,) = re.findall(rf"^{level} {re.escape(heading)}\n(.*?)(?=^{level} |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    return str(text)


def fenced(language: str, text: str = TEXT) -> list[str]:
    """Every block whose fence says this, fragments (``toml fragment``) too."""
    return [code for name, code in _FENCED.findall(text) if name == language]
