"""Coordinates that belong to another frame: fractions of the image, a crop, a scaled, turned or mirrored image, y before x.

Each reading is tried on all labelled points, and taken if it brings nearly all of them into their boxes, and the file as it
is does not. Legend: N objects, K keypoints.
"""

from __future__ import annotations

from typing import Callable, Dict, Iterator, Tuple

import numpy as np

from ppdet.annotations.layout_checks import (
    boxes_as_corners,
    fractions_instead_of_pixels,
    other_box_layout,
    persons_in_fractions,
)
from ppdet.data.checking.annotation_file import AnnotationFile, PoseTable
from ppdet.data.checking.entries import outside_image
from ppdet.data.checking.finding import ERROR, Finding, shown

FEWEST_POINTS = 10
BAD, GOOD = 0.6, 0.9
"""Share of the points inside their box (with a margin of .1 of its longer side): below the first the file is suspicious; a
reading must reach the second."""
MARGIN = 0.1
SCALES = (0.25, 0.5, 2.0, 4.0)
_CLOSE = 0.15
"""Relative tolerance of a scale: how near the median ratio of box and keypoint extents must be to the wanted size."""

_OF_IMAGE = "fractions"
Reading = Callable[[PoseTable], np.ndarray]


def check_frames(file: AnnotationFile) -> Iterator[Finding]:
    """Coordinates of another frame, and boxes in another layout."""
    table = file.table
    with_box = np.isfinite(table.box_xywh).all(axis=1) & table.labelled.any(axis=1)
    fractions = fractions_instead_of_pixels(table.keypoints, table.box_xywh[with_box])
    count = len(table)
    if fractions == "keypoints" and _fit(table, "fractions-of-box") > _fit(table, _OF_IMAGE):
        words, fix = _WORDS["fractions-of-box"]
        yield _finding(file, "fractions-of-box", count, words, fix, "fractions-of-box")
        return
    if fractions:
        yield _finding(
            file, "fractions", count, f"have {fractions} as fractions of the image", "multiplies them by width and "
            "height", fractions
        )
        return
    layout = other_box_layout(table.keypoints[with_box], table.box_xywh[with_box])
    if layout == "[y, x, height, width]":
        yield _axes_exchanged(file, int(with_box.sum()))
        return
    if layout:
        yield Finding(
            "box-layout", ERROR, f"have boxes that fit their keypoints as {layout}, not as [x, y, width, height]",
            int(with_box.sum()), count, "objects", [], "crops are made around the wrong place",
            "write [x, y, width, height]", "writes [x, y, width, height]", keys=layout,
        )  # fmt: skip
        return
    yield from _of_single_objects(file)
    name = frame_of(table)
    if name:
        words, fix = _WORDS[name]
        yield _finding(file, name, count, words, fix, name)


def _of_single_objects(file: AnnotationFile) -> Iterator[Finding]:
    """Objects in another frame among objects that are right."""
    table = file.table
    points = np.where(table.labelled[..., None], table.keypoints, 0)
    for kind, mask, words, why, advice in (
        ("fractions", persons_in_fractions(points), "have keypoints as fractions of the image, unlike the others",
         "they are left out", "write pixels: multiply x by the image's width and y by its height"),
        ("corners", boxes_as_corners(points, table.box_xywh), "have a box that fits their keypoints as [x1, y1, x2, y2], unlike "
         "the others", "their crops are too large", "write [x, y, width, height]"),
    ):  # fmt: skip
        rows = np.flatnonzero(mask)
        if len(rows):
            places = shown([file.name(int(table.position[row])) for row in rows])
            yield Finding(f"some-{kind}", ERROR, words, len(rows), len(table), "objects", places, why, advice)


def _axes_exchanged(file: AnnotationFile, count: int) -> Finding:
    """Keypoints or boxes have y before x; what lies outside the images shows which, if anything does."""
    table = file.table
    points = outside_image(table.keypoints, table.image_wh)[table.labelled].any()
    turned_points = outside_image(table.keypoints[..., [1, 0, 2]], table.image_wh)[table.labelled].any()
    words, fix = _WORDS["y-before-x"]
    if points and not turned_points:
        return _finding(file, "y-before-x", count, words, fix, "y-before-x")
    if turned_points and not points:
        return Finding(
            "box-layout", ERROR, "have boxes that fit their keypoints as [y, x, height, width], not as [x, y, width, "
            "height]", count,
            len(table), "objects", [], "crops are made around the wrong place", "write [x, y, width, height]",
            "writes [x, y, width, height]", keys="[y, x, height, width]",
        )  # fmt: skip
    return Finding(
        "axes-exchanged", ERROR, "have y before x in either keypoints or boxes; both lie inside their images, so it is "
        "unclear which",
        count, len(table), "objects", [], "crops are made around the wrong place", "write x before y in keypoints and in boxes",
    )  # fmt: skip


def frame_of(table: PoseTable) -> str:
    """Name of the reading that fits clearly better than the file as it is; "" if none does."""
    usable = np.isfinite(table.side)[:, None] & table.labelled
    if usable.sum() < FEWEST_POINTS:
        return ""
    usual = _inside(table, table.keypoints[..., :2], usable)
    if usual >= BAD:
        return ""
    shares = {name: _inside(table, reading(table), usable) for name, reading in READINGS.items()}
    best = max(shares, key=lambda each: shares[each])
    return best if shares[best] >= GOOD else ""


def _fit(table: PoseTable, name: str) -> float:
    """Share of the labelled points inside their boxes under a reading."""
    usable = np.isfinite(table.side)[:, None] & table.labelled
    reading = _of_image if name == _OF_IMAGE else READINGS[name]
    return _inside(table, reading(table), usable) if usable.any() else 0.0


def _of_image(table: PoseTable) -> np.ndarray:
    xy: np.ndarray = table.keypoints[..., :2] * table.image_wh[:, None]
    return xy


def _relative_to_box(table: PoseTable) -> np.ndarray:
    return table.keypoints[..., :2] + table.box_xywh[:, None, :2]


def _y_before_x(table: PoseTable) -> np.ndarray:
    return table.keypoints[..., 1::-1]


def _mirrored(table: PoseTable) -> np.ndarray:
    x = table.image_wh[:, None, 0] - 1 - table.keypoints[..., 0]
    return np.stack([x, table.keypoints[..., 1]], axis=-1)


def _upside_down(table: PoseTable) -> np.ndarray:
    y = table.image_wh[:, None, 1] - 1 - table.keypoints[..., 1]
    return np.stack([table.keypoints[..., 0], y], axis=-1)


def _fractions_of_box(table: PoseTable) -> np.ndarray:
    xy: np.ndarray = table.box_xywh[:, None, :2] + table.keypoints[..., :2] * table.box_xywh[:, None, 2:]
    small = (np.abs(table.keypoints[..., :2]) <= 1.5).all(axis=-1, keepdims=True)
    return np.where(small, xy, np.inf)


def _scaled(factor: float) -> Reading:
    return lambda table: table.keypoints[..., :2] * factor


READINGS: Dict[str, Reading] = {
    "relative-to-box": _relative_to_box,
    "y-before-x": _y_before_x,
    "mirrored": _mirrored,
    "upside-down": _upside_down,
    "fractions-of-box": _fractions_of_box,
    **{f"scaled-{factor:g}": _scaled(factor) for factor in SCALES},
}
_WORDS: Dict[str, Tuple[str, str]] = {
    "relative-to-box": ("have keypoints relative to the corner of their box", "adds the corner"),
    "y-before-x": ("have keypoints as y, x", "swaps x and y"),
    "mirrored": ("have keypoints of the mirrored image", "mirrors x"),
    "upside-down": ("have keypoints that count y from the bottom", "flips y"),
    "fractions-of-box": ("have keypoints as fractions of their box", "multiplies by the box"),
    **{
        f"scaled-{factor:g}": (f"have keypoints of an image {1 / factor:g} times as large as that of the boxes",
                               f"multiplies by {factor:g}")
        for factor in SCALES
    },
}  # fmt: skip


def _inside(table: PoseTable, xy: np.ndarray, usable: np.ndarray) -> float:
    margin = MARGIN * table.side[:, None, None]
    low = table.box_xywh[:, None, :2] - margin
    high = table.box_xywh[:, None, :2] + table.box_xywh[:, None, 2:] + margin
    with np.errstate(invalid="ignore"):
        return float(((xy >= low) & (xy <= high)).all(axis=-1)[usable].mean())


def _finding(file: AnnotationFile, kind: str, count: int, words: str, fix: str, keys: str) -> Finding:
    return Finding(
        f"other-frame-{kind}", ERROR, words, count, count, "objects", [], "the network learns wrong places",
        "export pixel coordinates of the whole image, from its top-left corner", fix, keys=keys,
    )  # fmt: skip
