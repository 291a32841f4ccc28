"""Regions of people without labelled keypoints: in training they count neither as people nor as background.

COCO has two ways to write a region: polygons, whose coordinates run along the edges of pixels (0 is the left edge of the first),
and run lengths down the columns, as numbers or packed into a string (https://cocodataset.org/#format-data).

Legend: H W image pixels, V vertices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ppdet.annotations.annotated_object import FARTHEST, SIZE_TOLERANCE
from ppdet.annotations.values import is_number

MOST_PIXELS = 2**27
"""Of a run-length mask. A few bytes can claim any size; no image comes near it."""


@dataclass(frozen=True)
class Region:
    """One region.

    Attributes:
        polygons: (V, 2) float64 each, edge coordinates; the region is their union.
        runs: lengths of alternating runs outside and inside, down the columns; None for polygons.
        runs_hw: height and width that the runs fill.
    """

    polygons: Tuple[np.ndarray, ...] = ()
    runs: Optional[np.ndarray] = None
    runs_hw: Tuple[int, int] = (0, 0)


def region_of(entry: Mapping[str, Any], image_wh: Sequence[int]) -> Tuple[Optional[Region], bool]:
    """The region of an annotation: its segmentation, or its box where that is absent or cannot be drawn.

    Args:
        entry: COCO annotation.
        image_wh: size according to the annotation file, 0 where it has none.

    Returns:
        The region, None if the annotation has neither; and whether a segmentation was there that cannot be drawn.
    """
    segmentation = entry.get("segmentation")
    region = _segmentation(segmentation, image_wh) if segmentation else None
    return (_box(entry.get("bbox")) if region is None else region), bool(segmentation) and region is None


def draw_regions(regions: Sequence[Region], image_wh: Tuple[int, int]) -> np.ndarray:
    """(H, W) bool, True inside any of the regions."""
    width, height = image_wh
    mask = np.zeros((height, width), bool)
    polygons = [polygon for region in regions for polygon in region.polygons]
    if polygons:
        mask |= _fill(polygons, width, height)
    for region in regions:
        if region.runs is not None:
            inside = np.repeat(np.arange(len(region.runs)) % 2 > 0, region.runs)
            drawn = inside.reshape(region.runs_hw[1], region.runs_hw[0]).T[:height, :width]
            mask[: drawn.shape[0], : drawn.shape[1]] |= drawn
    return mask


def _fill(polygons: Sequence[np.ndarray], width: int, height: int) -> np.ndarray:
    from pycocotools import mask as coco_mask

    far = 2 * max(width, height)  # vertices beyond would cost memory by their distance, and change no pixel worth having
    flat = [np.clip(polygon, -far, far + max(width, height)).reshape(-1).tolist() for polygon in polygons]
    return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(flat, height, width))) > 0


def _segmentation(value: Any, image_wh: Sequence[int]) -> Optional[Region]:
    if isinstance(value, list):
        polygons = tuple(np.array(p, np.float64).reshape(-1, 2) for p in value if _is_polygon(p))
        return Region(polygons) if polygons else None
    return _runs(value, image_wh) if isinstance(value, dict) else None


def _is_polygon(value: Any) -> bool:
    if not isinstance(value, list) or len(value) < 6 or len(value) % 2:
        return False
    return all(is_number(v) and abs(v) < FARTHEST for v in value)


def _box(value: Any) -> Optional[Region]:
    if not isinstance(value, list) or len(value) != 4 or not all(is_number(v) and abs(v) < FARTHEST for v in value):
        return None
    x, y, width, height = (float(v) for v in value)
    if width <= 0 or height <= 0:
        return None
    return Region((np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]]),))


def _runs(value: Mapping[str, Any], image_wh: Sequence[int]) -> Optional[Region]:
    size, counts = value.get("size"), value.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not all(_is_count(n) and n > 0 for n in size):
        return None
    if isinstance(counts, str):
        counts = _unpacked(counts)
    if not isinstance(counts, list) or not all(_is_count(n) for n in counts) or sum(counts) != size[0] * size[1]:
        return None
    wanted = (image_wh[1], image_wh[0])
    if all(wanted) and max(abs(a - b) for a, b in zip(size, wanted)) > SIZE_TOLERANCE:
        return None
    if size[0] * size[1] > MOST_PIXELS:
        return None
    return Region(runs=np.array(counts, np.int64), runs_hw=(size[0], size[1]))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _unpacked(text: str) -> Optional[List[int]]:
    """Run lengths from COCO's string: five bits per character, the sixth says that more follow; from the fourth number on it is
    the difference to the one before last. None for a string that is none.

    Not pycocotools' decoder: of a string that is too short it makes a mask of uninitialised memory."""
    counts: List[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 40:
            return None
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    return None if shift else counts
