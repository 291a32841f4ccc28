"""A YOLOv3-family detector as a deployed graph, with PaddleDetection's inputs.

Legend: B batch, C classes, L predictions of all levels, M boxes kept.
"""

from __future__ import annotations

from typing import Optional, Sequence, Tuple

import paddle

from ppdet.core.errors import ExportError
from ppdet.modeling.architectures.yolov3 import YOLOv3
from ppdet.modeling.export.detector import DetectorExport


class YOLOv3Export(DetectorExport):
    """The network with its decoder. Boxes are in image pixels in both forms.

    | nms | outputs |
    |---|---|
    | False | boxes xyxy (B, L, 4), scores (B, C, L) |
    | True | rows (M, 6) label, score, x1, y1, x2, y2; counts (B,) |

    Args:
        model: the detector; it is switched to evaluation.
        post_process: must be true: runtimes do not decode these maps.
        nms: include the suppression in the graph. An ONNX file never holds it: paddle2onnx does not convert Matrix NMS.
        mean, std, fuse_normalize: see `DetectorExport`.

    Raises:
        ExportError: see `DetectorExport`, or post_process is false.
    """

    onnx_holds_nms = False

    def __init__(
        self,
        model: YOLOv3,
        post_process: bool = True,
        nms: bool = True,
        mean: Optional[Sequence[float]] = None,
        std: Optional[Sequence[float]] = None,
        fuse_normalize: bool = False,
    ) -> None:
        if not post_process:
            raise ExportError("a YOLOv3 model is exported with decoded boxes only: set export.post_process: true")
        classes = model.yolo_head.num_classes
        super().__init__(model, model.post_process.nms, classes, post_process, nms, mean, std, fuse_normalize)

    @property
    def arch(self) -> str:
        """See `DetectorExport.arch`."""
        return "YOLO"

    @property
    def input_names(self) -> Tuple[str, ...]:
        """See `DetectorExport.input_names`."""
        return ("image", "im_shape", "scale_factor")

    def forward(
        self, image: paddle.Tensor, im_shape: paddle.Tensor, scale_factor: paddle.Tensor
    ) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """Boxes and scores, or rows and counts.

        Args:
            image: (B, 3, H, W).
            im_shape: (B, 2) height and width of the image content in input pixels.
            scale_factor: (B, 2) factors y, x from image to input pixels.
        """
        # Rounded: the quotient of two float32 may be just below the true size, which PaddleDetection's truncation makes one less.
        image_hw = paddle.floor(im_shape / scale_factor + 0.5)
        maps = self.maps(image)["maps"]
        boxes, scores = self.model.post_process.decode(self.model.yolo_head, maps, image_hw)
        return self.model.post_process.nms(boxes, scores) if self.nms else (boxes, scores)
