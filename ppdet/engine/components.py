"""Fill the registry: a component is known once its module is imported."""

from __future__ import annotations

import importlib
import pkgutil

from ppdet.core.config.registry import Registry, registry

PACKAGES = ("ppdet.codecs", "ppdet.data", "ppdet.metrics", "ppdet.modeling", "ppdet.optimizer")


def import_components() -> Registry:
    """Import every module of the packages that hold components, and give the filled registry.

    New components need no list: a module below one of these packages with an ``@register`` class is found.
    """
    for package in PACKAGES:
        folder = importlib.import_module(package)
        for module in pkgutil.walk_packages(folder.__path__, prefix=f"{package}."):
            importlib.import_module(module.name)
    return registry
