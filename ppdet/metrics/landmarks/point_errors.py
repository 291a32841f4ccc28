"""Distances of predicted keypoints from the truth, with the lengths that they are compared with.

Legend: N objects, K keypoints. Coordinates are image pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Sequence, Tuple

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.core.problem import short_repr
from ppdet.skeletons import Skeleton

BOX, DIAGONAL, AREA = "box", "diagonal", "area"
UNITS = (BOX, DIAGONAL, AREA)
HEAD_PAIRS = (("head_top", "upper_neck"), ("head_top", "neck"), ("top_head", "neck"), ("head", "neck"))


@dataclass(frozen=True)
class PointErrors:
    """Errors of all objects.

    Attributes:
        pixels: (N, K) distances; NaN where nothing is labelled, infinite where an object was not found at all.
        unit: (N,) reference lengths of PCK and NME in pixels; NaN where it cannot be measured.
        head: (N,) head sizes in pixels, NaN where unknown.
        group: (N,) number of the image, which the bootstrap resamples.
        millimetres: (N, K) distances, None if the pixel spacing is unknown.
    """

    pixels: np.ndarray
    unit: np.ndarray
    head: np.ndarray
    group: np.ndarray
    millimetres: Optional[np.ndarray] = None

    @property
    def missed(self) -> int:
        """Number of objects without a prediction."""
        return int(np.isinf(self.pixels).any(axis=1).sum())


def measure(
    xy: np.ndarray, truth_xy: np.ndarray, visible: np.ndarray, spacing_xy: Optional[np.ndarray] = None
) -> Tuple[np.ndarray, Optional[np.ndarray]]:
    """Distances in pixels and, with a spacing, in millimetres.

    Args:
        xy: (N, K, 2) predictions; NaN for objects that were not found.
        truth_xy: (N, K, 2).
        visible: (N, K) above 0 where labelled.
        spacing_xy: (N, 2) millimetres per pixel along x and y.

    Returns:
        Two (N, K) arrays as in `PointErrors`; the second is None without a spacing.
    """
    offset = np.asarray(xy, np.float64) - np.asarray(truth_xy, np.float64)
    labelled = np.asarray(visible) > 0

    def distance(scaled: np.ndarray) -> np.ndarray:
        length = np.where(np.isnan(scaled).any(axis=-1), np.inf, np.linalg.norm(scaled, axis=-1))
        return np.where(labelled, length, np.nan)

    return distance(offset), None if spacing_xy is None else distance(offset * spacing_xy[:, None])


def check_unit(unit: Any, skeleton: Skeleton) -> Any:
    """The reference length of PCK and NME, checked: a word of `UNITS`, or a pair of keypoint names.

    Raises:
        ConfigError: neither.
    """
    if isinstance(unit, str) and unit in UNITS:
        return unit
    if isinstance(unit, Sequence) and not isinstance(unit, str) and len(unit) == 2:
        return [skeleton.names[skeleton.index(str(name))] for name in unit]
    raise ConfigError(
        f"KeypointScores.unit is {short_repr(unit)}; expected {', '.join(UNITS)} (of the annotated object), or the names of two "
        "keypoints whose distance counts, such as [left_shoulder, right_hip]"
    )


def reference_length(
    unit: Any, skeleton: Skeleton, truth_xy: np.ndarray, visible: np.ndarray, box_wh: np.ndarray, area: np.ndarray
) -> np.ndarray:
    """(N,) lengths in pixels of a unit of `check_unit`; NaN where a keypoint of the pair is not labelled.

    Args:
        unit: "box" (longer side), "diagonal" (of the box), "area" (its square root), or a pair of keypoint names.
        skeleton: names the keypoints.
        truth_xy: (N, K, 2).
        visible: (N, K).
        box_wh: (N, 2) of the annotated boxes.
        area: (N,) of the objects.
    """
    if unit == BOX:
        return np.asarray(box_wh, np.float64).max(axis=1, initial=0)
    if unit == DIAGONAL:
        return np.linalg.norm(np.asarray(box_wh, np.float64), axis=1)
    if unit == AREA:
        return np.sqrt(np.maximum(np.asarray(area, np.float64), 0))
    return pair_distance([skeleton.index(name) for name in unit], truth_xy, visible)


def pair_distance(pair: Sequence[int], truth_xy: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """(N,) distance of two labelled keypoints; NaN where one is not labelled or both coincide."""
    a, b = pair
    length = np.linalg.norm(np.asarray(truth_xy, np.float64)[:, a] - np.asarray(truth_xy, np.float64)[:, b], axis=1)
    known = (np.asarray(visible)[:, a] > 0) & (np.asarray(visible)[:, b] > 0) & (length > 0)
    return np.where(known, length, np.nan)


def head_pair(head: Any, skeleton: Skeleton) -> Tuple[int, int]:
    """Indices of the two keypoints whose distance is the size of the head.

    Args:
        head: two names; None takes head top and neck, if the skeleton has them.
        skeleton: names the keypoints.

    Raises:
        ConfigError: no such pair.
    """
    names = set(skeleton.names)
    pair = head if head is not None else next((each for each in HEAD_PAIRS if set(each) <= names), None)
    if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
        raise ConfigError(
            f"PCKh needs the size of the head: state two keypoints of skeleton {skeleton.name!r} whose distance it is, for "
            "example KeypointScores.head: [head_top, neck]; for MPII itself use metric: KeyPointTopDownMPIIEval, or take PCK"
        )
    return skeleton.index(str(pair[0])), skeleton.index(str(pair[1]))
