"""A top-down model as a deployed graph. B batch, K keypoints, H W input pixels, h w heatmap cells."""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

import paddle
from paddle import nn
from paddle.static import InputSpec

from ppdet.core.errors import ConfigError
from ppdet.modeling.export.normalize import Normalize

HEATMAP, PEAKS = "heatmap", "argmax"


def decoded_tensors(outputs: Dict[str, paddle.Tensor], names: Sequence[str]) -> Tuple[paddle.Tensor, ...]:
    """What a codec decodes, `Codec.output_names`, out of a network's outputs.

    Raises:
        ConfigError: the network does not give it.
    """
    if any(name not in outputs for name in names):
        raise ConfigError(
            f"the network gives {', '.join(outputs)}, and the codec decodes {', '.join(names)}: they do not belong together. A "
            "HeatmapCodec goes with TopDownHRNet, SimpleBaseline or VitPose_TopDown, a SimCCCodec with TopDownSimCC"
        )
    return tuple(outputs[name] for name in names)


class TopDownExport(nn.Layer):
    """What the codec decodes and, for decoders of heatmaps without NumPy, the index of each peak: PaddleDetection's two outputs.

    Args:
        model: returns a dict of tensors; it is switched to evaluation.
        mean, std: of the normalisation, on the scale 0 to 1.
        fuse_normalize: include the normalisation in the graph, whose input is then RGB pixels from 0 to 255.
        to_bgr: the model was trained on BGR; with `fuse_normalize` the graph reverses the channels as well.
        outputs: names of the tensors that the codec decodes, `Codec.output_names`.

    Attributes:
        output_names: of the graph's outputs, in order.
    """

    def __init__(
        self,
        model: nn.Layer,
        mean: Sequence[float],
        std: Sequence[float],
        fuse_normalize: bool = False,
        to_bgr: bool = False,
        outputs: Sequence[str] = (HEATMAP,),
    ) -> None:
        super().__init__()
        self.model = model
        self.normalize = Normalize(mean, std, to_bgr=to_bgr) if fuse_normalize else None
        self._decoded = tuple(outputs)
        self.output_names = (*outputs, PEAKS) if HEATMAP in outputs else self._decoded
        self.eval()

    def forward(self, image: paddle.Tensor) -> Tuple[paddle.Tensor, ...]:
        """(B, 3, H, W) -> the tensors by name; of heatmaps (B, K, h, w) also the peaks (B, K) int64, cells counted row by row."""
        if self.normalize is not None:
            image = self.normalize(image)
        tensors = self.model(image)
        decoded = decoded_tensors(tensors, self._decoded)
        if PEAKS not in self.output_names:
            return decoded
        return (*decoded, tensors[HEATMAP].flatten(2).argmax(axis=-1))

    @staticmethod
    def input_spec(input_wh: Tuple[int, int], batch: int = -1) -> List[InputSpec]:
        """Input specification: one input ``image``; any number of persons unless `batch` fixes it."""
        width, height = input_wh
        return [InputSpec([batch, 3, height, width], "float32", name="image")]
