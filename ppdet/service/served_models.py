"""Which models the service runs. The description can be sent to another process, which opens them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.inference.estimators.box_source import BoxSource
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.model_opening import is_box_file
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.results import PoseResult

AUTO, NO_DETECTOR = "auto", "none"
WARM_UP_HW = (240, 320)


@dataclass(frozen=True)
class ServedModels:
    """Names and settings of the models.

    Attributes:
        model: pose model: name, exported folder or ONNX file; None is the bundled one.
        det: the same for the detector; "auto" is the bundled one if the pose model needs a detector, "none" is no detector.
        det_threshold, batch_size, person_threshold, engine, device, precision, flip_test: see `PosePipeline`.
        cpu_threads: threads of the engine per worker.
        people: largest number of people per image.
    """

    model: Optional[str] = None
    det: str = AUTO
    det_threshold: float = 0.5
    batch_size: int = 8
    person_threshold: float = 0.1
    engine: str = "auto"
    device: str = "cpu"
    precision: str = "fp32"
    flip_test: bool = False
    cpu_threads: int = 1
    people: int = 100

    def open(self) -> PosePipeline:  # noqa: A003
        """The pipeline; it finds at most one person more than `people`, so that `at_most` knows whether there were more.

        Raises:
            ModelDirError: a model is missing or does not load.
            ConfigError: a file of boxes as the detector.
        """
        if is_box_file(self.det):
            raise ConfigError(f"--det {self.det} is a file of boxes of known images, but the service gets new images: give a "
                              "detector")
        pipeline = PosePipeline(
            None if self.det.lower() == NO_DETECTOR else self.det, self.model, engine=self.engine, device=self.device,
            cpu_threads=self.cpu_threads, precision=self.precision, det_threshold=self.det_threshold,
            keypoint_batch_size=self.batch_size, flip_test=self.flip_test, person_threshold=self.person_threshold,
        )  # fmt: skip
        if pipeline.detector is not None:
            pipeline.detector = SurestPeople(pipeline.detector, self.people + 1)
        return pipeline

    def describe(self, pipeline: PosePipeline) -> dict[str, Any]:
        """Names of the two models, without the folders that they lie in."""
        detector = pipeline.detector
        inner = detector.detector if isinstance(detector, SurestPeople) else detector
        return {"pose_model": _name(pipeline.estimator), "detector": None if inner is None else _name(inner)}


def _name(network: object) -> str:
    card = getattr(network, "card", None)
    folder = getattr(card, "model_dir", None)
    return folder.name if folder is not None else str(getattr(card, "arch", type(network).__name__))


class SurestPeople:
    """A detector that returns the best boxes of people only, so that a crowd cannot tie up the service.

    Args:
        detector: finds the boxes.
        most: largest number of boxes per image.
    """

    def __init__(self, detector: BoxSource, most: int) -> None:
        self.detector, self.most = detector, most

    @property
    def person_label(self) -> int | Sequence[int]:
        """See `BoxSource`."""
        return self.detector.person_label

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """See `BoxSource.detect`."""
        return [self._best(found) for found in self.detector.detect(images)]

    def _best(self, found: Detections) -> Detections:
        people = found[np.isin(found.labels, self.person_label)]
        return people[np.argsort(-people.scores, kind="stable")[: self.most]]


def at_most(result: PoseResult, people: int) -> tuple[PoseResult, bool]:
    """The people with the highest scores in a result, and whether others were left out."""
    if len(result) <= people:
        return result, False
    rows = np.sort(np.argsort(-result.box_scores, kind="stable")[:people])
    return result.of(rows), True


def warm_up(pipeline: PosePipeline) -> None:
    """Run a grey image through, so that the first client does not wait for the engine to warm up."""
    pipeline.estimate(np.full((*WARM_UP_HW, 3), 127, np.uint8))
