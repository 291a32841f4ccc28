"""One interface over the engines that can run an exported model."""
from __future__ import annotations

__all__ = ["Runtime", "load_runtime"]


def __getattr__(name: str) -> object:
    """Load the named part on first use."""
    if name == "Runtime":
        from ppdet.inference.runtimes.base import Runtime

        return Runtime
    if name == "load_runtime":
        from ppdet.inference.runtimes.registry import load_runtime

        return load_runtime
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
