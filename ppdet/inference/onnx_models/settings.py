"""The card of an ONNX model of another toolkit: a few lines of YAML, all of them optional if the graph speaks for itself."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import cv2

from ppdet.core.content_schema import either, list_of, mapping, number, numbered, one_of, summary, text, whole
from ppdet.core.errors import ModelDirError
from ppdet.image.letterbox import RESIZE_RULES
from ppdet.image.normalize import Normalization
from ppdet.inference.card_schema import MAX_SIDE
from ppdet.inference.onnx_models.layouts import LAYOUTS, Layout

INTERPOLATIONS = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA}
#: heatmap codecs by name: MMPose's `MSRAHeatmap` (HRNet) and `UDPHeatmap` (ViTPose, easy_ViTPose)
HEATMAP_CODECS: Mapping[str, Mapping[str, Any]] = {
    "msra": {"alignment": "affine", "grid": "stride", "decoder": "quarter", "target": "rounded", "sigma": 2.0},
    "dark": {"alignment": "affine", "grid": "stride", "decoder": "dark", "blur_kernel": 11, "sigma": 2.0},
    "udp": {"alignment": "udp", "grid": "unit", "decoder": "dark", "blur_kernel": 11, "sigma": 2.0},
}
_CHANNELS = list_of(number(-1e6, 1e6), length=3)
_CLASS = either(whole(0, 100_000), text())


def _labels(value: Any, place: str) -> Iterator[str]:
    """Names in order, or by number; the problems are those of the form that was chosen."""
    return (numbered(text()) if isinstance(value, Mapping) else list_of(text(), least=1))(value, place)


SETTINGS_RULE = mapping(
    {
        "layout": one_of(*LAYOUTS),
        "input_wh": list_of(whole(1, MAX_SIDE), length=2),
        "resize": one_of(*RESIZE_RULES),
        "pad_value": whole(0, 255),
        "margin": whole(0, MAX_SIDE),
        "interpolation": one_of(*INTERPOLATIONS),
        "channels": one_of("rgb", "bgr"),
        "mean": _CHANNELS,
        "std": list_of(number(1e-6, 1e6), length=3),
        "scale": number(1e-6, 1e6),
        "labels": _labels,
        "classes": either(_CLASS, list_of(_CLASS, least=1)),
        "score_threshold": number(0, 1),
        "nms_threshold": number(0, 1),
        "max_boxes": whole(1, 100_000),
        "strides": list_of(whole(1, 4096), least=1, most=32),
        "skeleton": either(mapping({}), text()),
        "padding": number(0.1, 10),
        "codec": either(mapping({}), one_of(*HEATMAP_CODECS)),
        "keypoint_values": whole(2, 3),
    },
    only_known=True,
)


@dataclass(frozen=True)
class OnnxSettings:
    """How an ONNX model is fed and what its outputs mean. Sizes are width first.

    Attributes:
        layout: name of the output layout, see `LAYOUTS`.
        input_wh: size of the input.
        resize: one of `RESIZE_RULES`.
        pad_value: pixel value around the image, 0 to 255.
        margin: pixels by which the resized image is smaller than the input even along its long side.
        interpolation: of resizing: nearest, linear, cubic, area.
        channels: order that the network expects, "rgb" or "bgr".
        mean, std, scale: the network sees (pixel / scale - mean) / std, per channel in the network's order.
        labels: names of the classes, if they are known.
        classes: names or numbers of the only classes that count; None for all. For poses: the classes that are people.
        score_threshold: boxes must have a larger score.
        nms_threshold: largest IoU of two boxes of a class, for graphs without NMS.
        max_boxes: the best ones that are kept.
        strides: of the levels, for layouts of grids.
        skeleton: of pose models; a name or a mapping.
        padding: factor on a box before it is cropped, for top-down models.
        codec: of heatmaps: a key of `HEATMAP_CODECS`, or a codec's mapping as in `infer_cfg.yml`.
        keypoint_values: numbers per keypoint, 2 or 3, for the layouts of Ultralytics.
        stated: names of the settings that a card states.
    """

    layout: str
    input_wh: tuple[int, int]
    resize: str = "letterbox"
    pad_value: int = 114
    margin: int = 0
    interpolation: str = "linear"
    channels: str = "rgb"
    mean: Sequence[float] = (0.0, 0.0, 0.0)
    std: Sequence[float] = (1.0, 1.0, 1.0)
    scale: float = 1.0
    labels: Sequence[str] = ()
    classes: Sequence[int | str] | None = None
    score_threshold: float = 0.05
    nms_threshold: float = 0.5
    max_boxes: int = 300
    strides: Sequence[int] | None = None
    skeleton: Any = None
    padding: float = 1.25
    codec: Any = None
    keypoint_values: int = 3
    stated: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """Kind of model."""
        return self.spec.kind

    @property
    def spec(self) -> Layout:
        """The layout's entry in the table."""
        return LAYOUTS[self.layout]

    @property
    def normalization(self) -> Normalization:
        """From pixels, 0 to 255 in red, green, blue, to what the network sees."""
        mean, std = [value * self.scale for value in self.mean], [value * self.scale for value in self.std]
        return Normalization(mean, std, is_scale=False, to_bgr=self.channels == "bgr")

    @property
    def operation(self) -> dict[str, Any]:
        """The same as `normalization`, as an entry of a card's `Preprocess`."""
        mean, std = [value * self.scale for value in self.mean], [value * self.scale for value in self.std]
        return {"type": "NormalizeImage", "mean": mean, "std": std, "is_scale": False, "to_bgr": self.channels == "bgr"}

    @classmethod
    def merged(cls, layout: str, found: Mapping[str, Any], stated: Mapping[str, Any]) -> OnnxSettings:
        """Settings from the layout's defaults, then what was found in the file, then what the card states."""
        known = {each.name for each in fields(cls)}
        values = {**LAYOUTS[layout].defaults, **found, **stated}
        values = {key: value for key, value in values.items() if key in known and value is not None}
        values.update(layout=layout, stated=frozenset(stated))
        for key in ("input_wh", "strides", "mean", "std"):
            if values.get(key) is not None:
                values[key] = tuple(values[key])
        if isinstance(values.get("classes"), (int, str)):
            values["classes"] = (values["classes"],)
        values["labels"] = label_names(values.get("labels") or ())
        return cls(**values)


def label_names(labels: Mapping[Any, Any] | Sequence[Any]) -> tuple[str, ...]:
    """Class names in order, from a list or from a mapping of numbers, as Ultralytics writes it; gaps are named by number."""
    if not isinstance(labels, Mapping):
        return tuple(str(label) for label in labels)
    numbered = {int(number): str(name) for number, name in labels.items()}
    return tuple(numbered.get(number, str(number)) for number in range(max(numbered, default=-1) + 1))


def checked_settings(content: Any, place: object) -> dict[str, Any]:
    """What a card states, checked.

    Raises:
        ModelDirError: unknown keys or values of a wrong kind.
    """
    problems = summary(SETTINGS_RULE({} if content is None else content, "the card"))
    if problems:
        raise ModelDirError(f"{place}: {problems}. See docs/any_model.md for what a card may hold")
    return {key: value for key, value in (content or {}).items() if value is not None}
