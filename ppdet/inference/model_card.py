"""The card of an exported model: `infer_cfg.yml`, PaddleDetection's keys first, then ours.

PaddleDetection's keys keep their meaning. Ours are the codec (how keypoints and heatmaps map to each other), the skeleton
(names, mirror pairs, sigmas, links), sizes, precision and versions, so that nothing has to be guessed to run the model.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from ppdet.core.config.nodes import plain
from ppdet.core.config.registry import registry
from ppdet.core.config.yaml_loader import load_yaml
from ppdet.core.content_schema import summary
from ppdet.core.errors import ConfigError, ModelDirError, PpdetError
from ppdet.core.files import atomic_write
from ppdet.core.plugins import import_plugins
from ppdet.core.problem import short_repr
from ppdet.geometry.crop import BOX_PADDING
from ppdet.inference.card_schema import CARD_RULE

if TYPE_CHECKING:
    from ppdet.codecs import Codec
    from ppdet.skeletons import Skeleton

# Key of a top-down model's card: which boxes it was trained on, as the dataset's `box`: "given" (annotated), "extent" (of the
# keypoints) or "image" (the whole image).
BOX_KEY = "box"
IMAGE_BOX = "image"  # value of BOX_KEY: whole images
# Key of a top-down model's card: see `ModelCard.box_padding`.
PADDING_KEY = "padding"
# Key of a top-down model's card: name of the class whose objects it was trained on ("mouse"), which a detector has to find;
# without it, persons.
CATEGORY_KEY = "category"
CARD_NAMES = ("infer_cfg.yml", "inference.yml")
DETECTOR_ARCHS = ("PicoDet", "GFL", "YOLO", "PPYOLOE", "SSD", "RetinaNet", "FCOS", "TTFNet", "RCNN", "EfficientDet")
#: `arch` of a card -> kind of model, which picks the estimator (`estimators.registry`, where others add theirs). A codec in the
#: card says the kind itself.
KIND_OF_ARCH: dict[str, str] = {"HRNet": "top_down", "HigherHRNet": "bottom_up", "FairMOT": "tracking",
                                **dict.fromkeys(DETECTOR_ARCHS, "detection")}  # fmt: skip
# Other networks that find and follow people at once.
TRACKER_ARCHS = ("JDE", "CenterTrack")
# Settings of a tracking network's tracker in the card.
TRACKER_KEY = "tracker"
# Keys that PaddleDetection puts before `arch`; every other key that this class does not know follows `fpn_stride`.
EARLY_EXTRAS = ("Global", TRACKER_KEY)


@dataclass
class ModelCard:
    """What a runtime needs to know about an exported model.

    Attributes:
        arch: PaddleDetection's name of the kind of network: "HRNet" (top-down), "HigherHRNet" (bottom-up), "PicoDet" (detector
            with raw heads), "GFL", "YOLO", ...
        preprocess: its `Preprocess` list, each a mapping with `type`.
        label_list: class names of a detector, ["keypoint"] for pose.
        mode, draw_threshold, metric, use_dynamic_shape, min_subgraph_size: as in PaddleDetection.
        nms: arguments of the detector's NMS, if the graph does not hold it.
        fpn_stride: strides of a detector's levels.
        codec: maps between image, network input and heatmaps; None for detectors and for PaddleDetection's own exports.
        skeleton: the keypoints' names and relations; None likewise.
        input_wh, heatmap_wh: network sizes in pixels and cells, width first.
        precision: of the exported weights.
        versions: of the packages that made the export.
        extra: any further keys, kept as they are.
        model_dir: where the card was read.
    """

    arch: str
    preprocess: list[dict[str, Any]]
    label_list: list[str] = field(default_factory=lambda: ["keypoint"])
    mode: str = "paddle"
    draw_threshold: float = 0.5
    metric: str | None = None
    use_dynamic_shape: bool = False
    min_subgraph_size: int = 3
    nms: dict[str, Any] | None = None
    fpn_stride: list[int] | None = None
    codec: Codec | None = None
    skeleton: Skeleton | None = None
    input_wh: tuple[int, int] | None = None
    heatmap_wh: tuple[int, int] | None = None
    precision: str = "fp32"
    versions: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    model_dir: Path | None = None

    @property
    def place(self) -> str:
        """Where the card is from, for messages."""
        return str(self.model_dir) if self.model_dir is not None else "the model"

    @property
    def kind(self) -> str:
        """Kind of model: "top_down" (the pose of one person per crop), "bottom_up" (everyone in an image), "detection" (boxes),
        "tracking" (boxes, and the looks of people), or one that was registered by another package."""
        if self.codec is not None:
            return self.codec.kind
        # Some of PaddleDetection's exporters take the first name they find within "HigherHRNet", which is "HRNet".
        is_cut_short = self.arch == "HRNet" and self.operation("EvalAffine") is not None
        return KIND_OF_ARCH["HigherHRNet" if is_cut_short else self.arch]

    @property
    def box_padding(self) -> float:
        """Factor on a person's box before it is cropped, of top-down models; 1.25 unless the card says otherwise."""
        return float(self.extra.get(PADDING_KEY, BOX_PADDING))

    def ordered(self, outputs: list[Any], wanted: Sequence[str]) -> list[Any]:
        """The outputs of the network in the order that a codec names them in, if the file names them so; here, as they come.

        Args:
            outputs: in the network's order.
            wanted: names in the codec's order.
        """
        return outputs

    def operation(self, kind: str) -> dict[str, Any] | None:
        """The first `Preprocess` entry of a type, or None."""
        return next((entry for entry in self.preprocess if entry.get("type") == kind), None)

    @classmethod
    def load(cls, model_dir: str | Path) -> ModelCard:
        """Read the card of an exported directory, ours or PaddleDetection's.

        Raises:
            ModelDirError: no directory, no card, YAML that does not read, or a card of a model that cannot be run here.
        """
        path = find_card(model_dir)
        try:
            content = load_yaml(path)
        except PpdetError as error:
            raise ModelDirError(f"{path} does not read as YAML: {error}; export the model again") from error
        if not isinstance(content, dict):
            raise ModelDirError(f"{path} holds no mapping (is it empty?): export the model again")
        try:
            return cls.from_dict(content, path.parent)
        except PpdetError as error:
            raise ModelDirError(f"{path}: {error}") from error

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], model_dir: Path | None = None) -> ModelCard:
        """Build a card from the content of an `infer_cfg.yml`; see `load` for what can be wrong."""
        missing = [key for key in ("arch", "Preprocess") if not content.get(key)]
        if missing:
            raise ModelDirError(f"the card lacks {' and '.join(missing)}: this is not an infer_cfg.yml of an exported model, "
                                "or half of one; export again")
        wrong = summary(CARD_RULE(content, "the card"))
        if wrong:
            raise ModelDirError(f"{wrong}; export the model again")
        rest = _without_specs(content)
        names = {"Preprocess": "preprocess", "NMS": "nms"}
        plain_keys = ("arch", "Preprocess", "label_list", "mode", "draw_threshold", "metric", "use_dynamic_shape",
                 "min_subgraph_size", "NMS", "fpn_stride", "precision", "versions")
        known = {names.get(key, key): value for key in plain_keys if (value := rest.pop(key, None)) is not None}
        for key in ("input_wh", "heatmap_wh"):
            size = rest.pop(key, None)
            known[key] = None if size is None else (int(size[0]), int(size[1]))
        codec, skeleton = rest.pop("codec", None), rest.pop("skeleton", None)
        card = cls(**known, extra=rest, model_dir=model_dir)
        card._check()
        if codec is not None:
            card.codec = codec_from_card(codec)
        if skeleton is not None:
            from ppdet.skeletons import get_skeleton

            card.skeleton = get_skeleton(skeleton)
        return card

    def _check(self) -> None:
        if self.arch not in KIND_OF_ARCH:
            import_plugins()
        if self.arch not in KIND_OF_ARCH:
            if self.arch in TRACKER_ARCHS:
                raise ModelDirError(f"{self.place} has arch {self.arch}, a network that finds and follows people at once, which "
                                    "is not run here: give an exported FairMOT, or a detector such as PicoDet; the tracker here "
                                    "follows the people of any detector")
            kinds = dict.fromkeys(KIND_OF_ARCH.values())
            words = [f"{', '.join(arch for arch, of in KIND_OF_ARCH.items() if of == kind)} ({kind})" for kind in kinds]
            raise ModelDirError(f"arch {self.arch!r} cannot be run here: known are {'; '.join(words)}")

    def to_dict(self) -> dict[str, Any]:
        """The content of the card file: PaddleDetection's keys first and in its order, then ours."""
        content: dict[str, Any] = {"mode": self.mode, "draw_threshold": self.draw_threshold, "metric": self.metric,
                                   "use_dynamic_shape": self.use_dynamic_shape}
        content.update((key, self.extra[key]) for key in EARLY_EXTRAS if key in self.extra)
        content.update(arch=self.arch, min_subgraph_size=self.min_subgraph_size,
                       Preprocess=[dict(sorted(op.items())) for op in self.preprocess], label_list=list(self.label_list))
        if self.nms is not None:
            content["NMS"] = dict(sorted(self.nms.items()))
        if self.fpn_stride is not None:
            content["fpn_stride"] = list(self.fpn_stride)
        content.update((key, value) for key, value in self.extra.items() if key not in EARLY_EXTRAS)
        if self.codec is not None:
            content["codec"] = _as_older_readers_know_it(self.codec)
        if self.skeleton is not None:
            content["skeleton"] = self.skeleton.to_dict()
        for key in ("input_wh", "heatmap_wh"):
            if getattr(self, key) is not None:
                content[key] = list(getattr(self, key))
        content["precision"] = self.precision
        if self.versions:
            content["versions"] = dict(self.versions)
        return plain_values(content)

    def write(self, model_dir: str | Path, name: str = CARD_NAMES[0]) -> Path:
        """Write the card into a directory, whole or not at all.

        Returns:
            The path of the card.
        """
        path = Path(model_dir) / name
        with atomic_write(path, "w") as stream:
            yaml.safe_dump(self.to_dict(), stream, sort_keys=False, allow_unicode=True, width=120)
        return path


def _as_older_readers_know_it(codec: Codec) -> dict[str, Any]:
    """The codec's content with the names of version 0.1, which refuses names that it does not know; this one reads both."""
    return {codec.card_names.get(key, key): value for key, value in codec.to_dict().items()}


def _without_specs(content: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in plain dicts and lists."""
    try:
        return {key: plain(value) for key, value in content.items()}
    except TypeError:
        raise ModelDirError("the card holds a `!Tag`; an infer_cfg.yml is plain data: export the model again") from None


def codec_from_card(content: Mapping[str, Any]) -> Codec:
    """The codec that a card describes, by its `name`; without a name the heatmap codec of top-down models.

    Raises:
        ConfigError: an unknown codec, or settings that it does not take.
    """
    from ppdet.codecs import Codec

    name = content.get("name", "HeatmapCodec") if isinstance(content, Mapping) else content
    if isinstance(name, str) and name not in registry:
        import_plugins()
    classes: list[type[Any]] = [registry.get(each) for each in registry]
    known = {each.__name__: each for each in classes if issubclass(each, Codec)}
    if not isinstance(name, str) or name not in known:
        raise ConfigError(f"codec {short_repr(name)} is not known here: known are {', '.join(sorted(known))}. Is this toolkit "
                          "older than the export, or is the package that defines the codec not installed?")
    codec: Codec = known[name].from_dict(content)
    return codec


def find_card(model_dir: str | Path) -> Path:
    """The card file of an exported directory.

    Raises:
        ModelDirError: there is no such directory, or no card in it.
    """
    folder = Path(model_dir)
    if folder.is_file():
        raise ModelDirError(f"{folder} is a file: give the folder that `ppdet export` wrote, with infer_cfg.yml in it")
    if not folder.is_dir():
        raise ModelDirError(f"there is no directory {folder}: give the folder that `ppdet export` wrote")
    for name in CARD_NAMES:
        if (folder / name).is_file():
            return folder / name
    below = sorted({card.parent.name for name in CARD_NAMES for card in folder.glob(f"*/{name}")})
    hint = f"; it has exported models in {', '.join(below)}: give one of these" if below else ""
    raise ModelDirError(f"{folder} has no infer_cfg.yml, so it is not an exported model{hint}; "
                        "export one with `ppdet export`")


def plain_values(value: Any) -> Any:
    """The same content in types that safe YAML can write: numpy scalars, arrays and tuples become Python's own."""
    if isinstance(value, Mapping):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain_values(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain_values(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    return value
