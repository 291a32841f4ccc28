"""FairMOT as a deployed graph.

Legend: B batch (1), D numbers of a look, h w cells, P peaks.
"""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

import paddle
import paddle.nn.functional as F
from paddle import nn
from paddle.static import InputSpec

from ppdet.core.errors import ExportError
from ppdet.modeling.architectures.fairmot import FairMOT
from ppdet.modeling.export.normalize import Normalize

PEAK_WINDOW = 3
OUTPUT_NAMES = ("pred_dets", "pred_embs")


class FairMOTExport(nn.Layer):
    """The network and its decoding, with PaddleDetection's inputs and outputs; one image at a time.

    | input | shape |
    |---|---|
    | image | (1, 3, H, W) |
    | im_shape | (1, 2) height and width of the image within the input, without its padding |
    | scale_factor | (1, 2) factors y, x from image to input pixels |

    | output | shape |
    |---|---|
    | pred_dets | (P, 6) label, score, x1, y1, x2, y2 in image pixels, not clipped; best first, no threshold |
    | pred_embs | (P, D) looks of length 1 |

    Args:
        model: the network; it is switched to evaluation.
        mean, std: of the normalisation, on the scale 0 to 1; needed by `fuse_normalize` only.
        fuse_normalize: include the normalisation in the graph, whose input is then RGB pixels from 0 to 255.

    Raises:
        ExportError: fuse_normalize without mean and std.
    """

    output_names = OUTPUT_NAMES

    def __init__(
        self,
        model: FairMOT,
        mean: Optional[Sequence[float]] = None,
        std: Optional[Sequence[float]] = None,
        fuse_normalize: bool = False,
    ) -> None:
        super().__init__()
        if fuse_normalize and (mean is None or std is None):
            raise ExportError("fuse_normalize needs the mean and std of NormalizeImage in TestReader's sample_transforms")
        self.model = model
        self.settings = model.detector.post_process
        self.normalize = Normalize(mean, std) if fuse_normalize and mean is not None and std is not None else None
        self.eval()

    def forward(
        self, image: paddle.Tensor, im_shape: paddle.Tensor, scale_factor: paddle.Tensor
    ) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """See the class."""
        outputs = self.model(image if self.normalize is None else self.normalize(image))
        height, width = outputs["heatmap"].shape[2:]
        scores, cells = self._peaks(outputs["heatmap"])
        corners = self._corners(outputs, cells, width)
        boxes = self._in_image(corners, (height, width), im_shape, scale_factor)
        rows = paddle.concat([paddle.zeros_like(scores), scores, boxes], axis=1)
        return rows, self.model.reid.normalized(_rows(outputs["reid"], cells))

    def input_spec(self, input_wh: Tuple[int, int]) -> List[InputSpec]:
        """Input specification; the size is fixed."""
        width, height = input_wh
        pairs = [InputSpec([1, 2], "float32", name=name) for name in ("im_shape", "scale_factor")]
        return [InputSpec([1, 3, height, width], "float32", name="image"), *pairs]

    def _peaks(self, heatmap: paddle.Tensor) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """Scores (P, 1) and numbers (P,) of the cells that are the largest of their neighbourhood."""
        largest = F.max_pool2d(heatmap, PEAK_WINDOW, stride=1, padding=PEAK_WINDOW // 2)
        peaks = heatmap * (heatmap == largest).astype("float32")
        count = min(self.settings.max_per_img, int(heatmap.shape[2] * heatmap.shape[3]))
        scores, cells = paddle.topk(peaks.reshape([-1]), count)
        return scores.unsqueeze(1), cells

    def _corners(self, outputs: dict, cells: paddle.Tensor, width: int) -> paddle.Tensor:
        """(P, 4) xyxy in cells."""
        rows = paddle.floor_divide(cells, paddle.full_like(cells, width))
        columns = cells - rows * width
        centre = paddle.stack([columns, rows], axis=1).astype("float32") + _rows(outputs["offset"], cells)
        size = _rows(outputs["size"], cells)
        if self.settings.regress_ltrb:
            left_top, right_bottom = paddle.split(size, 2, axis=1)
        else:
            left_top = right_bottom = size / 2
        return paddle.concat([centre - left_top, centre + right_bottom], axis=1)

    def _in_image(
        self, corners: paddle.Tensor, map_hw: Tuple[int, int], im_shape: paddle.Tensor, scale_factor: paddle.Tensor
    ) -> paddle.Tensor:
        """(P, 4) in image pixels; of an odd padding, the smaller half comes first (`Letterbox`)."""
        stride = float(self.settings.down_ratio)
        height, width = paddle.split(im_shape, 2, axis=1)
        factor_y, factor_x = paddle.split(scale_factor, 2, axis=1)
        pad_x, pad_y = paddle.floor((map_hw[1] * stride - width) / 2), paddle.floor((map_hw[0] * stride - height) / 2)
        pads, factors = paddle.concat([pad_x, pad_y] * 2, axis=1), paddle.concat([factor_x, factor_y] * 2, axis=1)
        return (corners * stride - pads) / factors


def _rows(maps: paddle.Tensor, cells: paddle.Tensor) -> paddle.Tensor:
    """(1, D, h, w) at P cells -> (P, D)."""
    return paddle.gather(maps.reshape([maps.shape[1], -1]).transpose([1, 0]), cells)
