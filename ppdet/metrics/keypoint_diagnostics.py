"""Per-keypoint diagnostics: mean similarity and PCK over matched persons, and keypoints that coincide.

Every labelled person is compared with the prediction of the image that has the highest OKS with it, whatever its score; in
images without predictions all persons are missed. These figures help to explain an AP.

Axes: N labelled persons, P predictions of one image, K keypoints.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Mapping, Sequence

import numpy as np

PCK_SHARE_OF_BOX = 0.1
COINCIDING = 0.25
"""Two predicted keypoints coincide if they are closer than this fraction of their true distance."""
MOST_PERSONS = 0.7
FEWEST_PERSONS = 10
FEWEST_PIXELS_APART = 3


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
        `pck` (K,): fraction within 0.1 x the longer side of the box; `count` (K,): labelled keypoints.
        Values of keypoints that are never labelled are NaN. `matched_xy` (M, K, 2) and `truth` (M, K, 3) are the matched
        predictions and their
        persons, for `coinciding`.
    """
    predicted = defaultdict(list)
    for result in results:
        predicted[result["image_id"]].append(result["keypoints"])
    num_keypoints = len(sigmas)
    similarity, near, count = (np.zeros(num_keypoints) for _ in range(3))
    matched, truths = [np.zeros((0, num_keypoints, 2))], [np.zeros((0, num_keypoints, 3))]
    for annotation in annotations:
        candidates = predicted.get(annotation["image_id"])
        if annotation.get("iscrowd") or not annotation.get("num_keypoints"):
            continue
        truth = np.asarray(annotation["keypoints"], dtype=np.float64).reshape(num_keypoints, 3)
        visible = truth[:, 2] > 0
        truth[~visible] = 0  # files may contain any numbers there
        count += visible
        if not candidates:
            continue
        xy = np.asarray(candidates, dtype=np.float64).reshape(len(candidates), num_keypoints, 3)[..., :2]
        squared = ((xy - truth[None, :, :2]) ** 2).sum(-1)
        terms = np.exp(-squared / (8 * np.square(sigmas) * max(annotation["area"], 1e-9)))
        best = int(terms[:, visible].mean(axis=1).argmax())
        matched.append(xy[best : best + 1])
        truths.append(truth[None])
        longer_side = max(annotation["bbox"][2:4])
        similarity += np.where(visible, terms[best], 0)
        near += visible & (squared[best] <= (PCK_SHARE_OF_BOX * longer_side) ** 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        figures = {"similarity": similarity / count, "pck": near / count, "count": count}
    return {**figures, "matched_xy": np.concatenate(matched), "truth": np.concatenate(truths)}


def coinciding(xy: np.ndarray, truth: np.ndarray, names: Sequence[str]) -> list[str]:
    """Sentences on pairs of keypoints that nearly all predictions place on one spot, although their labels are apart.

    PCK cannot show this if the two are closer than its threshold, because a point between them is correct for both. The most
    common cause is training with mirrored images on data whose objects all face the same way.

    Args:
        xy: (M, K, 2) predictions.
        truth: (M, K, 3) x, y, visibility of their persons.
        names: K names.
    """
    found = []
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            both = (truth[:, [a, b], 2] > 0).all(axis=1)
            apart = np.linalg.norm(truth[:, a, :2] - truth[:, b, :2], axis=1)
            both &= apart > FEWEST_PIXELS_APART
            if both.sum() < FEWEST_PERSONS:
                continue
            together = np.linalg.norm(xy[:, a] - xy[:, b], axis=1) < COINCIDING * apart
            if together[both].mean() >= MOST_PERSONS:
                found.append(
                    f"{names[a]} and {names[b]} coincide in {together[both].sum()} of {both.sum()} predictions, and are "
                    f"{np.median(apart[both]):.0f} pixels apart in the annotations (median). Was the model trained with mirrored "
                    "images on objects that all face one way? Then train with flip: false"
                )
    return found


def keypoint_table(names: Sequence[str], scores: Mapping[str, np.ndarray]) -> str:
    """Per-keypoint table from `per_keypoint_scores`; keypoints that were never labelled show a dash."""
    rows = ["| keypoint | labelled | mean OKS term | PCK@0.1 box |", "|---|---|---|---|"]
    for index, name in enumerate(names):
        count = int(scores["count"][index])
        figures = (f"{scores['similarity'][index]:.3f}", f"{scores['pck'][index]:.3f}") if count else ("-", "-")
        rows.append(f"| {name} | {count} | {figures[0]} | {figures[1]} |")
    return "\n".join(rows)
