"""Class-wise non-maximum suppression inside the graph."""

from __future__ import annotations

from typing import Tuple

import paddle

from ppdet.core.config.registry import register


@register
class MultiClassNMS:
    """Greedy suppression, one class at a time, then the best over all classes.

    Args:
        score_threshold: lower scores are dropped first.
        nms_top_k: best boxes of a class that enter; -1 for all.
        keep_top_k: best boxes of an image that leave; -1 for all.
        nms_threshold: overlap (IoU) above which the lower score goes.
        normalized: False counts a box's width as x2 - x1 + 1, as old pixel conventions do.
        nms_eta: below 1, the threshold shrinks while boxes are kept.
        background_label: class that is left out; -1 for none.
        return_index, return_rois_num, trt: PaddleDetection's keys without meaning here.
    """

    def __init__(
        self,
        score_threshold: float = 0.05,
        nms_top_k: int = -1,
        keep_top_k: int = 100,
        nms_threshold: float = 0.5,
        normalized: bool = True,
        nms_eta: float = 1.0,
        background_label: int = -1,
        return_index: bool = False,
        return_rois_num: bool = True,
        trt: bool = False,
    ) -> None:
        self.score_threshold = score_threshold
        self.nms_top_k = nms_top_k
        self.keep_top_k = keep_top_k
        self.nms_threshold = nms_threshold
        self.normalized = normalized
        self.nms_eta = nms_eta
        self.background_label = background_label

    def __call__(self, boxes: paddle.Tensor, scores: paddle.Tensor) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """Boxes xyxy (B, L, 4), scores (B, C, L) -> rows (M, 6) label, score, x1, y1, x2, y2; counts (B,) int32."""
        # Paddle has no public function for this operator; the generated one is stable over 3.0 - 3.3.
        rows, _, counts = paddle._C_ops.multiclass_nms3(
            boxes,
            scores,
            None,
            self.score_threshold,
            self.nms_top_k,
            self.keep_top_k,
            self.nms_threshold,
            self.normalized,
            self.nms_eta,
            self.background_label,
        )
        return rows, counts
