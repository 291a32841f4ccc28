"""The form in which a model is deployed: the layer that becomes the graph, and the card that describes how to run it.

Exporter, predictor and the evaluation of detectors all use it, so weights and exported models differ only in the engine. Each
task builds its own form; this module has the parts that they share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Sequence

import numpy as np
import paddle

from ppdet.core.config.nodes import plain
from ppdet.image.normalize import IMAGENET_MEAN, IMAGENET_STD
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime

DEFAULT_NORMALIZATION = {"mean": list(IMAGENET_MEAN), "std": list(IMAGENET_STD), "is_scale": True}
READERS = ("TestReader", "EvalReader", "TrainReader")
NORMALIZATIONS = ("NormalizeImage", "NormalizePermute")
DROPPED_FROM_CARD = ("Decode",)


class OnnxForm(NamedTuple):
    """The form of the ONNX file, if it differs: `layer`, `input_spec` and `output_names` as in `DeployedForm`, and why."""

    layer: Any
    input_spec: list[Any]
    output_names: tuple[str, ...]
    reason: str


@dataclass
class DeployedForm:
    """A model that is ready to be run or saved.

    Attributes:
        layer: the export wrapper in evaluation mode.
        card: content of infer_cfg.yml; the engine reads its `codec`, `skeleton` and `preprocess`.
        input_spec: shapes for `paddle.jit.save`; the batch is free, and for bottom-up models height and width as well.
        output_names: names of the outputs in order; those of raw detector heads are numbered.
        onnx: form of the ONNX file where paddle2onnx cannot convert this one.
        without_suppression: makes the form of a detector whose graph ends before the suppression, for formats that hold it
            otherwise or not at all; None if this form holds none.
    """

    layer: Any
    card: ModelCard
    input_spec: list[Any]
    output_names: tuple[str, ...]
    onnx: OnnxForm | None = None
    without_suppression: Callable[[], DeployedForm] | None = None

    def runtime(self) -> FrameworkRuntime:
        """The layer with the interface of an engine."""
        return FrameworkRuntime(self.layer, [spec.name for spec in self.input_spec])


@dataclass(frozen=True)
class Feed:
    """Preprocessing of a config's network.

    Attributes:
        normalize: mean, std, is_scale and to_bgr.
        fuse: include the normalisation in the graph (`TestReader.fuse_normalize`).
    """

    normalize: Mapping[str, Any]
    fuse: bool

    @classmethod
    def of_config(cls, config: Mapping[str, Any]) -> Feed:
        """From the config's `NormalizeImage` or `NormalizePermute`; ImageNet's mean and std if it has neither."""
        found = (arguments for reader in READERS for name, arguments in operations(config.get(reader)) if name in NORMALIZATIONS)
        fuse = bool((config.get("TestReader") or {}).get("fuse_normalize", False))
        return cls({**DEFAULT_NORMALIZATION, **next(found, {})}, fuse)

    def export_arguments(self) -> dict[str, Any]:
        """Arguments common to all export wrappers."""
        return {"mean": self.normalize["mean"], "std": self.normalize["std"], "fuse_normalize": self.fuse}

    @property
    def to_bgr(self) -> bool:
        """Whether the network takes blue, green, red."""
        return bool(self.normalize.get("to_bgr", False))


def card_of(config: Mapping[str, Any], arch: str, preprocess: list[dict[str, Any]], feed: Feed) -> ModelCard:
    """A card with the entries common to all exported models."""
    kept = [step for step in preprocess if not (feed.fuse and step["type"] == "NormalizeImage")]
    shape = ((config.get("TestReader") or {}).get("inputs_def") or {}).get("image_shape") or []
    metric = config.get("metric")
    return ModelCard(
        arch=arch,
        preprocess=kept,
        metric=None if metric is None else ", ".join(map(str, metric)) if isinstance(metric, list) else str(metric),
        use_dynamic_shape=bool(len(shape) > 2 and shape[2] == -1),
        versions=_versions(),
    )


def preprocess_steps(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """PaddleDetection's `Preprocess` list: the transforms of TestReader without the decoding."""
    steps = []
    for name, arguments in operations(config.get("TestReader")):
        if name == "PadBatch":
            steps.append({"type": "PadStride", "stride": arguments.get("pad_to_stride", 0)})
        elif name == "NormalizeImage":  # a config may leave out arguments that a card must state
            steps.append({"type": name, **DEFAULT_NORMALIZATION, **arguments})
        elif name not in DROPPED_FROM_CARD:
            steps.append({"type": name, **arguments})
    return steps


def operations(reader: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, arguments) of the sample and batch transforms of a reader section; none for arguments that are no mapping."""
    for key in ("sample_transforms", "batch_transforms"):
        for entry in (reader or {}).get(key) or ():
            for name, arguments in entry.items() if isinstance(entry, Mapping) else [(str(entry), {})]:
                yield str(name), dict(plain(arguments)) if isinstance(arguments, Mapping) else {}


def _versions() -> dict[str, str]:
    import paddle

    from ppdet import __version__

    return {"ppdet": __version__, "paddle": paddle.__version__}


class FrameworkRuntime(Runtime):
    """A Paddle layer with the interface of an engine for exported models; runs eagerly, without gradients.

    Detectors and pose estimators of `ppdet.inference` take a `Runtime`. With this one they run weights in the same way as an
    exported model, so prediction from weights and deployment share their code.

    Args:
        layer: an export wrapper (`ppdet.modeling.export`), which takes positional inputs and returns a tensor or a sequence of
            tensors.
        input_names: names of the positional inputs, in order.
    """

    engine = "framework"

    def __init__(self, layer: Any, input_names: Sequence[str]) -> None:
        layer.eval()
        self._layer = layer
        self.input_names = tuple(input_names)
        self.description = f"Paddle {paddle.__version__} eager, fp32, {paddle.device.get_device()}"

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the layer once; see `Runtime.run`."""
        self.check_feeds(feeds)
        tensors = [paddle.to_tensor(np.ascontiguousarray(feeds[name])) for name in self.input_names]
        with paddle.no_grad():
            outputs = self._layer(*tensors)
        if isinstance(outputs, paddle.Tensor):
            outputs = (outputs,)
        return [output.numpy() for output in outputs]
