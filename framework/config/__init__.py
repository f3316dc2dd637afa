"""TOML -> typed settings: every mistake at once, each with its line and a suggestion."""

from __future__ import annotations

from .accounts import load_accounts
from .deployment import Configured, ConfiguredExchange, Deployment, FrameworkSettings
from .live import account_problems, live_problems, mode_of
from .load import load_deployment, read_plugins_list, read_state_dir
from .scalars import placeholder_from

__all__ = [
    "Configured",
    "ConfiguredExchange",
    "Deployment",
    "FrameworkSettings",
    "account_problems",
    "live_problems",
    "load_accounts",
    "load_deployment",
    "mode_of",
    "placeholder_from",
    "read_plugins_list",
    "read_state_dir",
]
