"""One interface over the engines that can run an exported model. Each engine is one module, which declares it."""
from __future__ import annotations

from importlib import import_module

_HOMES = {
    "Runtime": "base",
    "RuntimeOptions": "base",
    "available_runtimes": "registry",
    "load_runtime": "registry",
    "register_runtime": "registry",
    "runtime_devices": "registry",
    "runtime_names": "registry",
    "runtime_precisions": "registry",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    """Load the named part on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
