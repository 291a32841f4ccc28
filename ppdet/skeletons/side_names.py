"""Left and right in names of keypoints: which side a name says, and which name is its mirror partner."""

from __future__ import annotations

import re
from typing import Dict, List, Optional, Sequence, Tuple

SIDE_WORDS = (
    ("left", "right"),
    ("lft", "rgt"),
    ("links", "rechts"),
    ("gauche", "droite"),
    ("izquierda", "derecha"),
    ("izquierdo", "derecho"),
    ("sinistra", "destra"),
    ("sinistro", "destro"),
    ("esquerda", "direita"),
    ("esquerdo", "direito"),
    ("левая", "правая"),
    ("левый", "правый"),
    ("левое", "правое"),
    ("左", "右"),
    ("왼", "오른"),
)
"""Words for left and right anywhere in a name. Single letters l and r count only as a part of their own (l_ear, earL)."""

LETTERS = ("l", "r")
_PARTS = re.compile(r"[^\W\d_]+|\d+", re.UNICODE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", re.UNICODE)


def plain_name(name: str) -> str:
    """A name for comparison: lower-case parts with `_` between, sides spelt out and in front: earL -> left_ear."""
    parts = [{"l": "left", "r": "right"}.get(part, part) for part in _parts(name)]
    sides = [part for part in parts if part in ("left", "right")]
    if not sides and len(parts) == 1:  # leftear
        for side in ("left", "right"):
            if parts[0].startswith(side) and len(parts[0]) > len(side):
                return f"{side}_{parts[0][len(side) :]}"
            if parts[0].endswith(side) and len(parts[0]) > len(side):
                return f"{side}_{parts[0][: -len(side)]}"
    return "_".join([*sides, *(part for part in parts if part not in ("left", "right"))])


def mirror_partners(names: Sequence[str]) -> Dict[str, str]:
    """The partner of each name that has one among the names: left_ear <-> right_ear. Partners name each other.

    Args:
        names: unique names of keypoints.
    """
    by_key: Dict[str, List[str]] = {}
    for name in names:
        by_key.setdefault(_key(name), []).append(name)
    found: Dict[str, str] = {}
    for name in names:
        for candidate, _ in _mirrored(name):
            there = [other for other in by_key.get(candidate, []) if other != name]
            if len(there) == 1:
                found.setdefault(name, there[0])
                break
    return {name: other for name, other in found.items() if found.get(other) == name}


def side_of(name: str) -> Optional[str]:
    """ "left" or "right" if a name says one of them, else None."""
    sides = {side for _, side in _mirrored(name)}
    return sides.pop() if len(sides) == 1 else None


def _mirrored(name: str) -> List[Tuple[str, str]]:
    """Keys of what the name becomes with the sides swapped, each with the side that the name says."""
    found: List[Tuple[str, str]] = []
    lower = name.lower()
    for left, right in SIDE_WORDS:
        for word, other, side in ((left, right, "left"), (right, left, "right")):
            if word in lower:
                found.append((_key(lower.replace(word, other)), side))
    parts = _parts(name)
    for word, other, side in ((LETTERS[0], LETTERS[1], "left"), (LETTERS[1], LETTERS[0], "right")):
        if word in parts and len(parts) > 1:
            found.append(("".join(other if part == word else part for part in parts), side))
    return found


def _key(name: str) -> str:
    return "".join(_parts(name))


def _parts(name: str) -> List[str]:
    """Lower-case words and numbers of a name: earL_2 -> ear, l, 2."""
    return [part.lower() for part in _PARTS.findall(_CAMEL.sub(" ", name))]
