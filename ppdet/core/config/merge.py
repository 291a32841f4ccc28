"""Merge one config over another."""

from __future__ import annotations

from typing import Any

from ppdet.core.config.nodes import ConfigDict, Spec


def merge(base: Any, over: Any) -> Any:
    """Merge `over` into `base`; neither is changed, and the result shares unchanged parts.

    Mappings merge key by key. Everything else is replaced as a whole: scalars, lists, and components, i.e. a `Spec`, or
    ``{name: X}`` over another name (arguments of one class mean nothing to another).
    """
    return merge_keys(base, over) if _merges(base, over) else over


def merge_keys(base: ConfigDict, over: ConfigDict) -> ConfigDict:
    """`merge` of two mappings that are not components, such as the top levels of two files."""
    result = base.copy()
    for key, value in over.items():
        merged = merge(base[key], value) if key in base else value
        result.put(key, merged, over)
        if merged is not value:
            # A merged mapping is a new value: no alias of either file refers to it.
            result.anchors.pop(key, None)
            result.homes.discard(key)
    return result


def _merges(base: Any, over: Any) -> bool:
    if not (isinstance(base, ConfigDict) and isinstance(over, ConfigDict)):
        return False
    if isinstance(base, Spec) or isinstance(over, Spec):
        return False
    return not ("name" in base and "name" in over and base["name"] != over["name"])
