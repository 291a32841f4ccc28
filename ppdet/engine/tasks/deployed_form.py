"""What a model is when it is deployed: the layer that becomes the graph, and the card that says how to run it.

Exporter, predictor and the evaluation of detectors all start from here, so weights and exported models cannot differ in
anything but the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, Mapping, Sequence

from ppdet.core.config.nodes import plain
from ppdet.core.errors import ConfigError, ExportError, PpdetError
from ppdet.engine.configs.consistency import BOTTOM_UP, TOP_DOWN
from ppdet.engine.tasks.framework_runtime import FrameworkRuntime
from ppdet.inference.model_card import ModelCard
from ppdet.modeling.export.bottom_up import BottomUpExport
from ppdet.modeling.export.picodet import PicoDetExport
from ppdet.modeling.export.top_down import TopDownExport

DETECTORS = ("PicoDet",)
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "is_scale": True}
READERS = ("TestReader", "EvalReader", "TrainReader")
CROPS = ("TopDownEvalAffine", "TopDownAffine")
NORMALIZATIONS = ("NormalizeImage", "NormalizePermute")
DROPPED_FROM_CARD = ("Decode",)


@dataclass
class DeployedForm:
    """A model ready to be run or saved.

    Attributes:
        layer: the export wrapper in eval mode.
        card: content of infer_cfg.yml; the engine reads its `codec`, `skeleton` and `preprocess`.
        input_spec: shapes for `paddle.jit.save`; the batch is free, of bottom-up models height and width, too.
        output_names: names of the outputs in order; those of raw detector heads are numbered.
        onnx_batch: batch size of the ONNX file, None for any: paddle2onnx writes suppression for one image only.
    """

    layer: Any
    card: ModelCard
    input_spec: list[Any]
    output_names: tuple[str, ...]
    onnx_batch: int | None = None

    def runtime(self) -> FrameworkRuntime:
        """The layer behind the interface of an engine."""
        return FrameworkRuntime(self.layer, [spec.name for spec in self.input_spec])


def deployed_form(assembly: Any, model: Any, post_process: bool | None = None, nms: bool | None = None) -> DeployedForm:
    """The deployed form of a config's model.

    Args:
        assembly: the config's parts.
        model: the model with its weights; put into eval mode.
        post_process, nms: of a detector; None takes the config's `export: {post_process, nms}`, both on by default.

    Raises:
        ExportError: an architecture that cannot be deployed.
        ConfigError: no size of the network input in the config.
    """
    architecture = str(assembly.config.get("architecture"))
    kind = None if assembly.codec is None else assembly.codec.kind
    if architecture in TOP_DOWN and kind == "top_down":
        return _top_down(assembly, model)
    if architecture in BOTTOM_UP and kind == "bottom_up":
        return _bottom_up(assembly, model)
    if architecture in DETECTORS:
        return _detector(assembly, model, post_process, nms)
    able = ", ".join((*TOP_DOWN, *BOTTOM_UP, *DETECTORS))
    raise ExportError(f"{assembly.config.path}: architecture {architecture} cannot be deployed. What can: {able}.")


def _top_down(assembly: Any, model: Any) -> DeployedForm:
    config, codec = assembly.config, assembly.codec
    normalize = normalization(config)
    fuse = bool((config.get("TestReader") or {}).get("fuse_normalize", False))
    layer = TopDownExport(model, normalize["mean"], normalize["std"], fuse, to_bgr=bool(normalize.get("to_bgr", False)))
    preprocess = _preprocess(config) or [{"type": "TopDownEvalAffine"}]
    for step in preprocess:  # deployment programs read the size here; a config need not repeat it
        if step["type"] in CROPS:
            step["trainsize"] = list(codec.input_wh)
    if not any(step["type"] == "NormalizeImage" for step in preprocess):
        preprocess += [{"type": "NormalizeImage", **normalize}, {"type": "Permute"}]
    card = _card(config, "HRNet", preprocess, fuse)
    card.label_list = ["keypoint"]
    card.codec, card.skeleton = codec, assembly.skeleton
    card.input_wh, card.heatmap_wh = tuple(codec.input_wh), tuple(codec.heatmap_wh)
    return DeployedForm(layer, card, layer.input_spec(codec.input_wh), ("heatmap", "argmax"))


def _bottom_up(assembly: Any, model: Any) -> DeployedForm:
    config, codec = assembly.config, assembly.codec
    normalize = normalization(config)
    fuse = bool((config.get("TestReader") or {}).get("fuse_normalize", False))
    layer = BottomUpExport(model, codec, normalize["mean"], normalize["std"], fuse, to_bgr=bool(normalize.get("to_bgr", False)))
    preprocess = [step for step in _preprocess(config) if step["type"] not in ("EvalAffine", *NORMALIZATIONS, "Permute")]
    preprocess += [{"type": "EvalAffine", "size": int(min(codec.input_wh))}]
    preprocess += [{"type": "NormalizeImage", **normalize}, {"type": "Permute"}]
    card = _card(config, BOTTOM_UP[0], preprocess, fuse)
    card.use_dynamic_shape = True
    card.label_list = ["keypoint"]
    card.codec, card.skeleton = codec, assembly.skeleton
    card.input_wh = tuple(codec.input_wh)
    return DeployedForm(layer, card, layer.input_spec(), tuple(layer.output_names))


def _detector(assembly: Any, model: Any, post_process: bool | None, nms: bool | None) -> DeployedForm:
    config = assembly.config
    wanted = config.get("export") or {}
    post_process = bool(wanted.get("post_process", True)) if post_process is None else post_process
    nms = post_process and (bool(wanted.get("nms", True)) if nms is None else nms)
    normalize = normalization(config)
    fuse = bool((config.get("TestReader") or {}).get("fuse_normalize", False))
    layer = PicoDetExport(model, post_process, nms, normalize["mean"], normalize["std"], fuse_normalize=fuse)
    card = _card(config, layer.arch, _preprocess(config), fuse)
    card.label_list = class_names(assembly, model.head.num_classes)
    card.fpn_stride = list(model.head.fpn_stride)
    if not nms:
        card.nms = _nms_settings(config)
    card.input_wh = _detector_input_wh(config)
    if nms:
        names: tuple[str, ...] = ("boxes", "counts")
    elif post_process:
        names = ("boxes", "scores")
    else:
        levels = range(len(card.fpn_stride))
        names = tuple(f"scores_{i}" for i in levels) + tuple(f"distances_{i}" for i in levels)
    return DeployedForm(layer, card, layer.input_spec(card.input_wh), names, onnx_batch=1 if nms else None)


def _card(config: Mapping[str, Any], arch: str, preprocess: list[dict[str, Any]], fuse_normalize: bool) -> ModelCard:
    kept = [step for step in preprocess if not (fuse_normalize and step["type"] == "NormalizeImage")]
    shape = ((config.get("TestReader") or {}).get("inputs_def") or {}).get("image_shape") or []
    metric = config.get("metric")
    return ModelCard(
        arch=arch,
        preprocess=kept,
        metric=None if metric is None else str(metric),
        use_dynamic_shape=bool(len(shape) > 2 and shape[2] == -1),
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    import paddle

    from ppdet import __version__

    return {"ppdet": __version__, "paddle": paddle.__version__}


def normalization(config: Mapping[str, Any]) -> dict[str, Any]:
    """mean, std and is_scale of the config's `NormalizeImage` or `NormalizePermute`; ImageNet's where it names neither."""
    for reader in READERS:
        for name, arguments in _operations(config.get(reader)):
            if name in NORMALIZATIONS:
                return {**IMAGENET, **arguments}
    return dict(IMAGENET)


def _operations(reader: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, arguments) of the sample and batch transforms of a reader section."""
    for key in ("sample_transforms", "batch_transforms"):
        for entry in (reader or {}).get(key) or ():
            for name, arguments in entry.items() if isinstance(entry, Mapping) else [(str(entry), {})]:
                yield str(name), dict(plain(arguments) or {})


def _preprocess(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """PaddleDetection's `Preprocess` list: the transforms of TestReader without the decoding."""
    steps = []
    for name, arguments in _operations(config.get("TestReader")):
        if name == "PadBatch":
            steps.append({"type": "PadStride", "stride": arguments.get("pad_to_stride", 0)})
        elif name not in DROPPED_FROM_CARD:
            steps.append({"type": name, **arguments})
    return steps


def class_names(assembly: Any, count: int) -> list[str]:
    """Names of a detector's classes: the annotation file's where they are as many, else numbered (one: "person").

    PaddleDetection writes COCO's 80 names when the file is missing, whatever the number of classes.
    """
    for role in ("Test", "Eval"):
        if role + "Dataset" in assembly.config:
            names = _names_of(assembly.dataset(role))
            if len(names) == count:
                return names
    return ["person"] if count == 1 else [f"class_{i}" for i in range(count)]


def _names_of(dataset: Any) -> Sequence[str]:
    names = getattr(dataset, "label_list", [])
    if callable(names):
        return names()
    try:
        dataset.parse()
    except PpdetError:  # the annotation file is not needed to run a detector, only to name its classes
        return []
    return dataset.label_list


def _nms_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    head = config.get(str((config.get(str(config.get("architecture"))) or {}).get("head"))) or {}
    return dict(plain(head.get("nms") or {})) or {
        "name": "MultiClassNMS", "nms_top_k": 1000, "keep_top_k": 100, "score_threshold": 0.025, "nms_threshold": 0.6,
    }  # fmt: skip


def _detector_input_wh(config: Mapping[str, Any]) -> tuple[int, int]:
    for name, arguments in _operations(config.get("TestReader")):
        if name == "Resize":
            size = arguments.get("target_size")
            height, width = (size, size) if isinstance(size, int) else size
            return int(width), int(height)
    raise ConfigError(f"{getattr(config, 'path', 'the config')}: TestReader has no Resize, so the network input is unknown.")
