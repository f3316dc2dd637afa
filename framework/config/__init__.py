"""TOML -> typed settings: every mistake at once, each with its line and a suggestion."""

from __future__ import annotations

from .deployment import Configured, ConfiguredExchange, Deployment, FrameworkSettings
from .load import load_deployment, read_plugins_list, read_state_dir

__all__ = [
    "Configured",
    "ConfiguredExchange",
    "Deployment",
    "FrameworkSettings",
    "load_deployment",
    "read_plugins_list",
    "read_state_dir",
]
