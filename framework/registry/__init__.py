"""Entry points -> components. The only place that imports plugins, and only those that the deployment lists."""

from __future__ import annotations

from .installed import PluginInfo, installed_plugins
from .kinds import HOOKS, KINDS, AccountKeys, Kind, KindSpec, Shape, heading
from .loading import PluginProblem, Provider, Registry

__all__ = [
    "HOOKS",
    "KINDS",
    "AccountKeys",
    "Kind",
    "KindSpec",
    "PluginInfo",
    "PluginProblem",
    "Provider",
    "Registry",
    "Shape",
    "heading",
    "installed_plugins",
]
