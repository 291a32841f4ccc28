"""Skeletons by name, from a mapping, from COCO categories, or from flip pairs alone."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Mapping, Optional, Sequence, Union

from ppdet.core.content_schema import either, list_of, mapping, optional, summary, whole
from ppdet.core.errors import ConfigError
from ppdet.core.problem import short_repr
from ppdet.skeletons.base import Keypoint, Skeleton
from ppdet.skeletons.side_names import mirror_partners
from ppdet.skeletons.tables import TABLES

_FLIP_PERM = either(list_of(whole(0)), list_of(list_of(whole(0), length=2)))
_SKELETON_KEYS = mapping({"num_joints": optional(whole(1, 10_000)), "flip_perm": optional(_FLIP_PERM)})


def get_skeleton(what: Union[str, Mapping[str, Any], Skeleton]) -> Skeleton:
    """The skeleton called ``what``, or described by the mapping ``what`` (see :meth:`Skeleton.from_dict`).

    Raises:
        ConfigError: an unknown name (the nearest known one is suggested) or an inconsistent mapping.
    """
    if isinstance(what, Skeleton):
        return what
    if isinstance(what, Mapping):
        return Skeleton.from_dict(what)
    if isinstance(what, str) and what in TABLES:
        return TABLES[what]
    near = get_close_matches(str(what)[:100], TABLES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ConfigError(
        f"skeleton: unknown name {short_repr(what)}{hint} Known: {', '.join(TABLES)}; or give a mapping with keypoints and links"
    )


def skeleton_for_count(num_keypoints: int, flip_pairs: Optional[Sequence[Sequence[int]]] = None) -> Skeleton:
    """A skeleton for PaddleDetection's configs, which state only the number of keypoints and perhaps their flip pairs.

    A known dataset's skeleton if count *and* flip pairs agree (17 COCO, 16 MPII, 21 hand); otherwise an anonymous one with names
    ``kp0``..., the given flip pairs, default sigmas and no links. ``flip_pairs=None`` means unknown.

    Raises:
        ConfigError: a flip pair names an index that does not exist, or a keypoint twice.
    """
    wanted = None if flip_pairs is None else sorted(tuple(sorted(int(i) for i in pair)) for pair in flip_pairs)
    for candidate in TABLES.values():
        if candidate.num_keypoints == num_keypoints and (wanted is None or wanted == sorted(candidate.flip_pairs)):
            return candidate
    names = [f"kp{i}" for i in range(num_keypoints)]
    mirror = dict(zip(names, names))
    for i, j in wanted or ():
        if not 0 <= i < j < num_keypoints or mirror[names[i]] != names[i] or mirror[names[j]] != names[j]:
            raise ConfigError(f"flip_perm: pair [{i}, {j}] does not fit {num_keypoints} keypoints, or repeats one")
        mirror[names[i]], mirror[names[j]] = names[j], names[i]
    return Skeleton(f"custom{num_keypoints}", tuple(Keypoint(n, mirror[n]) for n in names))


def skeleton_from_config(config: Mapping[str, Any]) -> Skeleton:
    """The skeleton of a config: its ``skeleton`` entry, else PaddleDetection's ``num_joints`` and ``flip_perm``.

    If both are given they must agree; without either, COCO's seventeen keypoints.

    Raises:
        ConfigError: an unknown skeleton, or one that contradicts ``num_joints`` or ``flip_perm``.
    """
    wrong = summary(_SKELETON_KEYS(config, "config"))
    if wrong:
        raise ConfigError(wrong)
    count, flip_perm = config.get("num_joints"), config.get("flip_perm")
    pairs = None if flip_perm is None else flip_pairs_of(flip_perm)
    if config.get("skeleton") is None:
        return skeleton_for_count(17 if count is None else count, pairs)
    skeleton = get_skeleton(config["skeleton"])
    if count is not None and count != skeleton.num_keypoints:
        raise ConfigError(
            f"num_joints is {count}, but skeleton {skeleton.name!r} has {skeleton.num_keypoints} keypoints; "
            "make them agree, or leave num_joints out"
        )
    if pairs is not None and sorted(pairs) != sorted(skeleton.flip_pairs):
        raise ConfigError(
            f"flip_perm {pairs} differs from the mirror pairs of skeleton {skeleton.name!r}, {list(skeleton.flip_pairs)}; "
            "make them agree, or leave flip_perm out"
        )
    return skeleton


def flip_pairs_of(flip_perm: Sequence[Any], place: str = "flip_perm") -> list[tuple[int, int]]:
    """Pairs of keypoints that swap in a mirror, from PaddleDetection's list of pairs (top-down) or permutation (bottom-up).

    Args:
        flip_perm: [[i, j], ...], or K numbers: the keypoint that each one becomes.
        place: name of the value, for the message.

    Returns:
        (i, j) with i < j.

    Raises:
        ConfigError: neither pairs nor whole numbers.
    """
    wrong = summary(_FLIP_PERM(flip_perm, place))
    if wrong:
        raise ConfigError(wrong)
    if all(isinstance(entry, int) for entry in flip_perm):
        return [(i, j) for i, j in enumerate(flip_perm) if i < j]
    return [(min(pair), max(pair)) for pair in flip_perm]


def skeleton_from_categories(category: Mapping[str, Any]) -> Skeleton:
    """The skeleton of a COCO-style category: its ``keypoints`` names and 1-based ``skeleton`` links.

    COCO categories do not state mirror partners: names that differ only in left and right are taken as partners, see
    ``side_names``. A category with exactly the names of a known dataset gets that dataset's skeleton, including its sigmas.

    Raises:
        ConfigError: the category has no ``keypoints``.
    """
    names = [str(n) for n in category.get("keypoints") or ()]
    if not names:
        raise ConfigError(f"category {category.get('name')!r} lists no `keypoints`; name the skeleton in the config instead")
    for known in TABLES.values():
        if list(known.names) == names:
            return known
    partners = mirror_partners(names)
    rows = tuple(Keypoint(name, partners.get(name, name)) for name in names)
    links = tuple((names[a - 1], names[b - 1]) for a, b in category.get("skeleton") or ())
    return Skeleton(str(category.get("name", "custom")), rows, links)
