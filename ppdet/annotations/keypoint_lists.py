"""Keypoints as people write them, to one flat list of x, y, visibility.

Legend: K keypoints.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence, Union

from ppdet.annotations.values import are_numbers, as_number

NAN = float("nan")


def flat_keypoints(given: Any, names: Sequence[str]) -> Union[List[float], str]:
    """The flat list of 3 K numbers, or what is wrong with it.

    Accepted are COCO's flat list, K triples [x, y, v], and a mapping of names to triples. Numbers may be strings. Where v is 0
    the point is not labelled, so x and y may be anything: they become 0 unless they are numbers.

    Args:
        given: the value of `keypoints`.
        names: K names that the category declares; empty if unknown.
    """
    if type(given) is list and are_numbers(given):
        return given
    if isinstance(given, Mapping):
        triples = _by_name(given, names)
        if isinstance(triples, str):
            return triples
        given = triples
    if not isinstance(given, list):
        return f"with a {type(given).__name__} as `keypoints`"
    if given and all(isinstance(row, (list, tuple)) for row in given):
        if any(len(row) != 3 for row in given):
            return "with nested `keypoints` that are not triples [x, y, v]"
        given = [value for row in given for value in row]
    if len(given) % 3:
        return given  # the count is judged by whoever knows how many are wanted
    return [value for start in range(0, len(given), 3) for value in _point(*given[start : start + 3])]


def _by_name(given: Mapping[Any, Any], names: Sequence[str]) -> Union[List[Any], str]:
    if not names:
        return "with `keypoints` by name, but its category declares no names"
    by_name = {str(name).strip().lower(): triple for name, triple in given.items()}
    known = {name.strip().lower() for name in names}
    unknown = [name for name in given if str(name).strip().lower() not in known]
    if unknown:
        return f"with a keypoint {str(unknown[0])[:40]!r} that its category does not declare"
    triples = [by_name.get(name.strip().lower()) or [0, 0, 0] for name in names]
    if not all(isinstance(triple, (list, tuple)) and len(triple) == 3 for triple in triples):
        return "with `keypoints` by name that are not triples [x, y, v]"
    return triples


def _point(x: Any, y: Any, visible: Any) -> List[float]:
    """x, y, v; NaN stands for a number that is needed and cannot be read."""
    v = int(visible) if isinstance(visible, bool) else as_number(visible)
    x_number, y_number = as_number(x), as_number(y)
    if v is None and (visible is None or visible != visible) and not x_number and not y_number:
        v = 0  # nothing at all is known of the point, which COCO writes as 0, 0, 0
    if v is not None and v <= 0:
        return [_or(x_number, 0), _or(y_number, 0), 0]
    return [_or(x_number, NAN), _or(y_number, NAN), _or(v, NAN)]


def _or(value: Optional[float], default: float) -> float:
    return default if value is None else value
