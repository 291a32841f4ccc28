"""Defects of single entries: ids, boxes, areas, numbers of keypoints, visibility, points in wrong places.

Legend: N objects, K keypoints.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, Dict, Iterator, List, Mapping, Sequence

import numpy as np

from ppdet.annotations.annotated_object import SMALLEST_AREA_PER_BOX
from ppdet.annotations.layout_checks import listed_twice
from ppdet.annotations.values import are_numbers, as_id, is_number
from ppdet.data.checking.annotation_file import AnnotationFile
from ppdet.data.checking.finding import ERROR, NOTE, WARNING, Finding, shown

IMAGE_TOLERANCE = 1.0
"""Pixels: COCO's own labels lie up to .4 beyond the last pixel's centre, LSP's exactly one."""
BOX_EXCESS = (0.05, 0.5)
"""Bounds of the share of the box's longer side by which a point may lie outside its box; in between it is four times the
file's 99th percentile. COCO's own labels reach .499."""
AREA_TOLERANCE = 1.05


def check_entries(file: AnnotationFile) -> Iterator[Finding]:
    """All defects of single entries."""
    yield from _categories(file)
    yield from _ids(file)
    yield from _boxes_and_areas(file)
    yield from _lists(file)
    yield from _visibility(file)
    yield from _points(file)
    yield from _repeated(file)


def _categories(file: AnnotationFile) -> Iterator[Finding]:
    declared = [each for each in file.content["categories"] if each.get("keypoints")]
    objects = file.objects
    if not declared and objects:
        yield Finding(
            "no-keypoint-names", WARNING, "name their keypoints in no category", len(objects), len(objects), "objects", [],
            "without names and links, poses have no mirror pairs and are drawn without limbs",
            "add `keypoints` and `skeleton` to the category, or state a skeleton in the config",
        )  # fmt: skip
    for category in declared:
        names = [str(name) for name in category["keypoints"]]
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            yield Finding(
                "duplicate-keypoint-name", ERROR, f"of category {category['name']!r} appear twice", len(twice), len(names),
                "names",
                shown(twice), "a skeleton needs unique names", "rename them in the category",
            )  # fmt: skip
        unpaired = _unpaired(names)
        if unpaired:
            yield Finding(
                "unpaired-side", WARNING, f"of category {category['name']!r} have a side and no partner", len(unpaired),
                len(names), "names", shown(unpaired), "mirrored training images would not exchange them with the other side",
                "check the spelling of the partner, for example left_knee and right_knee",
            )  # fmt: skip
    counts = {each["name"]: len(each["keypoints"]) for each in declared}
    if len(set(counts.values())) > 1:
        yield Finding(
            "different-keypoint-counts", NOTE, f"have different numbers of keypoints: {counts}", len(counts), len(counts),
            "categories", [], "one top-down model finds the keypoints of one skeleton",
            "choose with `category` in the datasets, or train one model per category",
        )  # fmt: skip
    raw_links = [category.get("skeleton") for category in _list(file.raw.get("categories")) if isinstance(category, Mapping)]
    zero = [links for links in raw_links if any(isinstance(pair, list) and 0 in pair for pair in _list(links))]
    if zero:
        yield Finding(
            "links-from-zero", WARNING, "count keypoints of `skeleton` from 0; COCO counts from 1", len(zero), len(raw_links),
            "categories", [], "other programs draw wrong limbs", "add 1 to every index", "counts from 1",
        )  # fmt: skip


def _unpaired(names: Sequence[str]) -> List[str]:
    lower = {name.lower() for name in names}
    sided = [name for name in names if "left" in name.lower() or "right" in name.lower()]
    swap = {"left": "right", "right": "left"}
    return [
        name for name in sided
        if not any(side in name.lower() and name.lower().replace(side, other) in lower for side, other in swap.items())
    ]  # fmt: skip


def _ids(file: AnnotationFile) -> Iterator[Finding]:
    images, annotations = file.content["images"], file.content["annotations"]
    ids = [as_id(each.get("id")) if isinstance(each, dict) else None for each in images]
    without = [position for position, identity in enumerate(ids) if identity is None]
    if without:
        yield Finding(
            "image-without-id", ERROR, "have no `id`", len(without), len(images), "images",
            shown([f"images[{position}]" for position in without]), "no object can belong to them", "give each image an id",
        )  # fmt: skip
    repeated = [identity for identity, count in Counter(each for each in ids if each is not None).items() if count > 1]
    if repeated:
        yield Finding(
            "duplicate-image-id", ERROR, "are the id of several images", len(repeated), len(images), "ids", shown(repeated),
            "only the first image of an id is used, with the objects of all", "give each image its own id",
        )  # fmt: skip
    listed = {(str(each.get("file_name") or ""), str(each.get("id"))) for each in images if isinstance(each, dict)}
    names = Counter(name for name, _ in listed)
    twice = [name for name, count in names.items() if name and count > 1]
    if twice:
        yield Finding(
            "duplicate-file-name", WARNING, "are listed under several ids", len(twice), len(images), "file names", shown(twice),
            "objects that are labelled under the other id count as missed", "list each image once",
        )  # fmt: skip
    unknown = [p for p, each in enumerate(annotations) if file.image_of(each) is None]
    if unknown:
        yield Finding(
            "unknown-image", ERROR, "belong to an image that the file does not list", len(unknown), len(annotations),
            "annotations",
            shown([file.name(p) for p in unknown]), "they are left out", "add the images, or remove the annotations",
            "removes them", keys=unknown,
        )  # fmt: skip
    own = Counter(as_id(each.get("id")) for each in annotations if isinstance(each, dict) and as_id(each.get("id")) is not None)
    shared = [identity for identity, count in own.items() if count > 1]
    if shared:
        yield Finding(
            "duplicate-annotation-id", ERROR, "are the id of several annotations", len(shared), len(annotations), "ids",
            shown(shared), "pycocotools compares only one of them, several times", "renumber the annotations",
            "renumbers them",
        )  # fmt: skip
    declared = {each["id"] for each in file.content["categories"]}
    entries = [(p, each) for p, each in enumerate(annotations) if isinstance(each, dict)]
    strange = [p for p, each in entries if as_id(each.get("category_id")) not in declared]
    if strange:
        yield Finding(
            "unknown-category", ERROR, "have a category that the file does not declare", len(strange), len(annotations),
            "annotations", shown([file.name(p) for p in strange]), "they are left out, or counted as another kind of object",
            "declare the category, or correct `category_id`",
        )  # fmt: skip


def _boxes_and_areas(file: AnnotationFile) -> Iterator[Finding]:
    raw = file.raw["annotations"]
    found: Dict[str, List[int]] = defaultdict(list)
    for position, entry in file.objects:
        written = raw[position] if isinstance(raw[position], Mapping) else {}
        box, area = written.get("bbox"), entry.get("area")
        if box is None:
            found["no-box"].append(position)
        elif not isinstance(box, list) or len(box) != 4 or not all(is_number(value) for value in box):
            found["unreadable-box"].append(position)
        elif box[2] <= 0 or box[3] <= 0:
            found["empty-box"].append(position)
        elif _outside(box, file.image_of(entry)):
            found["box-outside-image"].append(position)
        if area is not None and (not is_number(area) or area <= 0):
            found["area-zero"].append(position)
        elif area is not None and isinstance(box, list) and len(box) == 4 and all(is_number(value) for value in box):
            share = area / max(box[2] * box[3], 1e-9)
            if box[2] > 0 and box[3] > 0 and share < SMALLEST_AREA_PER_BOX:
                found["area-placeholder"].append(position)
            elif box[2] > 0 and box[3] > 0 and share > AREA_TOLERANCE:
                found["area-larger-than-box"].append(position)
    total = len(file.objects)
    words = {
        "no-box": (NOTE, "have no box", "crops are made around the extent of their keypoints, which a detector's box exceeds",
                   "draw boxes, or set `box: extent` in the datasets", ""),
        "unreadable-box": (ERROR, "have a box that is not four numbers", "they are left out",
                           "write [x, y, width, height] in pixels", "takes the extent of the keypoints"),
        "empty-box": (ERROR, "have a box without extent", "they are left out: no crop can be made",
                      "draw the box again", "takes the extent of the keypoints"),
        "box-outside-image": (ERROR, "have a box that lies outside the image or far beyond it", "the crop shows little of "
        "the object",
                              "check the box, and whether the image was scaled or cut after labelling", "cuts it to the image"),
        "area-zero": (ERROR, "have area 0 or less, or an area that is not a number", "they are left out: OKS divides by the area",
                      "write the object's area in pixels, or remove `area`", "removes `area`, so that .53 of the box is taken"),
        "area-placeholder": (ERROR, f"have an area below {SMALLEST_AREA_PER_BOX:.0%} of their box", "OKS and AP come out near 0",
                             "write the object's area in pixels, or remove `area`", "removes `area`, so that .53 of the "
                             "box is taken"),
        "area-larger-than-box": (WARNING, "have an area larger than their box", "OKS is too generous", "check area and box",
                                 "removes `area`, so that .53 of the box is taken"),
    }  # fmt: skip
    for kind, (severity, what, why, advice, fix) in words.items():
        places = found[kind]
        if places:
            yield Finding(kind, severity, what, len(places), total, "objects", shown([file.name(p) for p in places]), why, advice,
                          fix, keys=places)  # fmt: skip


def _outside(box: Sequence[float], image: Any) -> bool:
    """Whether less than half of a box lies in its image."""
    width, height = (image or {}).get("width") or 0, (image or {}).get("height") or 0
    if not width or not height:
        return False
    inside = max(min(box[0] + box[2], width) - max(box[0], 0), 0) * max(min(box[1] + box[3], height) - max(box[1], 0), 0)
    return bool(inside < 0.5 * box[2] * box[3])


def _lists(file: AnnotationFile) -> Iterator[Finding]:
    lengths = {each["id"]: len(each["keypoints"]) for each in file.content["categories"] if each.get("keypoints")}
    usual: int = max(lengths.values()) if lengths else file.table.keypoints.shape[1]
    wrong, unreadable, miscounted = [], [], []
    for position, entry in file.objects:
        keypoints = entry.get("keypoints")
        if keypoints is None:
            continue
        if not isinstance(keypoints, list):
            unreadable.append(position)
        elif len(keypoints) != 3 * int(lengths.get(as_id(entry.get("category_id")), usual)):
            wrong.append(position)
        elif not are_numbers(keypoints):
            unreadable.append(position)
        elif is_number(entry.get("num_keypoints")) and entry["num_keypoints"] != sum(v > 0 for v in keypoints[2::3]):
            miscounted.append(position)
    total = len(file.objects)
    if wrong:
        yield Finding(
            "keypoint-list-length", ERROR, "have a different number of keypoints from their category", len(wrong), total,
            "objects", shown([file.name(p) for p in wrong]), "they are left out", "write 3 values (x, y, v) per keypoint, in the "
            "category's order",
        )  # fmt: skip
    if unreadable:
        yield Finding(
            "unreadable-keypoints", ERROR, "have keypoints that are not finite numbers", len(unreadable), total, "objects",
            shown([file.name(p) for p in unreadable]), "they are left out", "write x, y and v as numbers, 0, 0, 0 where "
            "unlabelled",
        )  # fmt: skip
    if miscounted:
        yield Finding(
            "num-keypoints", WARNING, "have a `num_keypoints` that is not the number of labelled points", len(miscounted), total,
            "objects", shown([file.name(p) for p in miscounted]),
            "other programs leave out objects with 0, and count those without labels", "count the points with v above 0",
            "counts them", keys=miscounted,
        )  # fmt: skip


def _visibility(file: AnnotationFile) -> Iterator[Finding]:
    table = file.table
    v = table.keypoints[..., 2]
    total = v.size
    codes = ~np.isin(v, (0, 1, 2))
    if codes.any():
        values = ", ".join(f"{value:g}" for value in np.unique(v[codes])[:5])
        yield Finding(
            "visibility-code", ERROR, f"have a visibility of {values} instead of 0, 1 or 2", int(codes.sum()), total, "points",
            _point_names(file, codes), "anything above 0 is trained as labelled; confidences of a model are not labels",
            "0 is not labelled, 1 hidden, 2 visible", "makes values above 0 labelled (1 stays 1, others become 2), others 0",
            keys=True,
        )  # fmt: skip
    origin = (v > 0) & (table.keypoints[..., :2] == 0).all(axis=-1)
    if origin.any():
        yield Finding(
            "labelled-at-origin", ERROR, "are labelled and lie at 0, 0", int(origin.sum()), total, "points",
            _point_names(file, origin), "points that a tool left out are trained as if they were in the corner",
            "set v to 0 where a point is not labelled", "sets v to 0", keys=True,
        )  # fmt: skip
    ghosts = (v == 0) & (table.keypoints[..., :2] != 0).any(axis=-1)
    if ghosts.any():
        yield Finding(
            "unlabelled-with-coordinates", NOTE, "have v = 0 and coordinates", int(ghosts.sum()), total, "points",
            _point_names(file, ghosts), "they are not trained; some tools keep the last place of absent points there",
            "if they are labels, set v to 1 or 2", "sets them to 0, 0, 0", keys=True,
        )  # fmt: skip


def _points(file: AnnotationFile) -> Iterator[Finding]:
    table = file.table
    total = int(table.labelled.sum())
    outside = outside_image(table.keypoints, table.image_wh) & table.labelled
    if outside.any():
        yield Finding(
            "point-outside-image", ERROR, "lie outside their image", int(outside.sum()), total, "labelled points",
            _point_names(file, outside), "they are trained at a place that the network cannot see",
            "check whether the image was scaled or cut after labelling", "sets v to 0", keys=True,
        )  # fmt: skip
    excess = box_excess(table.keypoints, table.box_xywh)
    origin = (table.keypoints[..., :2] == 0).all(axis=-1)
    strayed = np.array([_outside(box, {"width": w, "height": h}) for box, (w, h) in zip(table.box_xywh, table.image_wh)], bool)
    known = table.labelled & np.isfinite(excess) & ~outside & ~origin & ~strayed.reshape(-1, 1)
    limit = float(np.clip(4 * np.percentile(excess[known], 99), *BOX_EXCESS)) if known.any() else BOX_EXCESS[1]
    far = known & (excess > limit)
    if far.any():
        yield Finding(
            "point-outside-box", WARNING, f"lie more than {limit:.0%} of the box's longer side outside their box", int(far.sum()),
            total, "labelled points", _point_names(file, far), "the crop may not show them; often the point or the box is "
            "another object's",
            "look at these objects: ppdet dataset browse",
        )  # fmt: skip


def outside_image(keypoints: np.ndarray, image_wh: np.ndarray) -> np.ndarray:
    """(N, K) whether points lie outside images of known size, by more than `IMAGE_TOLERANCE`."""
    xy, limit = keypoints[..., :2], image_wh[:, None] - 1
    beyond = np.maximum(-xy, xy - limit).max(axis=-1)
    known = np.asarray((image_wh > 0).all(axis=1))
    outside: np.ndarray = (beyond > IMAGE_TOLERANCE) & known[:, None]
    return outside


def box_excess(keypoints: np.ndarray, box_xywh: np.ndarray) -> np.ndarray:
    """(N, K) distance outside the box as a share of its longer side, at least 0; NaN without a box."""
    low, high = box_xywh[:, None, :2], box_xywh[:, None, :2] + box_xywh[:, None, 2:]
    beyond = np.maximum(low - keypoints[..., :2], keypoints[..., :2] - high).max(axis=-1)
    side = np.where((box_xywh[:, 2:] > 0).all(axis=1), box_xywh[:, 2:].max(axis=1, initial=-np.inf), np.nan)
    share: np.ndarray = np.maximum(beyond, 0) / side[:, None]
    return share


def _repeated(file: AnnotationFile) -> Iterator[Finding]:
    table = file.table
    some = np.flatnonzero(table.labelled.any(axis=1))
    points = np.where(table.labelled[..., None], table.keypoints, 0)[some]
    pairs = [(int(some[a]), int(some[b])) for a, b in listed_twice(table.image[some], points, table.side[some])]
    if pairs:
        second = sorted({int(table.position[b]) for _, b in pairs})
        places = [f"{file.name(int(table.position[a]))} = {file.name(int(table.position[b]))}" for a, b in pairs]
        yield Finding(
            "duplicate-object", ERROR, "are listed twice", len(second), len(table), "objects", shown(places),
            "the second counts as missed in an evaluation, which can halve AP, and weighs double in training",
            "remove the second", "removes the second", keys=second,
        )  # fmt: skip


def _point_names(file: AnnotationFile, mask: np.ndarray) -> List[str]:
    """The first objects and keypoints of an (N, K) mask."""
    names = file.skeleton.names if file.skeleton is not None else [f"keypoint {k}" for k in range(mask.shape[1])]
    rows, columns = np.nonzero(mask)
    return [f"{file.name(int(file.table.position[row]))} {names[k]}" for row, k in zip(rows[:5], columns[:5])]


def _list(value: Any) -> List[Any]:
    return value if isinstance(value, list) else []
