"""Class-wise non-maximum suppression inside the graph."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import paddle

from ppdet.core.config.registry import register


@register
class MultiClassNMS:
    """Greedy suppression per class, then the best boxes of all classes.

    The defaults are those of PaddleDetection's class, so that its YAML means the same here.

    Args:
        score_threshold: boxes with lower scores are dropped first.
        nms_top_k: number of best boxes per class to look at; -1 for all.
        keep_top_k: number of best boxes per image to return; -1 for all.
        nms_threshold: overlap (IoU) above which the box with the lower score is dropped.
        normalized: False takes a box's width as x2 - x1 + 1, as old pixel conventions do.
        nms_eta: below 1, the threshold shrinks while boxes are kept.
        background_label: class to leave out; -1 for none.
        return_index, return_rois_num, trt: PaddleDetection's keys; not used.
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

    def settings(self) -> Dict[str, Any]:
        """The settings for a suppression outside the graph, by their names in a model card."""
        return {
            "name": type(self).__name__,
            "score_threshold": self.score_threshold,
            "nms_threshold": self.nms_threshold,
            "nms_top_k": self.nms_top_k,
            "keep_top_k": self.keep_top_k,
        }

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
