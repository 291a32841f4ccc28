"""Fills the registry: a component is registered when its module is imported."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Mapping, Optional

from ppdet.core.config.registry import Registry, registry
from ppdet.core.plugins import import_plugins

PACKAGES = ("ppdet.codecs", "ppdet.data", "ppdet.metrics", "ppdet.modeling", "ppdet.optimizer")


def import_components(config: Optional[Mapping[str, Any]] = None) -> Registry:
    """Import every module of the packages that contain components, and return the filled registry.

    New components need no entry in a list: every module below these packages is imported, and so are plugins, see
        `ppdet.core.plugins`.

    Args:
        config: its key `plugins` names modules outside ppdet.

    Raises:
        ConfigError: a plugin cannot be imported.
    """
    for package in PACKAGES:
        folder = importlib.import_module(package)
        for module in pkgutil.walk_packages(folder.__path__, prefix=f"{package}."):
            importlib.import_module(module.name)
    import_plugins((config or {}).get("plugins") or ())
    return registry
