"""How far keypoints lie from those of another run of the same video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ppdet.geometry.boxes import iou_matrix
from ppdet.geometry.oks import oks_matrix
from ppdet.inference.results import PoseResult

# Keypoints of a lower score in the reference do not count, and people whose boxes overlap less are not the same.
LEAST_SCORE, LEAST_IOU = 0.2, 0.5


@dataclass(frozen=True)
class Drift:
    """Differences over a video.

    Attributes:
        people: of the reference, in all frames.
        missed, extra: of those, without a counterpart; and people without one there.
        median_px, p95_px: distances of keypoints in image pixels.
        oks: mean over the people, with the area of the reference's boxes.
    """

    people: int
    missed: int
    extra: int
    median_px: float
    p95_px: float
    oks: float


def drift_between(reference: Sequence[PoseResult], others: Sequence[PoseResult]) -> Drift:
    """Compare the results of two runs, frame by frame; people are paired by their boxes, the best overlap first."""
    distances: list[np.ndarray] = [np.zeros(0)]
    similarities: list[float] = []
    missed = extra = 0
    for one, other in zip(reference, others):
        pairs = pairs_of(iou_matrix(one.boxes, other.boxes))
        missed, extra = missed + len(one) - len(pairs), extra + len(other) - len(pairs)
        for row, column in pairs:
            seen = one.scores[row] >= LEAST_SCORE
            if not seen.any():
                continue
            distances.append(np.linalg.norm(one.keypoints[row][seen] - other.keypoints[column][seen], axis=1))
            area = np.prod(one.boxes[row][2:] - one.boxes[row][:2], keepdims=True)
            similarities.append(float(oks_matrix(one.keypoints[[row]], area, other.keypoints[[column]], area,
                                                 np.asarray(one.skeleton.sigmas), seen[None, None])[0, 0]))  # fmt: skip
    every = np.concatenate(distances)
    median, high = np.percentile(every, [50, 95]) if len(every) else (0.0, 0.0)
    oks = float(np.mean(similarities)) if similarities else 1.0
    return Drift(sum(map(len, reference)), missed, extra, float(median), float(high), oks)


def pairs_of(overlap: np.ndarray) -> list[tuple[int, int]]:
    """Rows and columns of an (N, M) matrix that belong together, the largest value first."""
    pairs: list[tuple[int, int]] = []
    left = np.array(overlap, float)
    while left.size and left.max() >= LEAST_IOU:
        row, column = np.unravel_index(left.argmax(), left.shape)
        pairs.append((int(row), int(column)))
        left[row], left[:, column] = -1, -1
    return pairs
