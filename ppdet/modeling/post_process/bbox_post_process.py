"""The part of a detector between its raw maps and its final boxes."""

from __future__ import annotations

from typing import Any, Optional

from ppdet.core.config.registry import register
from ppdet.modeling.post_process.yolo_box import YOLOBox


@register
class BBoxPostProcess:
    """Decoding and suppression, in an exported graph or outside it.

    Args:
        num_classes: accepted; the head knows it.
        decode: from maps to boxes and scores; default `YOLOBox`.
        nms: `MatrixNMS` or `MultiClassNMS`; None exports boxes without suppression only.
    """

    __shared__ = ["num_classes"]
    __inject__ = ["decode", "nms"]

    def __init__(self, num_classes: int = 80, decode: Optional[YOLOBox] = None, nms: Any = None) -> None:
        self.decode = decode or YOLOBox()
        self.nms = nms
