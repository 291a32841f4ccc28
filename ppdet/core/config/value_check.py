"""Check a value from YAML against the type annotation of its argument.

Only plain annotations are checked: bool, int, float, str, paths, None and unions of these; other types are left to the
constructor. This catches ``use_gt_bbox: Flase``, which would otherwise count as true.
"""

from __future__ import annotations

import os
import pathlib
import types
import typing
from typing import Any, Callable

from ppdet.core.problem import short_repr

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", type(None): "null"}
_PATHS = (pathlib.Path, pathlib.PurePath, os.PathLike)


def plain_annotations(function: Callable[..., Any]) -> dict[str, tuple[type, ...]]:
    """Argument name to its plain types; arguments with other annotations are left out."""
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # an annotation this Python cannot evaluate (``X | Y`` on 3.9, names under TYPE_CHECKING)
        return {}
    plain = {}
    for name, hint in hints.items():
        members = {str if member in _PATHS else member for member in _members(hint)}
        if members and members <= set(_WORDS):
            plain[name] = tuple(sorted(members, key=list(_WORDS).index))
    return plain


def complaint(value: Any, allowed: tuple[type, ...]) -> str | None:
    """Why `value` is not allowed, such as "expects true or false, not 'Flase'"; None if it is."""
    if any(_fits(value, kind) for kind in allowed):
        return None
    return f"expects {' or '.join(_WORDS[kind] for kind in allowed)}, not {short_repr(value)}"


def _fits(value: Any, kind: type) -> bool:
    if kind is bool:
        return value in (0, 1) and isinstance(value, int)  # published configs also use 0 and 1
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind)


def _members(hint: Any) -> tuple[Any, ...]:
    origin = typing.get_origin(hint)
    if origin is typing.Union or origin is getattr(types, "UnionType", typing.Union):  # ``X | Y`` from 3.10 on
        return typing.get_args(hint)
    return (origin if origin in _PATHS else hint,)
