"""PicoDet as a deployed graph, in the three forms PaddleDetection exports.

Legend: B batch, C classes, l cells of one level, L cells of all levels, R = reg_max + 1 bins, M boxes kept.
"""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

import paddle
from paddle import nn
from paddle.static import InputSpec

from ppdet.core.errors import ExportError
from ppdet.modeling.architectures.picodet import PicoDet
from ppdet.modeling.export.normalize import Normalize


class PicoDetExport(nn.Layer):
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
        mean, std: of the normalisation, on the scale 0 to 1; needed by `fuse_normalize` only.
        fuse_normalize: include the normalisation in the graph, whose input is then RGB pixels from 0 to 255.

    Raises:
        ExportError: nms without post_process or without settings in the head, or fuse_normalize without mean and std.
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
        super().__init__()
        if nms and not post_process:
            raise ExportError("suppression needs decoded boxes: set export.post_process: true, or export.nms: false")
        if nms and model.head.nms is None:
            raise ExportError("the head has no nms section; add `nms: {name: MultiClassNMS, ...}`, or set export.nms: false")
        if fuse_normalize and (mean is None or std is None):
            raise ExportError("fuse_normalize needs the mean and std of NormalizeImage in TestReader's sample_transforms")
        self.model = model
        self.post_process = post_process
        self.nms = nms
        self.normalize = Normalize(mean, std) if fuse_normalize and mean is not None and std is not None else None
        self.eval()

    @property
    def arch(self) -> str:
        """Name of this form in infer_cfg.yml, by which runtimes choose their decoding."""
        return "GFL" if self.post_process else "PicoDet"

    def forward(self, image: paddle.Tensor, scale_factor: Optional[paddle.Tensor] = None) -> Tuple[paddle.Tensor, ...]:
        """(B, 3, H, W), and for NMS (B, 2) factors y, x from image to input pixels -> see the class."""
        outputs = self.model(image if self.normalize is None else self.normalize(image))
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

    def input_spec(self, input_wh: Tuple[int, int], batch: int = -1) -> List[InputSpec]:
        """Input specification; any number of images unless `batch` fixes it."""
        width, height = input_wh
        specs = [InputSpec([batch, 3, height, width], "float32", name="image")]
        if self.nms:
            specs.append(InputSpec([batch, 2], "float32", name="scale_factor"))
        return specs
