"""The card of an ONNX model of another toolkit, in the form that pipeline and estimators take."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ppdet.inference.model_card import PADDING_KEY, ModelCard
from ppdet.inference.onnx_models.layouts import DETECTION
from ppdet.inference.onnx_models.settings import OnnxSettings
from ppdet.inference.runtimes.onnx_header import OnnxHeader

ARCH = "ONNX"


@dataclass
class OnnxModelCard(ModelCard):
    """A `ModelCard` whose settings come from the ONNX file and from a few lines beside it.

    Attributes:
        settings: how the network is fed and what its outputs mean.
        header: what the file says about itself.
        has_heatmaps_last: heatmaps come out as (N, h, w, K); `ordered` turns them.
        layout_is_sure: the layout is stated, or can be no other; if not, the first outputs decide between two that look alike.
    """

    settings: Any = None
    header: Any = None
    layout_is_sure: bool = True
    has_heatmaps_last: bool = False

    @property
    def kind(self) -> str:
        """Kind of model, by the layout."""
        return self.layout_settings.kind

    @property
    def layout_settings(self) -> OnnxSettings:
        """`settings`, typed."""
        assert isinstance(self.settings, OnnxSettings)
        return self.settings

    def ordered(self, outputs: list[Any], wanted: Sequence[str]) -> list[Any]:
        """See `ModelCard`: by the names in the file, if all are there; heatmaps with channels first."""
        if self.has_heatmaps_last:
            outputs = [array.transpose(0, 3, 1, 2) if array.ndim == 4 else array for array in outputs]
        names = [each.name for each in self.file_header.outputs]
        if len(names) != len(outputs) or not set(wanted) <= set(names):
            return outputs
        return [outputs[names.index(name)] for name in wanted]

    @property
    def file_header(self) -> OnnxHeader:
        """`header`, typed."""
        assert isinstance(self.header, OnnxHeader)
        return self.header


def make_card(header: OnnxHeader, settings: OnnxSettings, layout_is_sure: bool, **more: Any) -> OnnxModelCard:
    """The card of a file with these settings; `more` are further fields of the card."""
    labels = list(settings.labels) or (["person"] if settings.kind == DETECTION else ["keypoint"])
    return OnnxModelCard(
        arch=ARCH, preprocess=[settings.operation], label_list=labels, mode="onnx", input_wh=settings.input_wh,
        extra={PADDING_KEY: settings.padding}, model_dir=header.path, settings=settings, header=header,
        layout_is_sure=layout_is_sure, **more,
    )  # fmt: skip
