"""Public names of a package that are imported on first use, so that importing the package stays cheap."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], list[str]]:
    """The ``__getattr__`` and ``__all__`` of a package (PEP 562)::

        __getattr__, __all__ = lazy_names(__name__, {"Crop": "crop", "nms": "boxes"})

    Args:
        package: the package's ``__name__``.
        homes: public name to the module below the package that defines it. A name must not be a module's name: once imported,
            the module would hide it.
    """

    def get(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return get, sorted(homes)
