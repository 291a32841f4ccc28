"""Which keypoints are good and which are not: per-keypoint similarity and PCK over matched persons.

Every labelled person is compared with the prediction of the same image that has the highest OKS with it, whatever its
score; where an image has none, its people are missed. These figures explain an AP; they are not the AP.

Axes: N labelled persons, P predictions of one image, K keypoints.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Sequence

import numpy as np

PCK_SHARE_OF_BOX = 0.1


def per_keypoint_scores(
    annotations: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]], sigmas: np.ndarray
) -> dict[str, np.ndarray]:
    """Mean similarity and PCK of each keypoint.

    Args:
        annotations: completed COCO annotations (those without labelled keypoints and crowds are left out).
        results: COCO keypoint result entries.
        sigmas: (K,) OKS sigmas.

    Returns:
        `similarity` (K,): mean of exp(-d^2 / (2 s^2 k^2)), the keypoint's own OKS term;
        `pck` (K,): share within 0.1 x the longer side of the box; `count` (K,): labelled keypoints.
        Keypoints never labelled are nan.
    """
    predicted = defaultdict(list)
    for result in results:
        predicted[result["image_id"]].append(result["keypoints"])
    num_keypoints = len(sigmas)
    similarity, near, count = (np.zeros(num_keypoints) for _ in range(3))
    for annotation in annotations:
        candidates = predicted.get(annotation["image_id"])
        if annotation.get("iscrowd") or not annotation.get("num_keypoints"):
            continue
        truth = np.asarray(annotation["keypoints"], dtype=np.float64).reshape(num_keypoints, 3)
        visible = truth[:, 2] > 0
        count += visible
        if not candidates:
            continue
        xy = np.asarray(candidates, dtype=np.float64).reshape(len(candidates), num_keypoints, 3)[..., :2]
        squared = ((xy - truth[None, :, :2]) ** 2).sum(-1)
        terms = np.exp(-squared / (8 * np.square(sigmas) * max(annotation["area"], 1e-9)))
        best = int(terms[:, visible].mean(axis=1).argmax())
        longer_side = max(annotation["bbox"][2:4])
        similarity += np.where(visible, terms[best], 0)
        near += visible & (squared[best] <= (PCK_SHARE_OF_BOX * longer_side) ** 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {"similarity": similarity / count, "pck": near / count, "count": count}
