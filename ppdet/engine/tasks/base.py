"""Base class of tasks. A task is one kind of model; evaluator, exporter, predictor and config checks call it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import closing
from typing import Any, ClassVar, Iterable, Iterator, Mapping, NamedTuple, Optional, Protocol, Sequence

import numpy as np

from ppdet.codecs import Codec
from ppdet.core.config.load import Config
from ppdet.core.config.registry import Registry
from ppdet.core.errors import DataError, MediaError
from ppdet.core.problem import Problem
from ppdet.engine import distributed
from ppdet.engine.precision import Precision
from ppdet.engine.tasks.deployed_form import DeployedForm
from ppdet.engine.tasks.difference import Difference
from ppdet.engine.tasks.finders import Finder, PredictOptions
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.model_card import ModelCard
from ppdet.inference.progress import Progress
from ppdet.inference.runtimes.base import Runtime
from ppdet.skeletons import Skeleton

Sample = tuple  # (image (H, W, 3) RGB uint8, boxes_xyxy (N, 4))


class Parts(Protocol):
    """The part of `engine.assembly.Assembly` that tasks use."""

    config: Config
    skeleton: Skeleton
    codec: Optional[Codec]

    def dataset(self, role: str) -> Any:
        """The dataset of a role ("Train", "Eval" or "Test")."""

    def reader(self, role: str) -> Any:
        """A new reader of that dataset's batches."""


class Collected(NamedTuple):
    """Summary of an evaluation: number of samples, and one line with the settings that its figures depend on."""

    samples: int
    setting: str


class Task(ABC):
    """One kind of model. Tasks have no state; `tasks.table` finds the task of a config.

    Attributes:
        kind: name of the kind, as in `Codec.kind` and `ModelCard.kind`.
        architectures: built-in networks of this kind. The kind of other networks is that of their codec.
        needs_codec: whether its models need a codec of the same kind.
        trainable: whether its models can be trained here.
        iou_type: meaning of ``metric: COCO`` without IouType, "bbox" or "keypoints".
        keypoint_metric: metric that collects its people for figures by plain names; "" for models without keypoints.
    """

    kind: ClassVar[str]
    architectures: ClassVar[tuple[str, ...]] = ()
    needs_codec: ClassVar[bool] = True
    trainable: ClassVar[bool] = True
    iou_type: ClassVar[str] = "bbox"
    keypoint_metric: ClassVar[str] = ""

    # ---------------------------------------------------------------- the config

    def check(self, config: Config) -> list[Problem]:
        """Problems with parts of a config that do not fit this kind of model."""
        return []

    def input_multiple(self, config: Config, registry: Registry) -> int:
        """Number that divides both sides of the network input: `input_multiple` of the backbone's class, by default 1."""
        name = backbone_name(config)
        return int(getattr(registry.get(name), "input_multiple", 1)) if name in registry else 1

    def input_wh(self, parts: Parts) -> tuple[int, int]:
        """Width and height of the network input in pixels.

        Raises:
            ConfigError: the config does not state it.
        """
        assert parts.codec is not None
        return parts.codec.input_wh[0], parts.codec.input_wh[1]

    # ---------------------------------------------------------------- training

    def fit_to_data(self, model: Any, dataset: Any) -> None:  # noqa: B027  most models do not depend on it
        """Adapt a new model to its training data, such as the size of a classifier.

        Raises:
            ConfigError: the model cannot be trained on this data.
        """

    # ---------------------------------------------------------------- deployment

    @abstractmethod
    def deployed_form(self, parts: Parts, model: Any) -> DeployedForm:
        """The form in which a model is exported.

        Args:
            parts: of the config.
            model: with its weights; it is put into evaluation mode.

        Raises:
            ConfigError: the config lacks something that the model card needs.
        """

    # ---------------------------------------------------------------- evaluation

    def evaluated_form(self, parts: Parts, model: Any) -> Optional[DeployedForm]:
        """The form whose graph an engine may run in place of the network in `collect`, with the same figures.

        None if the evaluation needs more of the network than such a graph has.
        """
        return self.deployed_form(parts, model)

    def eval_reader(self, parts: Parts) -> Any:
        """A reader for several evaluations, to be closed after the last one; None if `collect` reads the dataset itself."""
        return None

    @abstractmethod
    def collect(
        self,
        parts: Parts,
        model: Any,
        metric: Any,
        data: Any = None,
        precision: Precision | None = None,
        bad: list[tuple[str, str]] | None = None,
    ) -> Collected:
        """Run a model over this process's share of the evaluation data, and feed the metric.

        Args:
            parts: of the config.
            model: a network in evaluation mode, or an `ExportedModel`.
            metric: its `update` takes the predictions.
            data: the batches or the dataset; None for those of the config.
            precision: mixed precision of the forward pass.
            bad: list to which (path, reason) of each unreadable image is appended.
        """

    # ---------------------------------------------------------------- prediction

    def refuse_detector(self, parts: Parts) -> None:  # noqa: B027  most take one
        """Raise an error if models of this kind take no boxes from a detector.

        Raises:
            ConfigError: they do not.
        """

    @abstractmethod
    def finder(self, parts: Parts, model: Any, options: PredictOptions, detector: BoxDetector | None = None) -> Finder:
        """Predicts on images from weights, through the same code that runs exported models."""

    # ---------------------------------------------------------------- an export against the framework

    def sample_boxes(self, sample: Any) -> np.ndarray:
        """(N, 4) float64 xyxy boxes of a dataset's sample to run the model on; N = 0 for models of whole images."""
        return np.zeros((0, 4))

    def parity_samples(self, samples: Sequence[Sample]) -> list[Sample]:
        """The images and boxes to compare on, made from (image, boxes) samples."""
        return list(samples)

    def stable_outputs(self, outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Outputs of the network that may be compared element by element; arrays with fewer than three axes are skipped."""
        return list(outputs)

    @abstractmethod
    def predictions(self, runtime: Runtime, card: ModelCard, samples: Sequence[Sample], batch_size: int) -> list[Any]:
        """Final predictions of an engine for each sample, for `compare`."""

    @abstractmethod
    def compare(self, reference: list[Any], found: list[Any]) -> Difference:
        """Difference of an engine's predictions from the framework's."""


def backbone_name(config: Mapping[str, Any]) -> str:
    """Class of the backbone that the architecture's section names."""
    model = config.get(str(config.get("architecture")))
    backbone = model.get("backbone") if isinstance(model, Mapping) else None
    return str(backbone.get("name") if isinstance(backbone, Mapping) else backbone)


def readable(dataset: Any, rows: Iterable[int], bad: list[tuple[str, str]]) -> Iterator[Any]:
    """Samples of the given rows of a dataset; unreadable images are appended to `bad` as (path, reason)."""
    for row in rows:
        try:
            yield dataset.load(row, np.random.default_rng(row))
        except (MediaError, DataError) as error:
            bad.append((str(dataset.image_path(row)), str(error)))


def process_rows(dataset: Any) -> Sequence[int]:
    """Rows of a dataset that this process evaluates."""
    return distributed.share(len(dataset), distributed.rank(), distributed.world_size())


def with_progress(reader: Any) -> Iterator[Any]:
    """The items of a reader; the first process shows how far it is."""
    if not distributed.is_main():
        yield from reader
        return
    total = len(reader) if hasattr(reader, "__len__") else None
    with closing(Progress("Eval iter", total, "iteration")) as progress:
        for batch in reader:
            yield batch
            progress.step()
