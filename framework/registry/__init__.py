"""Entry points -> components. The only place that imports plugins, and only those that the deployment lists."""

from __future__ import annotations

from .installed import PluginInfo, installed_plugins
from .kinds import KINDS, Kind, KindSpec, Shape
from .loading import PluginProblem, Provider, Registry

__all__ = [
    "KINDS",
    "Kind",
    "KindSpec",
    "PluginInfo",
    "PluginProblem",
    "Provider",
    "Registry",
    "Shape",
    "installed_plugins",
]
