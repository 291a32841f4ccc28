"""The objects of one class of an annotation file, as arrays, without those that cannot be used.

Legend: N objects, K keypoints, M images.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set

import numpy as np

from ppdet.annotations.layout_checks import fractions_instead_of_pixels
from ppdet.annotations.values import is_number, visibility
from ppdet.core.errors import DataError


@dataclass
class ClassObjects:
    """Objects of one class.

    Attributes:
        category: its entry of the file, with `keypoints` made unique.
        keypoints: (N, K, 3) x, y, visibility; zero where not labelled.
        boxes_xywh: (N, 4), NaN without a box.
        image_row: (N,) rows of `image_wh`.
        image_wh: (M, 2) sizes of the images that have an object of the class.
        annotations: N entries of the file, in the same order.
        images: M entries of the file.
        repeats: annotations of the same objects by further people, for sigmas only; never used for training.
        notes: what was left out or changed.
    """

    category: Dict[str, Any]
    keypoints: np.ndarray
    boxes_xywh: np.ndarray
    image_row: np.ndarray
    image_wh: np.ndarray
    annotations: List[Dict[str, Any]]
    images: List[Dict[str, Any]]
    repeats: List[Dict[str, Any]] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)

    @property
    def names(self) -> List[str]:
        """K names."""
        return list(self.category["keypoints"])

    @property
    def visible(self) -> np.ndarray:
        """(N, K) whether each keypoint is labelled."""
        return self.keypoints[..., 2] > 0

    @property
    def extents_xywh(self) -> np.ndarray:
        """(N, 4) boxes of the labelled keypoints; their sides may be 0."""
        seen = self.visible[..., None]
        low = np.where(seen, self.keypoints[..., :2], np.inf).min(axis=1)
        high = np.where(seen, self.keypoints[..., :2], -np.inf).max(axis=1)
        return np.concatenate([low, high - low], axis=1)


def keypoint_classes(content: Mapping[str, Any], wanted: Optional[str] = None) -> List[Dict[str, Any]]:
    """The categories that declare keypoints and have objects, or the one that is called `wanted` (a name or an id).

    Raises:
        DataError: there is none, or none with this name or id.
    """
    used = Counter(each.get("category_id") for each in content["annotations"] if _has_keypoints(each))
    classes = [each for each in content["categories"] if each.get("keypoints") and used[each["id"]]]
    if wanted is not None:
        chosen = [each for each in classes if wanted in (each["name"], str(each["id"]))]
        if not chosen:
            listed = ", ".join(f"{each['name']} (id {each['id']})" for each in classes) or "none"
            raise DataError(f"--category {wanted}: no class with labelled keypoints has this name or id; available: {listed}")
        return chosen[:1]
    if not classes:
        raise DataError("no class in the file has objects with labelled keypoints; label points, not only boxes")
    return classes


def class_objects(content: Mapping[str, Any], category: Mapping[str, Any]) -> ClassObjects:
    """The usable objects of a class.

    Args:
        content: as `coco_content` gives it, with `width` and `height` of each image.
        category: one of its categories.

    Raises:
        DataError: no object is usable, or coordinates are fractions of the image.
    """
    names, notes = _unique(category["keypoints"])
    images = {image["id"]: image for image in content["images"]}
    left_out: Counter[str] = Counter()
    seen: Set[Any] = set()
    kept, repeats = [], []
    for each in content["annotations"]:
        if each.get("category_id", category["id"]) != category["id"]:
            continue
        reason = _unusable(each, len(names), images)
        if reason:
            left_out[reason] += 1
        elif each.get("repeat"):
            repeats.append(each)
        elif (each["image_id"], tuple(each["keypoints"])) in seen:
            left_out["listed twice"] += 1
        else:
            seen.add((each["image_id"], tuple(each["keypoints"])))
            kept.append(each)
    notes += [f"{count} objects are left out: {reason}" for reason, count in left_out.items()]
    if not kept:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items()) or "it has none"
        raise DataError(
            f"class {category['name']!r} has no usable object ({reasons}); each needs an image and {len(names)} keypoints, "
            "at least one of them labelled"
        )
    used = sorted({each["image_id"] for each in kept}, key=list(images).index)
    rows = {image_id: row for row, image_id in enumerate(used)}
    objects = ClassObjects(
        category={**category, "keypoints": names},
        keypoints=np.stack([_keypoints(each) for each in kept]),
        boxes_xywh=np.stack([_box(each) for each in kept]),
        image_row=np.array([rows[each["image_id"]] for each in kept], np.int64),
        image_wh=np.array([[images[i]["width"], images[i]["height"]] for i in used], np.float64),
        annotations=kept,
        images=[images[i] for i in used],
        repeats=repeats,
        notes=notes,
    )
    fractions = fractions_instead_of_pixels(objects.keypoints, objects.boxes_xywh[:0])
    if fractions:
        raise DataError(
            f"the {fractions} of class {category['name']!r} are fractions of the image; expected pixels: multiply x by the "
            "width and y by the height of the image"
        )
    wh = objects.image_wh[objects.image_row][:, None]
    outside = int((objects.visible & ((objects.keypoints[..., :2] < -1) | (objects.keypoints[..., :2] > wh)).any(axis=-1)).sum())
    if outside:
        objects.notes.append(
            f"{outside} of {int(objects.visible.sum())} labelled points lie outside of their images, where no network sees them: "
            "`ppdet dataset check` names them, and --fix removes them"
        )
    return objects


def _has_keypoints(each: Mapping[str, Any]) -> bool:
    flat = each.get("keypoints")
    return isinstance(flat, list) and any(is_number(v) and v > 0 for v in flat[2::3])


def _unique(names: Sequence[Any]) -> tuple[List[str], List[str]]:
    """Unique names without surrounding blanks; a second `tip` becomes `tip_2`."""
    found: List[str] = []
    changed = []
    for position, given in enumerate(names):
        name = " ".join(str(given).split()) or f"kp{position}"
        unique, count = name, 1
        while unique in found:
            count += 1
            unique = f"{name}_{count}"
        if unique != str(given):
            changed.append(f"{given!r} -> {unique!r}")
        found.append(unique)
    return found, [f"names of keypoints are made unique and plain: {', '.join(changed[:5])}"] if changed else []


def _unusable(each: Mapping[str, Any], count: int, images: Mapping[Any, Any]) -> str:
    flat = each.get("keypoints")
    if each.get("iscrowd"):
        return "crowds"
    if each.get("image_id") not in images:
        return "their image is not there"
    if isinstance(flat, str):
        return flat
    if not isinstance(flat, list) or len(flat) != 3 * count:
        return f"with {len(flat or ())} numbers instead of {3 * count}, which are x, y and visibility of {count} keypoints"
    if not all(is_number(v) and (v <= 0 or is_number(x) and is_number(y)) for x, y, v in zip(flat[::3], flat[1::3], flat[2::3])):
        return "with keypoints that are not finite numbers"
    return "" if any(v > 0 for v in flat[2::3]) else "without a labelled keypoint"


def _keypoints(each: Mapping[str, Any]) -> np.ndarray:
    table = np.array([value if is_number(value) else 0 for value in each["keypoints"]], np.float64).reshape(-1, 3)
    table[table[:, 2] <= 0] = 0
    table[:, 2] = [visibility(v) for v in table[:, 2]]
    return table


def _box(each: Mapping[str, Any]) -> np.ndarray:
    box = each.get("bbox")
    good = isinstance(box, list) and len(box) == 4 and all(map(is_number, box)) and box[2] > 0 and box[3] > 0
    return np.array(box if good else [np.nan] * 4, np.float64)
