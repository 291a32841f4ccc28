"""Which prediction belongs to which labelled object: one to one within an image, by the greatest total OKS.

Legend: N labelled objects, P predictions of an image, K keypoints.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Sequence

import numpy as np

from ppdet.geometry.assignment import assign
from ppdet.geometry.oks import oks_matrix

_NEARNESS = 1e-3
"""Weight of the distance where OKS is 0 for all, so that far predictions still go to the nearest object."""


@dataclass(frozen=True)
class MatchedObjects:
    """Labelled objects and their predictions.

    Attributes:
        image: (N,) image numbers of the ground truth.
        truth: (N, K, 3) x, y, visibility, zero where not labelled.
        box_xywh: (N, 4).
        area: (N,).
        xy: (N, K, 2) predictions, NaN for objects without one.
        scores: (N, K) keypoint scores, NaN for objects without a prediction.
        annotation: (N,) row of the object in the list of annotations.
        result: (N,) row of the prediction in the list of results, -1 for none.
    """

    image: np.ndarray
    truth: np.ndarray
    box_xywh: np.ndarray
    area: np.ndarray
    xy: np.ndarray
    scores: np.ndarray
    annotation: np.ndarray
    result: np.ndarray

    def __len__(self) -> int:
        return len(self.image)


def match_objects(
    annotations: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]], sigmas: np.ndarray
) -> MatchedObjects:
    """Match the predictions of each image with its labelled objects.

    Args:
        annotations: completed by `CocoGroundTruth`; crowds and objects without labelled keypoints are left out.
        results: entries from `CocoGroundTruth.for_coco`.
        sigmas: (K,).
    """
    count = len(sigmas)
    rows = [row for row, each in enumerate(annotations) if not each.get("iscrowd") and each.get("num_keypoints")]
    truth = np.array([annotations[row]["keypoints"] for row in rows], np.float64).reshape(len(rows), count, 3)
    truth[truth[..., 2] <= 0] = 0
    area = np.array([annotations[row]["area"] for row in rows], np.float64)
    image = np.array([annotations[row]["image_id"] for row in rows], np.int64)
    predicted: Dict[int, List[int]] = defaultdict(list)
    for row, result in enumerate(results):
        predicted[result["image_id"]].append(row)
    found = np.full(len(rows), -1, np.int64)
    for number in np.unique(image):
        candidates = predicted.get(int(number))
        if candidates:
            objects = np.flatnonzero(image == number)
            poses = _poses([results[row] for row in candidates], count)
            first, second = assign(-_similarity(truth[objects], area[objects], poses[..., :2], sigmas))
            found[objects[first]] = np.array(candidates)[second]
    poses = np.full((len(rows), count, 3), np.nan)
    if (found >= 0).any():
        poses[found >= 0] = _poses([results[row] for row in found[found >= 0]], count)
    boxes = np.array([annotations[row]["bbox"] for row in rows], np.float64).reshape(-1, 4)
    return MatchedObjects(image, truth, boxes, area, poses[..., :2], poses[..., 2], np.array(rows, np.int64), found)


def _poses(results: Sequence[Mapping[str, Any]], count: int) -> np.ndarray:
    return np.array([each["keypoints"] for each in results], np.float64).reshape(len(results), count, 3)


def _similarity(truth: np.ndarray, area: np.ndarray, xy: np.ndarray, sigmas: np.ndarray) -> np.ndarray:
    """(N, P) OKS, plus a little for being near."""
    visible = np.broadcast_to((truth[..., 2] > 0)[:, None], (len(truth), len(xy), truth.shape[1]))
    scale = np.maximum(area, 1e-9)
    # OKS of an object uses its own area only, as COCO's evaluation does.
    pairs = np.concatenate(
        [oks_matrix(truth[i : i + 1], scale[i : i + 1], xy, np.full(len(xy), scale[i]), sigmas, visible[i : i + 1])
         for i in range(len(truth))]
    )  # fmt: skip
    distance = np.linalg.norm(truth[:, None, :, :2] - xy[None], axis=-1)
    mean = (distance * visible).sum(-1) / np.maximum(visible.sum(-1), 1)
    return pairs + _NEARNESS / (1 + mean / np.sqrt(scale)[:, None])
