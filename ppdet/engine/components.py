"""Fill the registry: a component is known once its module is imported."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Mapping, Optional

from ppdet.core.config.registry import Registry, registry
from ppdet.core.plugins import import_plugins

PACKAGES = ("ppdet.codecs", "ppdet.data", "ppdet.metrics", "ppdet.modeling", "ppdet.optimizer")


def import_components(config: Optional[Mapping[str, Any]] = None) -> Registry:
    """Import every module of the packages that hold components, and give the filled registry.

    New components need no list: a module below one of these packages with an ``@register`` class is found, and so are the
    modules of other packages, see `ppdet.core.plugins`.

    Args:
        config: its key `plugins` names modules of other packages.

    Raises:
        ConfigError: a plugin that does not import.
    """
    for package in PACKAGES:
        folder = importlib.import_module(package)
        for module in pkgutil.walk_packages(folder.__path__, prefix=f"{package}."):
            importlib.import_module(module.name)
    import_plugins((config or {}).get("plugins") or ())
    return registry
