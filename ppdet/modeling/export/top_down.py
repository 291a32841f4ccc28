"""A top-down model as a deployed graph. B batch, K keypoints, H W input pixels, h w heatmap cells."""

from __future__ import annotations

from typing import List, Sequence, Tuple

import paddle
from paddle import nn
from paddle.static import InputSpec

from ppdet.modeling.export.normalize import Normalize


class TopDownExport(nn.Layer):
    """Returns heatmaps and the index of each heatmap's peak, as in PaddleDetection's exports.

    Args:
        model: returns {"heatmap": ...}; it is switched to evaluation.
        mean, std: of the normalisation, on the scale 0 to 1.
        fuse_normalize: include the normalisation in the graph, whose input is then RGB pixels from 0 to 255.
        to_bgr: the model was trained on BGR; with `fuse_normalize` the graph reverses the channels as well.
    """

    def __init__(
        self,
        model: nn.Layer,
        mean: Sequence[float],
        std: Sequence[float],
        fuse_normalize: bool = False,
        to_bgr: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.normalize = Normalize(mean, std, to_bgr=to_bgr) if fuse_normalize else None
        self.eval()

    def forward(self, image: paddle.Tensor) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """(B, 3, H, W) -> heatmaps (B, K, h, w), peaks (B, K) int64, counting cells row by row."""
        if self.normalize is not None:
            image = self.normalize(image)
        heatmap = self.model(image)["heatmap"]
        return heatmap, heatmap.flatten(2).argmax(axis=-1)

    @staticmethod
    def input_spec(input_wh: Tuple[int, int], batch: int = -1) -> List[InputSpec]:
        """Input specification: one input ``image``; any number of persons unless `batch` fixes it."""
        width, height = input_wh
        return [InputSpec([batch, 3, height, width], "float32", name="image")]
