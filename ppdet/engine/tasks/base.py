"""What a task says of its models. A task is what a model finds; evaluator, exporter, predictor and config checks ask it."""

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
    """What a task needs of an `engine.assembly.Assembly`."""

    config: Config
    skeleton: Skeleton
    codec: Optional[Codec]

    def dataset(self, role: str) -> Any:
        """The dataset of a role."""

    def reader(self, role: str) -> Any:
        """A new reader of that dataset's batches."""


class Collected(NamedTuple):
    """What an evaluation has run: number of samples, and the facts that its figures depend on, as one line."""

    samples: int
    setting: str


class Task(ABC):
    """One kind of model. Tasks have no state; `tasks.table` finds the one of a config.

    Attributes:
        kind: its name, the same as `Codec.kind` and `ModelCard.kind`.
        architectures: built-in networks of this kind. A network that no task names is of its codec's kind.
        needs_codec: whether its models have a codec of the same kind.
        trainable: whether its models can be trained here.
        iou_type: "bbox" or "keypoints", what ``metric: COCO`` means if the config gives no IouType.
    """

    kind: ClassVar[str]
    architectures: ClassVar[tuple[str, ...]] = ()
    needs_codec: ClassVar[bool] = True
    trainable: ClassVar[bool] = True
    iou_type: ClassVar[str] = "bbox"

    # ---------------------------------------------------------------- the config

    def check(self, config: Config) -> list[Problem]:
        """Parts of a config that do not belong to a model of this kind."""
        return []

    def input_multiple(self, config: Config, registry: Registry) -> int:
        """The sides of the network input must be multiples of this: `input_multiple` of the backbone's class, else 1."""
        name = backbone_name(config)
        return int(getattr(registry.get(name), "input_multiple", 1)) if name in registry else 1

    def input_wh(self, parts: Parts) -> tuple[int, int]:
        """Width and height of the network input in pixels.

        Raises:
            ConfigError: the config does not state it.
        """
        assert parts.codec is not None
        return parts.codec.input_wh[0], parts.codec.input_wh[1]

    # ---------------------------------------------------------------- deployment

    @abstractmethod
    def deployed_form(self, parts: Parts, model: Any) -> DeployedForm:
        """What becomes of a model when it is exported.

        Args:
            parts: of the config.
            model: with its weights; put into evaluation mode.

        Raises:
            ConfigError: the config lacks something that the card must state.
        """

    # ---------------------------------------------------------------- evaluation

    def eval_reader(self, parts: Parts) -> Any:
        """A reader that serves several evaluations, to be closed after the last; None if `collect` reads whole images."""
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
        """Run a model over this process's share of its evaluation data and feed the metric.

        Args:
            parts: of the config.
            model: a network in evaluation mode, or an `ExportedModel`.
            metric: its `update` takes the predictions.
            data: the batches or the dataset; None takes those of the config.
            precision: mixed precision of the forward pass.
            bad: (path, reason) of each image that cannot be read is appended.
        """

    # ---------------------------------------------------------------- prediction

    def refuse_detector(self, parts: Parts) -> None:  # noqa: B027  most take one
        """Raise if models of this kind take no boxes from a detector.

        Raises:
            ConfigError: they do not.
        """

    @abstractmethod
    def finder(self, parts: Parts, model: Any, options: PredictOptions, detector: BoxDetector | None = None) -> Finder:
        """What predicts on images from weights, by the same path that runs exported models."""

    # ---------------------------------------------------------------- an export against the framework

    def sample_boxes(self, sample: Any) -> np.ndarray:
        """(N, 4) float64 xyxy boxes of a sample of the dataset, around which the model is run; none for whole images."""
        return np.zeros((0, 4))

    def parity_samples(self, samples: Sequence[Sample]) -> list[Sample]:
        """The images and boxes to compare on, made from (image, boxes) samples."""
        return list(samples)

    def stable_outputs(self, outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Those outputs of the network that may be compared number by number; arrays of fewer than three axes are not."""
        return list(outputs)

    @abstractmethod
    def predictions(self, runtime: Runtime, card: ModelCard, samples: Sequence[Sample], batch_size: int) -> list[Any]:
        """Final predictions of each sample by an engine, for `compare`."""

    @abstractmethod
    def compare(self, reference: list[Any], found: list[Any]) -> Difference:
        """How far the predictions of an engine are from the framework's."""


def backbone_name(config: Mapping[str, Any]) -> str:
    """Class of the backbone that the architecture's section names."""
    model = config.get(str(config.get("architecture")))
    backbone = model.get("backbone") if isinstance(model, Mapping) else None
    return str(backbone.get("name") if isinstance(backbone, Mapping) else backbone)


def readable(dataset: Any, rows: Iterable[int], bad: list[tuple[str, str]]) -> Iterator[Any]:
    """Samples of the given rows of a dataset; images that cannot be read are appended to `bad` as (path, reason)."""
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
