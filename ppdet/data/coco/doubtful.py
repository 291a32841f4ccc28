"""What is said of annotated persons that can be used and may mean something else than they say.

Legend: N persons, K keypoints.
"""

from __future__ import annotations

import re
from typing import Any, Mapping, Optional, Sequence, Set

import numpy as np

from ppdet.annotations.layout_checks import (
    away_from_box,
    boxes_as_corners,
    fractions_instead_of_pixels,
    listed_twice,
    looks_like_percent,
    other_box_layout,
)
from ppdet.core.errors import DataError
from ppdet.data.coco.person_table import PersonTable
from ppdet.data.coco.report import AnnotationReport
from ppdet.skeletons import Skeleton

VISIBILITIES = (0, 1, 2)
BEYOND_IMAGE = 0.2
"""Share of a box that lies beyond the right or lower border of its image; that of a careful annotator is near 0."""


def check_layout(table: PersonTable, own_boxes: bool, report: AnnotationReport) -> bool:
    """Judge the coordinates and boxes of the file as a whole, before any is cut or left out.

    Args:
        table: with the boxes as the file has them, [x, y, width, height].
        own_boxes: these are the annotated boxes, not derived ones.
        report: takes the remarks.

    Returns:
        Whether the boxes have COCO's layout, as far as one can see.

    Raises:
        DataError: coordinates are fractions of the image.
    """
    fractions = fractions_instead_of_pixels(table.keypoints, table.boxes_xyxy if own_boxes else table.boxes_xyxy[:0])
    if fractions:
        raise DataError(
            f"{report.source}: its {fractions} are fractions of the image, from 0 to 1; expected pixels. Multiply x by the "
            "image's width and y by its height"
        )
    layout = other_box_layout(table.keypoints, table.boxes_xyxy) if own_boxes else None
    if layout:
        keypoints = ", unless its keypoints have y before x" if layout.startswith("[y") else ""
        report.add_note(
            f"its boxes look like {layout}: read so, they fit the keypoints, read as COCO's [x, y, width, height] they do not. "
            f"Write them in COCO's layout, or the crops will be wrong{keypoints}"
        )
    return layout is None


def note_other_names(
    categories: Sequence[Mapping[str, Any]], wanted: Optional[Set[Any]], skeleton: Optional[Skeleton], report: AnnotationReport
) -> None:
    """Remark on categories that name other keypoints than the skeleton, by which keypoints are taken, or in another order.

    Args:
        categories: as `read_coco` returns them.
        wanted: ids of those that count; None for all.
        skeleton: of the config; None if it names none.
        report: takes the remarks.
    """
    if skeleton is None:
        return
    own = {_plain(name): place for place, name in enumerate(skeleton.names)}
    for category in categories:
        names = category.get("keypoints") or []
        if (wanted is not None and category["id"] not in wanted) or len(names) != skeleton.num_keypoints:
            continue
        moved = [(place, name) for place, name in enumerate(names) if own.get(_plain(name), place) != place]
        if moved:
            place, name = moved[0]
            report.add_note(
                f"its category {category['name']!r} names keypoint {place + 1} {name}, and skeleton {skeleton.name} names it "
                f"{skeleton.names[place]} ({len(moved)} differ): keypoints are taken by their place. If the file is right, put "
                "the order of the config's skeleton right, or left and right, sigmas and names will be wrong"
            )
            continue
        foreign = [str(name) for name in names if _plain(name) not in own]
        if foreign:
            report.add_note(
                f"its category {category['name']!r} names keypoints that skeleton {skeleton.name} does not have "
                f"({', '.join(foreign[:4])}): keypoints are taken by their place, with the skeleton's names and sigmas. If these "
                "are other keypoints, give the config a `skeleton` of its own (docs/config.md)"
            )


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", str(name).strip().lower())


def note_doubtful(table: PersonTable, image_wh: np.ndarray, judge_boxes: bool, report: AnnotationReport) -> None:
    """Remark on single persons: listed twice, boxes that do not fit, other visibilities; and on percent.

    Args:
        table: the persons that are used, with the boxes as the file has them, [x, y, width, height].
        image_wh: (N, 2) size of each person's image; 0 if unknown.
        judge_boxes: whether anything is to be said of the boxes.
        report: takes the remarks.
    """
    labelled = table.keypoints[..., 2:] > 0
    pairs = listed_twice(table.image_row, np.where(labelled, table.keypoints, 0), table.boxes_xyxy[:, 2:].max(axis=1, initial=1))
    if pairs:
        first, second = (table.annotation_id[row] for row in pairs[0])
        report.add_note(
            f"{len(pairs)} of {len(table)} persons are listed twice, e.g. {first} and {second}: the second counts as missed in "
            "an evaluation, which can halve AP, and weighs double in training. Remove it"
        )
    if looks_like_percent(table.keypoints, image_wh):
        report.add_note("all its keypoints are from 0 to 100, and its images are larger: are they percent? Write pixels")
    if judge_boxes:
        _note_boxes(table, image_wh, report)
    other = ~np.isin(table.keypoints[..., 2], VISIBILITIES)
    if other.any():
        report.add_note(
            f"{other.sum()} keypoints have a visibility other than 0, 1 and 2, e.g. {table.keypoints[..., 2][other][0]:g}: all "
            "above 0 count as labelled, all others do not"
        )


def _note_boxes(table: PersonTable, image_wh: np.ndarray, report: AnnotationReport) -> None:
    boxes = np.concatenate([table.boxes_xyxy[:, :2], table.boxes_xyxy[:, :2] + table.boxes_xyxy[:, 2:]], axis=1)
    corners = boxes_as_corners(table.keypoints, table.boxes_xyxy)
    away = away_from_box(table.keypoints, boxes) & ~corners
    beyond = ((boxes[:, 2:] - image_wh > BEYOND_IMAGE * table.boxes_xyxy[:, 2:]) & (image_wh > 0)).any(axis=1) & ~corners
    if corners.any():
        report.add_note(
            f"{corners.sum()} of {len(table)} boxes look like [x1, y1, x2, y2], e.g. of {table.annotation_id[corners][0]}: read "
            "so, they fit the keypoints. Write them as [x, y, width, height], or their crops will be wrong"
        )
    if away.any():
        report.add_note(
            f"{away.sum()} of {len(table)} persons have most of their keypoints outside their box, e.g. "
            f"{table.annotation_id[away][0]}: the crops will miss them. Are boxes and keypoints in pixels of the same image, "
            "and the boxes [x, y, width, height]? `ppdet dataset check` tries other readings"
        )
    if beyond.any():
        report.add_note(
            f"{beyond.sum()} of {len(table)} boxes reach far beyond their image and are cut to it, e.g. of "
            f"{table.annotation_id[beyond][0]}: are they of another size of the image?"
        )
