"""Components of other packages: importing their modules is what registers them.

Two ways lead here. A config names modules, ``plugins: [my_package.my_module]``; and an installed package lists them as entry
points of the group ``ppdet.plugins``, so that they are known without a config, for example to a deployed program.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from ppdet.core.errors import ConfigError

GROUP = "ppdet.plugins"

_done: set[str] = set()


def import_plugins(modules: Any = ()) -> None:
    """Import the modules of a config and those of all installed packages that have an entry point; each once.

    Args:
        modules: value of the config's key `plugins`, a list of module names. They are looked for in the current directory as
            well, as by ``python -m``.

    Raises:
        ConfigError: no list of names, or a module that does not import; its own error is in the message.
    """
    if not isinstance(modules, (list, tuple)) or not all(isinstance(name, str) for name in modules):
        raise ConfigError(f"plugins is {modules!r}: give a list of modules, for example plugins: [my_package.my_module]")
    for name in modules:
        _import(name, f"plugins: {name}")
    for point in _installed():
        _import(point.value.partition(":")[0], f"entry point {point.name} of the group {GROUP}: {point.value}")


def _import(module: str, place: str) -> None:
    if module in _done:
        return
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        import_module(module)
    except Exception as error:  # whatever a module of somebody else's raises
        raise ConfigError(f"{place} does not import: {type(error).__name__}: {error}. Is its package installed, or the current "
                          "directory the one that holds it?") from error
    _done.add(module)


def _installed() -> list[Any]:
    points: Any = entry_points()
    return list(points.select(group=GROUP) if hasattr(points, "select") else points.get(GROUP, ()))  # Python 3.9 has a dict
