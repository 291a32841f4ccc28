"""A bottom-up model as a deployed graph. B batch, K keypoints, H W input pixels, T tag dimensions."""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import paddle
from paddle import nn
from paddle.static import InputSpec

from ppdet.image.normalize import IMAGENET_MEAN, IMAGENET_STD
from ppdet.modeling.architectures.higher_hrnet import averaged_maps, upsample_twice
from ppdet.modeling.export.bottom_up_candidates import BottomUpCandidates
from ppdet.modeling.export.normalize import Normalize

OUTPUT_NAMES = ("score", "xy", "offset", "tag", "cell_score", "cell_xy", "cell_tag")


class BottomUpExport(nn.Layer):
    """From images of any size to candidates, so that full-size maps (17 MB of heatmaps and 17 MB of tags at 512) stay in the
    engine.

    Args:
        model: returns {"heatmap_1x", "heatmap_2x", "tag"}; it is switched to evaluation.
        codec: an `AssociativeEmbeddingCodec`: `max_people`, `refine` and `refine_cell` are built into the graph.
        mean, std: of the normalisation, on the scale 0 to 1.
        fuse_normalize: include the normalisation in the graph, whose input is then RGB pixels from 0 to 255.
        to_bgr: the model was trained on BGR; with `fuse_normalize` the graph reverses the channels as well.

    Attributes:
        output_names: of the outputs, in order.
    """

    def __init__(
        self,
        model: nn.Layer,
        codec: Any,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        fuse_normalize: bool = False,
        to_bgr: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.normalize = Normalize(mean, std, to_bgr=to_bgr) if fuse_normalize else None
        self.candidates = BottomUpCandidates(codec.max_people, codec.refine, codec.refine_cell)
        self.output_names = OUTPUT_NAMES if codec.refine else OUTPUT_NAMES[:4]
        self.eval()

    def forward(self, image: paddle.Tensor) -> Tuple[paddle.Tensor, ...]:
        """(B, 3, H, W), H and W multiples of 64 -> what `BottomUpCandidates.forward` returns for maps of input size, T = 1."""
        if self.normalize is not None:
            image = self.normalize(image)
        heat, tags = averaged_maps(self.model(image))
        return self.candidates(upsample_twice(heat), upsample_twice(tags).unsqueeze(-1))

    @staticmethod
    def input_spec(input_wh: Tuple[int, int] = (-1, -1), batch: int = -1) -> List[InputSpec]:
        """Input specification: one input ``image``; any number of images of any size unless fixed."""
        width, height = input_wh
        return [InputSpec([batch, 3, height, width], "float32", name="image")]
