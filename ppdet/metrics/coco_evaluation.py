"""Runs pycocotools' COCOeval without output, for any number of keypoints and for empty results."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any, Mapping, Sequence

import numpy as np

KEYPOINT_STATS = ("AP", "AP50", "AP75", "AP_medium", "AP_large", "AR", "AR50", "AR75", "AR_medium", "AR_large")
CROWDPOSE_STATS = ("AP", "AP50", "AP75", "AR", "AR50", "AR75", "AP_easy", "AP_medium", "AP_hard")
BOX_STATS = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large",
             "AR_1", "AR_10", "AR_100", "AR_small", "AR_medium", "AR_large")  # fmt: skip

# Titles of these figures in tables, as in PaddleDetection; log parsers search for them.
KEYPOINT_HEADER = ("AP", "Ap .5", "AP .75", "AP (M)", "AP (L)", "AR", "AR .5", "AR .75", "AR (M)", "AR (L)")
CROWDPOSE_HEADER = ("AP", "Ap .5", "AP .75", "AR", "AR .5", "AR .75", "AP (easy)", "AP (medium)", "AP (hard)")
BOX_HEADER = ("AP", "AP .5", "AP .75", "AP (S)", "AP (M)", "AP (L)",
              "AR 1", "AR 10", "AR 100", "AR (S)", "AR (M)", "AR (L)")  # fmt: skip


def evaluate_coco(
    coco: Any,
    results: Sequence[dict[str, Any]],
    iou_type: str,
    category_ids: Sequence[int],
    sigmas: np.ndarray | None = None,
) -> dict[str, float]:
    """Run COCOeval over all images of `coco`.

    Args:
        coco: indexed ground truth (`CocoGroundTruth.coco`).
        results: COCO result entries; {image_id, category_id, keypoints, score}, for boxes `bbox` in place of keypoints.
        iou_type: "keypoints" or "bbox".
        category_ids: categories to evaluate.
        sigmas: (K,) per-keypoint OKS sigmas; needed for keypoints. pycocotools itself knows only COCO's 17.

    Returns:
        `KEYPOINT_STATS` or `BOX_STATS` names to values. Without any results all are 0. A value is -1 if there are no objects of
        that size, as in pycocotools.
    """
    from pycocotools.cocoeval import COCOeval

    names = KEYPOINT_STATS if iou_type == "keypoints" else BOX_STATS
    if not results:
        return dict.fromkeys(names, 0.0)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(coco, coco.loadRes(copy.deepcopy(list(results))), iou_type)
        evaluation.params.catIds = list(category_ids)
        if sigmas is not None:
            evaluation.params.kpt_oks_sigmas = np.asarray(sigmas, dtype=np.float64)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {name: float(value) for name, value in zip(names, evaluation.stats)}


def evaluate_crowdpose(
    coco: Any,
    results: Sequence[dict[str, Any]],
    category_ids: Sequence[int],
    sigmas: np.ndarray,
    groups: Mapping[str, Sequence[Any]],
) -> dict[str, float]:
    """Run COCOeval for objects of any size, over all images and over groups of images.

    Args:
        coco: indexed ground truth.
        results: COCO keypoint result entries.
        category_ids: categories to evaluate.
        sigmas: (K,) per-keypoint OKS sigmas.
        groups: image ids of "easy", "medium" and "hard".

    Returns:
        `CROWDPOSE_STATS` names to values: -1 for a group without objects; 0 without any results.
    """
    from pycocotools.cocoeval import COCOeval

    if not results:
        return dict.fromkeys(CROWDPOSE_STATS, 0.0)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(coco, coco.loadRes(copy.deepcopy(list(results))), "keypoints")
        evaluation.params.catIds = list(category_ids)
        evaluation.params.kpt_oks_sigmas = np.asarray(sigmas, dtype=np.float64)
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        precision, recall = _accumulated(evaluation)
        figures = [_mean(part) for part in (precision, precision[0], precision[5], recall, recall[0], recall[5])]
        for name in ("easy", "medium", "hard"):
            evaluation.params.imgIds = list(groups[name])
            figures.append(_mean(_accumulated(evaluation)[0]) if groups[name] else -1.0)
    return dict(zip(CROWDPOSE_STATS, figures))


def _accumulated(evaluation: Any) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall, with the OKS thresholds (.50, .55, ... .95) as first axis."""
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation.eval["precision"], evaluation.eval["recall"]


def _mean(values: np.ndarray) -> float:
    valid = values[values > -1]
    return float(valid.mean()) if len(valid) else -1.0
