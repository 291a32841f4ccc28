"""PicoDet as a deployed graph, in the three forms PaddleDetection exports.

Legend: B batch, C classes, l cells of one level, L cells of all levels, R = reg_max + 1 bins, M boxes kept.
"""

from __future__ import annotations

from typing import Optional, Sequence, Tuple

import paddle

from ppdet.modeling.architectures.picodet import PicoDet
from ppdet.modeling.export.detector import ONE_INPUT, DetectorExport


class PicoDetExport(DetectorExport):
    """The network with an optional part of the decoding.

    | post_process | nms | inputs | outputs |
    |---|---|---|---|
    | False | - | image | scores (B, l, C) of each level, then box logits (B, l, 4 R) of each level |
    | True | False | image | boxes xyxy (B, L, 4) in input pixels, scores (B, C, L) |
    | True | True | image, scale_factor | rows (M, 6) label, score, x1, y1, x2, y2 in image pixels; counts (B,) |

    Args:
        model: the detector; it is switched to evaluation.
        post_process: decode boxes in the graph.
        nms: include NMS in the graph; only with `post_process`.
        mean, std, fuse_normalize: see `DetectorExport`.

    Raises:
        ExportError: see `DetectorExport`.
    """

    def __init__(
        self,
        model: PicoDet,
        post_process: bool = True,
        nms: bool = True,
        mean: Optional[Sequence[float]] = None,
        std: Optional[Sequence[float]] = None,
        fuse_normalize: bool = False,
    ) -> None:
        head = model.head
        super().__init__(model, head.nms, head.num_classes, post_process, nms, mean, std, fuse_normalize)
        self.strides = list(head.fpn_stride)

    @property
    def arch(self) -> str:
        """See `DetectorExport.arch`."""
        return "GFL" if self.post_process else "PicoDet"

    @property
    def output_names(self) -> Tuple[str, ...]:
        """Names of the outputs in order; those of raw heads are numbered."""
        if self.post_process:
            return super().output_names
        levels = range(len(self.model.head.fpn_stride))
        return tuple(f"scores_{i}" for i in levels) + tuple(f"distances_{i}" for i in levels)

    @property
    def input_names(self) -> Tuple[str, ...]:
        """See `DetectorExport.input_names`."""
        return (*ONE_INPUT, "scale_factor") if self.nms else ONE_INPUT

    def forward(self, image: paddle.Tensor, scale_factor: Optional[paddle.Tensor] = None) -> Tuple[paddle.Tensor, ...]:
        """(B, 3, H, W), and for NMS (B, 2) factors y, x from image to input pixels -> see the class."""
        outputs = self.maps(image)
        if not self.post_process:
            return (*outputs["scores"], *outputs["boxes"])
        height, width = image.shape[2:]
        boxes, scores = self.model.head.decode(outputs, (height, width))
        if not self.nms:
            return boxes, scores
        assert scale_factor is not None, "the graph with suppression has two inputs"
        factor_y, factor_x = paddle.split(scale_factor, 2, axis=-1)
        factors = paddle.concat([factor_x, factor_y, factor_x, factor_y], axis=-1).unsqueeze(1)
        return self.model.head.nms(boxes / factors, scores)
