"""pycocotools' COCOeval as one quiet function, for any number of keypoints and for empty results."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any, Sequence

import numpy as np

KEYPOINT_STATS = ("AP", "AP50", "AP75", "AP_medium", "AP_large", "AR", "AR50", "AR75", "AR_medium", "AR_large")
BOX_STATS = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large",
             "AR_1", "AR_10", "AR_100", "AR_small", "AR_medium", "AR_large")  # fmt: skip


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
        category_ids: categories that are evaluated.
        sigmas: (K,) per-keypoint OKS sigmas; needed for keypoints. pycocotools itself knows only COCO's 17.

    Returns:
        `KEYPOINT_STATS` or `BOX_STATS` names to values. Without any result all are 0. A value is -1 where no object of
        that size exists, as in pycocotools.
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
