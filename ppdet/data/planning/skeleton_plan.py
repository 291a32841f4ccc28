"""Chooses the skeleton: mirror partners by name, links, body parts, OKS sigmas.

Legend: N objects, K keypoints.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ppdet.annotations.sigma_estimate import FEWEST_REPEATS, estimate_sigmas
from ppdet.data.planning.choice import Choice
from ppdet.data.planning.class_objects import ClassObjects
from ppdet.skeletons.base import DEFAULT_SIGMA, Keypoint, Skeleton
from ppdet.skeletons.people import shared_with_coco, shows_people
from ppdet.skeletons.side_names import mirror_partners
from ppdet.skeletons.tables import COCO17, TABLES


def is_person(objects: ClassObjects) -> bool:
    """Whether a class shows people."""
    return shows_people(objects.names, str(objects.category.get("name", "")))


def plan_skeleton(objects: ClassObjects, sigmas: Optional[Sequence[float]] = None) -> Dict[str, Choice[Any]]:
    """The skeleton, and reasons for its parts under "skeleton", "links", "sigmas".

    Args:
        objects: of the class.
        sigmas: K stated sigmas, or one for all; None to find some.
    """
    names = objects.names
    partners = mirror_partners(names)
    known = next((table for table in TABLES.values() if list(table.names) == names), None)
    links = _links(objects, known)
    body = shared_with_coco(names) if is_person(objects) else {}
    sigma = _sigmas(objects, sigmas, known, body)
    part = {kp.name: kp.part for kp in known.keypoints} if known else {name: kp.part for name, kp in body.items()}
    rows = tuple(
        Keypoint(name, partners.get(name, name), part.get(name, "other"), round(float(value), 4))
        for name, value in zip(names, sigma.value)
    )
    name = known.name if known else _identifier(str(objects.category.get("name", "custom")))
    skeleton = replace(Skeleton(name, rows, tuple(links.value)), sigma_source=sigma.why)
    pairs = len(partners) // 2
    why = f"{len(names)} keypoints" + (f", {pairs} mirror pairs, from the words for left and right in their names" if pairs else
                                       ", no mirror pairs: no two names differ only in left and right")  # fmt: skip
    return {"skeleton": Choice(skeleton, why), "links": links, "sigmas": sigma}


def _identifier(text: str) -> str:
    return "_".join(text.split()) or "custom"


def _links(objects: ClassObjects, known: Optional[Skeleton]) -> Choice[List[Tuple[str, str]]]:
    names = objects.names
    pairs_given = [pair for pair in objects.category.get("skeleton") or () if len(pair) == 2]
    given = [pair for pair in pairs_given if max(pair) <= len(names) and min(pair) > 0]
    if given:
        pairs = dict.fromkeys((names[a - 1], names[b - 1]) for a, b in given if a != b)
        return Choice(list(pairs), "links are those of the annotation file")
    if known is not None and known.link_names:
        return Choice(list(known.link_names), f"links are those of {known.name}, which has the same names")
    tree = _with_mirror_images([(names[a], names[b]) for a, b in nearest_links(objects.keypoints)], mirror_partners(names))
    if is_person(objects):
        back = {keypoint.name: name for name, keypoint in shared_with_coco(names).items()}
        found = [(back[a], back[b]) for a, b in COCO17.link_names if a in back and b in back]
        loose = [name for name in names if not any(name in pair for pair in found)]
        if found:
            rest = [pair for pair in tree if set(pair) & set(loose)]
            why = f"; those of {', '.join(loose)} join the one at the steadiest short distance" if loose else ""
            return Choice([*found, *rest], f"links are COCO's between the keypoints that both have{why}")
    why = "the file has no links: each keypoint is joined to the one at the steadiest short distance, on both sides of the body"
    return Choice(tree, f"{why}; only drawing uses them")


def _with_mirror_images(links: Sequence[Tuple[str, str]], partners: Mapping[str, str]) -> List[Tuple[str, str]]:
    """The links, and after each its mirror image if it is another link."""
    both: Dict[FrozenSet[str], Tuple[str, str]] = {}
    for a, b in links:
        for pair in ((a, b), (partners.get(a, a), partners.get(b, b))):
            both.setdefault(frozenset(pair), pair)
    return list(both.values())


def nearest_links(keypoints: np.ndarray) -> List[Tuple[int, int]]:
    """A tree over the keypoints that joins neighbours: the smallest sum of mean distance and its deviation (Prim).

    Args:
        keypoints: (N, K, 3) x, y, visibility.
    """
    xy, seen = keypoints[..., :2], keypoints[..., 2] > 0
    count = xy.shape[1]
    low, high = np.where(seen[..., None], xy, np.inf).min(1), np.where(seen[..., None], xy, -np.inf).max(1)
    size = np.maximum((high - low).max(axis=1), 1e-9)
    cost = np.full((count, count), np.inf)
    for a in range(count):
        both = seen[:, a, None] & seen
        apart = np.linalg.norm(xy[:, a, None] - xy, axis=2) / size[:, None]
        number = both.sum(axis=0)
        mean = np.where(both, apart, 0).sum(axis=0) / np.maximum(number, 1)
        spread = np.sqrt(np.where(both, (apart - mean) ** 2, 0).sum(axis=0) / np.maximum(number, 1))
        cost[a] = np.where(number > 0, mean + spread, np.inf)
    joined, links = [0], []
    while len(joined) < count:
        rest = [i for i in range(count) if i not in joined]
        part = cost[np.ix_(joined, rest)]
        row, column = np.unravel_index(int(part.argmin()), part.shape)
        if np.isfinite(part[row, column]):
            links.append((joined[row], rest[column]))
        joined.append(rest[column])
    return links


def _sigmas(
    objects: ClassObjects, stated: Optional[Sequence[float]], known: Optional[Skeleton], body: Mapping[str, Keypoint]
) -> Choice[List[float]]:
    count = len(objects.names)
    in_file = objects.category.get("sigmas") or objects.category.get("keypoint_sigmas")
    if stated:
        values = list(stated) * count if len(stated) == 1 else list(stated)
        return Choice(values, "stated with --sigmas")
    if isinstance(in_file, list) and len(in_file) == count:
        return Choice([float(value) for value in in_file], "stated in the annotation file")
    found = estimate_sigmas(objects.annotations, objects.repeats, count)
    if found is not None:
        estimated, number = found
        return Choice(estimated.tolist(), f"estimated from {number} objects that several people annotated")
    if known is not None:
        return Choice(known.sigmas.tolist(), f"{known.sigma_note}; the skeleton is {known.name} by its names")
    if body:
        values = [body[name].sigma if name in body else DEFAULT_SIGMA for name in objects.names]
        others = f", {DEFAULT_SIGMA} for the other {count - len(body)}" if len(body) < count else ""
        return Choice(values, f"COCO's for the {len(body)} keypoints of people with the same name{others}")
    return Choice(
        [DEFAULT_SIGMA] * count,
        f"the default {DEFAULT_SIGMA} for every keypoint: the file states none, and fewer than {FEWEST_REPEATS} objects were "
        "annotated twice, too few to estimate them; compare runs by EPE rather than AP",
    )
