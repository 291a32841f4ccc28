"""Networks that find people and describe their looks, by which they are followed (FairMOT)."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

import numpy as np

from ppdet.core.config.load import Config
from ppdet.core.config.nodes import plain
from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.problem import Problem
from ppdet.engine.precision import Precision
from ppdet.engine.tasks.base import Collected, Parts, Sample, process_rows, with_progress
from ppdet.engine.tasks.deployed_form import DeployedForm, Feed, card_of, operations, preprocess_steps
from ppdet.engine.tasks.detection import DetectionTask
from ppdet.engine.tasks.detection_parity import BoxPrediction, compare_boxes
from ppdet.engine.tasks.difference import SCORE_FLOOR, Difference
from ppdet.engine.tasks.exported_model import ExportedModel
from ppdet.engine.tasks.finders import Finder, PredictOptions, TrackFinder
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.estimators.tracking_network import TrackingNetwork
from ppdet.inference.model_card import TRACKER_KEY, ModelCard
from ppdet.inference.runtimes.base import Runtime
from ppdet.inference.tracking.jde.settings import TYPE, JdeSettings
from ppdet.modeling.export.fairmot import FairMOTExport

RESIZE = "LetterBoxResize"
READERS = ("TrainReader", "EvalMOTReader", "TestMOTReader", "EvalReader", "TestReader")
TEST_READERS = ("TestMOTReader", "TestReader")
MULTIPLE = 32
"""Input pixels per cell of the backbone's coarsest level."""
PARITY_SAMPLES = 2
"""The network takes seconds per image on a CPU."""
MIN_SUBGRAPH = 5
"""Of TensorRT, as PaddleDetection writes it for this architecture."""


class TrackingTask(DetectionTask):
    """Boxes with looks in whole images, and identities in sequences of them."""

    kind = "tracking"
    architectures = ("FairMOT",)

    def check(self, config: Config) -> list[Problem]:
        """Finds malformed settings of the tracker, and input sizes that the network cannot take."""
        problems = []
        try:
            _settings(config)
        except ConfigError as error:
            problems.append(Problem(str(error), config.mark_of(TYPE) if TYPE in config else None))
        for reader in READERS:
            for name, arguments in operations(config.get(reader)) if isinstance(config.get(reader), Mapping) else ():
                size = arguments.get("target_size")
                sides = [size] if isinstance(size, int) else size if isinstance(size, (list, tuple)) else []
                if name == RESIZE and any(isinstance(side, int) and side % MULTIPLE for side in sides):
                    legal = [max(round(side / MULTIPLE), 1) * MULTIPLE for side in sides]
                    text = f"{reader}: {RESIZE}.target_size is {list(sides)}, but the network takes multiples of {MULTIPLE}"
                    problems.append(Problem(f"{text}, such as {legal}", config.mark_of(reader)))
        return problems

    def input_wh(self, parts: Parts) -> tuple[int, int]:
        """From the test reader's `LetterBoxResize`."""
        for name, arguments in operations(_test_reader(parts.config)):
            if name == RESIZE:
                size = arguments["target_size"]
                height, width = (size, size) if isinstance(size, int) else size
                return int(width), int(height)
        place = getattr(parts.config, "path", "the config")
        raise ConfigError(f"{place}: no input size; give TestMOTReader a LetterBoxResize with target_size: [height, width]")

    def fit_to_data(self, model: Any, dataset: Any) -> None:
        """Give the classifier as many identities as the training data has."""
        count = getattr(dataset, "num_identities", None)
        if count is None:
            raise ConfigError(f"{type(dataset).__name__} has no identities: FairMOT learns from a MOTDataSet")
        model.reid.set_identities(int(count))

    def deployed_form(
        self, parts: Parts, model: Any, post_process: bool | None = None, nms: bool | None = None
    ) -> DeployedForm:
        """The network with its decoding, in PaddleDetection's form; see `Task.deployed_form`."""
        config = {**parts.config, "TestReader": _test_reader(parts.config)}
        feed = Feed.of_config(config)
        layer = FairMOTExport(model, **feed.export_arguments())
        card = card_of(config, "FairMOT", preprocess_steps(config), feed)
        card.label_list, card.min_subgraph_size = ["pedestrian"], MIN_SUBGRAPH
        card.extra[TRACKER_KEY] = _settings(parts.config).to_dict()
        card.input_wh = self.input_wh(parts)
        return DeployedForm(layer, card, layer.input_spec(card.input_wh), layer.output_names)

    def detector(self, parts: Parts, model: Any) -> TrackingNetwork:
        """The network to evaluate."""
        if isinstance(model, ExportedModel):
            return TrackingNetwork(model.runtime, model.card)
        form = self.deployed_form(parts, model)
        return TrackingNetwork(form.runtime(), form.card)

    def collect(
        self,
        parts: Parts,
        model: Any,
        metric: Any,
        data: Any = None,
        precision: Precision | None = None,
        bad: list[tuple[str, str]] | None = None,
    ) -> Collected:
        """Follow the people of each sequence, with a new tracker for each; see `Task.collect`."""
        detector = self.detector(parts, model)
        dataset = parts.dataset("Eval") if data is None else data
        bad = [] if bad is None else bad
        sequences, count = [dataset.sequences[row] for row in process_rows(dataset)], 0
        for sequence in sequences:
            metric.update(follow_sequence(detector, dataset, sequence, bad))
            count += len(sequence.frames)
        width, height = detector.card.input_wh or self.input_wh(parts)
        tracker = ", ".join(f"{key} {value}" for key, value in detector.settings.to_dict().items())
        return Collected(count, f"FairMOT {width}x{height}; {len(dataset)} sequences; {tracker}; {detector.runtime.description}")

    def finder(self, parts: Parts, model: Any, options: PredictOptions, detector: BoxDetector | None = None) -> Finder:
        """Finds boxes in images, and follows people in videos."""
        form = self.deployed_form(parts, model)
        return TrackFinder(TrackingNetwork(form.runtime(), form.card), options)

    def parity_samples(self, samples: Sequence[Sample]) -> list[Sample]:
        """A few of them."""
        return list(samples)[:PARITY_SAMPLES]

    def stable_outputs(self, outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The scores in order; rows of equal scores may come in any order."""
        return [np.sort(np.asarray(outputs[0])[None, :, 1:2], axis=1)]

    def predictions(self, runtime: Runtime, card: ModelCard, samples: Sequence[Sample], batch_size: int) -> list[Any]:
        """`Detections` of each sample, with looks."""
        return TrackingNetwork(runtime, card).detect([image for image, _ in samples])

    def compare(self, reference: list[Any], found: list[Any]) -> Difference:
        """Compares boxes as of any detector, and the looks of people."""
        difference = compare_boxes([BoxPrediction(each) for each in reference], [BoxPrediction(each) for each in found])
        worst = [_look_difference(ours, theirs) for ours, theirs in zip(reference, found)]
        known = [each for each in worst if each is not None]
        difference.max_output = max(known) if known else None
        return difference


def follow_sequence(
    detector: TrackingNetwork, dataset: Any, sequence: Any, bad: list[tuple[str, str]]
) -> dict[str, Any]:
    """Tracks of a sequence of `MOTImageFolder`, as `MOTMetric.update` takes them.

    Args:
        detector: finds the people.
        dataset: reads the frames.
        sequence: the frames.
        bad: list to which frames that cannot be read are appended; people are followed across them.
    """
    tracker = detector.follower(sequence.fps)
    rows: list[tuple[int, Any]] = []
    for frame, image in _frames(dataset, sequence, bad):
        (found,) = detector.detect([image])
        rows.append((frame, tracker.follow(found.boxes_xyxy, found.scores, found.looks, frame / sequence.fps)))
    return {
        "name": sequence.name, "frames": len(sequence.frames), "truth": None if sequence.truth is None else str(sequence.truth),
        "frame": np.concatenate([np.zeros(0, np.int64), *(np.full(len(seen.identities), frame) for frame, seen in rows)]),
        "identity": np.concatenate([np.zeros(0, np.int64), *(seen.identities for _, seen in rows)]),
        "boxes": np.concatenate([np.zeros((0, 4)), *(seen.boxes for _, seen in rows)]),
        "scores": np.concatenate([np.zeros(0), *(seen.scores for _, seen in rows)]),
    }  # fmt: skip


def _frames(dataset: Any, sequence: Any, bad: list[tuple[str, str]]) -> Iterator[tuple[int, np.ndarray]]:
    """Number from 1 and pixels of each frame that can be read."""
    for number, path in enumerate(with_progress(sequence.frames), start=1):
        try:
            image = dataset.image(path)
        except MediaError as error:
            bad.append((str(path), str(error)))
            continue
        yield number, image


def _settings(config: Mapping[str, Any]) -> JdeSettings:
    """The tracker's settings: section `JDETracker`."""
    section = config.get(TYPE)
    return JdeSettings.from_mapping({} if section is None else plain(section), TYPE)


def _test_reader(config: Mapping[str, Any]) -> Any:
    return next((config[name] for name in TEST_READERS if config.get(name)), None)


def _look_difference(ours: Detections, theirs: Detections) -> float | None:
    """Largest difference of a number of the looks of the same people; looks have length 1."""
    confident = np.flatnonzero(ours.scores > SCORE_FLOOR)
    if not len(confident) or not len(theirs):
        return None
    assert ours.looks is not None and theirs.looks is not None
    apart = np.abs(ours.boxes_xyxy[confident][:, None] - theirs.boxes_xyxy[None]).max(axis=2)
    return float(np.abs(ours.looks[confident] - theirs.looks[apart.argmin(axis=1)]).max())
