"""Base of deployed detectors: normalisation in the graph, inputs, and which part of the decoding the graph holds.

Legend: B batch, C classes, L predictions of all levels, M boxes kept.
"""

from __future__ import annotations

from typing import Any, ClassVar, Dict, List, Optional, Sequence, Tuple

import paddle
from paddle import nn
from paddle.static import InputSpec

from ppdet.core.errors import ExportError
from ppdet.modeling.export.normalize import Normalize

BOXES, SCORES, COUNTS = "boxes", "scores", "counts"
ONE_INPUT = ("image",)


class DetectorExport(nn.Layer):
    """A detector with an optional part of the decoding. Subclasses define `forward` and the class attributes.

    Args:
        model: the detector; it is switched to evaluation.
        nms: suppression of the model, None if it has none.
        num_classes: C.
        post_process: decode boxes in the graph.
        nms_inside: include the suppression in the graph; only with `post_process`.
        mean, std: of the normalisation, on the scale 0 to 1; needed by `fuse_normalize` only.
        fuse_normalize: include the normalisation in the graph, whose input is then RGB pixels from 0 to 255.

    Attributes:
        strides: of the levels of raw outputs; None if a runtime needs none.

    Raises:
        ExportError: suppression without decoded boxes or without settings, or fuse_normalize without mean and std.
    """

    strides: Optional[List[int]] = None
    onnx_holds_nms: ClassVar[bool] = True
    """Whether paddle2onnx can convert the suppression. If not, the ONNX file ends before it."""

    def __init__(
        self,
        model: nn.Layer,
        nms: Any,
        num_classes: int,
        post_process: bool = True,
        nms_inside: bool = True,
        mean: Optional[Sequence[float]] = None,
        std: Optional[Sequence[float]] = None,
        fuse_normalize: bool = False,
    ) -> None:
        super().__init__()
        if nms_inside and not post_process:
            raise ExportError("suppression needs decoded boxes: set export.post_process: true, or export.nms: false")
        if nms_inside and nms is None:
            raise ExportError("the head has no nms section; add `nms: {name: MultiClassNMS, ...}`, or set export.nms: false")
        if fuse_normalize and (mean is None or std is None):
            raise ExportError("fuse_normalize needs the mean and std of NormalizeImage in TestReader's sample_transforms")
        self.model, self.num_classes = model, num_classes
        self.post_process, self.nms = post_process, nms_inside
        self._suppression = nms
        self.normalize = Normalize(mean, std) if fuse_normalize and mean is not None and std is not None else None
        self.eval()

    @property
    def arch(self) -> str:
        """Name of this form in infer_cfg.yml, by which runtimes choose their decoding."""
        raise TypeError(f"{type(self).__name__} must define arch")

    @property
    def output_names(self) -> Tuple[str, ...]:
        """Names of the outputs in order."""
        return (BOXES, COUNTS) if self.nms else (BOXES, SCORES)

    @property
    def input_names(self) -> Tuple[str, ...]:
        """Names of the inputs in order: image (B, 3, H, W), and what `forward` takes besides."""
        return ONE_INPUT

    def nms_settings(self) -> Optional[Dict[str, Any]]:
        """Settings for a suppression outside the graph; None if the model has none."""
        return None if self._suppression is None else self._suppression.settings()

    def maps(self, image: paddle.Tensor) -> Any:
        """Outputs of the network for images that are normalised here, if at all."""
        return self.model(image if self.normalize is None else self.normalize(image))

    def input_spec(self, input_wh: Tuple[int, int], batch: int = -1) -> List[InputSpec]:
        """Input specification; any number of images unless `batch` fixes it."""
        width, height = input_wh
        specs = [InputSpec([batch, 3, height, width], "float32", name="image")]
        return specs + [InputSpec([batch, 2], "float32", name=name) for name in self.input_names[1:]]
