"""How one config goes over another."""

from __future__ import annotations

from typing import Any

from ppdet.core.config.nodes import ConfigDict, Spec


def merge(base: Any, over: Any) -> Any:
    """Lay `over` over `base`; neither is changed, untouched parts are shared.

    Mappings merge key by key. Everything else is replaced whole: scalars, lists, and what names a class, that is a
    `Spec`, or ``{name: X}`` meeting another name (arguments of one class mean nothing to another).
    """
    return merge_keys(base, over) if _merges(base, over) else over


def merge_keys(base: ConfigDict, over: ConfigDict) -> ConfigDict:
    """`merge` of two mappings that are known to be no components, such as the top levels of two files."""
    result = base.copy()
    for key, value in over.items():
        merged = merge(base[key], value) if key in base else value
        result.put(key, merged, over)
        if merged is not value:
            # A merged mapping is a third thing: neither file's aliases mean it.
            result.anchors.pop(key, None)
            result.homes.discard(key)
    return result


def _merges(base: Any, over: Any) -> bool:
    if not (isinstance(base, ConfigDict) and isinstance(over, ConfigDict)):
        return False
    if isinstance(base, Spec) or isinstance(over, Spec):
        return False
    return not ("name" in base and "name" in over and base["name"] != over["name"])
