"""From images to boxes and keypoints with an exported model."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "BottomUpEstimator": "bottom_up",
        "BoxDetector": "detector",
        "Detections": "detections",
        "PaddleDetTopDown": "paddledet_top_down",
        "TopDownEstimator": "top_down",
    },
)
