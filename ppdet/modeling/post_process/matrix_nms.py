"""Matrix NMS inside the graph (Wang et al., SOLOv2, NeurIPS 2020, sec. 3.3)."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import paddle
from paddle.vision.ops import matrix_nms

from ppdet.core.config.registry import register


@register
class MatrixNMS:
    """Lowers the score of each box by its overlap with better boxes of its class, all at once.

    The defaults are those of PaddleDetection's class; `ppdet.geometry.matrix_nms` is the same without Paddle.

    Args:
        score_threshold: boxes with lower scores are dropped first.
        post_threshold: boxes whose lowered scores are not above it are dropped.
        nms_top_k: number of best boxes per class to look at; -1 for all.
        keep_top_k: number of best boxes per image to return; -1 for all.
        use_gaussian: Gaussian instead of linear decay, with `gaussian_sigma`.
        normalized: False takes a box's width as x2 - x1 + 1, as old pixel conventions do.
        background_label: class to leave out; -1 for none.
    """

    def __init__(
        self,
        score_threshold: float = 0.05,
        post_threshold: float = 0.05,
        nms_top_k: int = -1,
        keep_top_k: int = 100,
        use_gaussian: bool = False,
        gaussian_sigma: float = 2.0,
        normalized: bool = False,
        background_label: int = 0,
    ) -> None:
        self._settings: Dict[str, Any] = {
            "score_threshold": score_threshold,
            "post_threshold": post_threshold,
            "nms_top_k": nms_top_k,
            "keep_top_k": keep_top_k,
            "use_gaussian": use_gaussian,
            "gaussian_sigma": gaussian_sigma,
            "normalized": normalized,
            "background_label": background_label,
        }

    def settings(self) -> Dict[str, Any]:
        """The settings for a suppression outside the graph, by their names in a model card."""
        return {"name": type(self).__name__, **self._settings}

    def __call__(self, boxes: paddle.Tensor, scores: paddle.Tensor) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """Boxes xyxy (B, L, 4), scores (B, C, L) -> rows (M, 6) label, score, x1, y1, x2, y2; counts (B,) int32."""
        rows, counts, _ = matrix_nms(boxes, scores, **self._settings, return_index=False, return_rois_num=True)
        return rows, counts
