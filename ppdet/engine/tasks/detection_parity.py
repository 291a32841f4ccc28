"""Compares a detector's boxes with the framework's, wherever the suppression leaves them determined.

Suppression is not continuous: of two boxes that overlap by nearly the threshold, the last bit of a side decides whether one is
dropped, and Matrix NMS divides by 1 - IoU. So the framework's suppression is repeated with its outputs changed by rounding, and
boxes that this changes are left out. The outputs before the suppression are compared element by element where an engine gives
them (`output_difference`).

Legend: N, M boxes of an image.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Callable, Mapping, Sequence

import numpy as np

from ppdet.engine.tasks.difference import SCORE_FLOOR, TOLERANCE_PX, TOLERANCE_SCORE, Difference
from ppdet.geometry.boxes import iou_matrix
from ppdet.inference.estimators.box_decoding import DEFAULT_NMS
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.detector import BoxDetector, is_finished
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime

PARTNER_IOU = 0.9
OVERLAP = 0.1
"""Boxes that overlap by more may lower each other's score in Matrix NMS by a tenth of it."""
ROUNDING = 1e-5
"""Relative: what float32 kernels of different engines agree to."""
REPETITIONS = 4


def _none() -> list[Detections]:
    return []


@dataclass(frozen=True)
class BoxPrediction:
    """Prediction on one image.

    Attributes:
        found: the final boxes.
        repeated: makes the final boxes of outputs that differ by rounding, once per repetition; none if the graph holds the
            suppression.
        full: whether boxes with lower scores were dropped to keep a fixed number.
    """

    found: Detections
    repeated: Callable[[], list[Detections]] = _none
    full: bool = False

    @property
    def floor(self) -> float:
        """The score above which boxes are compared: in a full list, rounding decides which boxes are the last."""
        lowest = float(self.found.scores.min(initial=np.inf)) + TOLERANCE_SCORE if self.full else 0.0
        return max(SCORE_FLOOR, lowest)


def predict_boxes(runtime: Runtime, card: ModelCard, images: Sequence[np.ndarray], batch_size: int) -> list[BoxPrediction]:
    """Run a detector on images, and keep what is needed to repeat its suppression."""
    recorder = _Recorder(runtime)
    found = BoxDetector(recorder, card, batch_size).detect(images)
    finished = any(is_finished(outputs) for outputs in recorder.runs)
    keep = int((card.nms or {}).get("keep_top_k", DEFAULT_NMS["keep_top_k"]))

    @lru_cache(maxsize=1)
    def repeated() -> list[list[Detections]]:
        replays = [] if finished else [_Replay(recorder, seed) for seed in range(REPETITIONS)]
        return [BoxDetector(replay, card, batch_size).detect(images) for replay in replays]

    def of_image(row: int) -> Callable[[], list[Detections]]:
        return lambda: [each[row] for each in repeated()]

    return [BoxPrediction(boxes, of_image(row), 0 < keep <= len(boxes)) for row, boxes in enumerate(found)]


def compare_boxes(reference: Sequence[BoxPrediction], found: Sequence[BoxPrediction]) -> Difference:
    """Compare sides and scores of boxes with the same label that overlap; others are unmatched.

    Args:
        reference: the framework's predictions.
        found: the engine's, of the same images.
    """
    sides, scores, unmatched, left_out = [np.zeros(0)], [np.zeros(0)], 0, 0
    for ours, theirs in zip(reference, found):
        confident = ours.found.scores > ours.floor
        decided = confident & _is_decided(ours)
        left_out += int((confident & ~decided).sum())
        partner, px, score = _partners(ours.found[decided], theirs.found)
        matched = partner >= 0
        sides.append(px[matched])
        scores.append(score[matched])
        # In the other direction with a margin: a score just above the floor in one engine may be just below it in the other.
        sure = theirs.found[theirs.found.scores > ours.floor + TOLERANCE_SCORE]
        known = [_partners(sure, boxes)[0] >= 0 for boxes in (ours.found, *ours.repeated())]
        extra = ~np.any(known, axis=0)
        is_open = extra & _overlaps(sure, ours.found[confident & ~decided])
        left_out += int(is_open.sum())
        unmatched += int((~matched).sum()) + int((extra & ~is_open).sum())
    difference = Difference.of(np.concatenate(sides), np.concatenate(scores))
    difference.unmatched = unmatched
    if left_out:
        difference.note += f"; left out: {left_out} boxes that rounding of the network's outputs changes in the suppression"
    return difference


def _overlaps(boxes: Detections, others: Detections) -> np.ndarray:
    """(N,) whether a box shares some of its area with one of the others of its label: their suppression is one question."""
    if not len(others):
        return np.zeros(len(boxes), bool)
    same = boxes.labels[:, None] == others.labels[None]
    overlaps: np.ndarray = ((iou_matrix(boxes.boxes_xyxy, others.boxes_xyxy) > OVERLAP) & same).any(axis=1)
    return overlaps


def _is_decided(prediction: BoxPrediction) -> np.ndarray:
    """(N,) whether a box is the same in every repetition."""
    decided = np.ones(len(prediction.found), bool)
    for boxes in prediction.repeated():
        partner, px, score = _partners(prediction.found, boxes)
        decided &= (partner >= 0) & (px < TOLERANCE_PX / 2) & (score < TOLERANCE_SCORE / 2)
    return decided


def _partners(ours: Detections, theirs: Detections) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each box the most similar one with the same label among those that overlap; near copies differ in their scores.

    Returns:
        (N,) row of the partner or -1, largest difference of a side in pixels, and difference of scores.
    """
    if not len(ours) or not len(theirs):
        return np.full(len(ours), -1), np.zeros(len(ours)), np.zeros(len(ours))
    px = np.abs(ours.boxes_xyxy[:, None] - theirs.boxes_xyxy[None]).max(axis=2)
    score = np.abs(ours.scores[:, None] - theirs.scores[None])
    # Boxes without an area in float32 overlap with nothing, not even themselves.
    same = (iou_matrix(ours.boxes_xyxy, theirs.boxes_xyxy) > PARTNER_IOU) | (px < TOLERANCE_PX)
    same &= ours.labels[:, None] == theirs.labels[None]
    apart = np.where(same, np.maximum(px / TOLERANCE_PX, score / TOLERANCE_SCORE), np.inf)
    rows, partner = np.arange(len(ours)), apart.argmin(axis=1)
    return np.where(same.any(axis=1), partner, -1), px[rows, partner], score[rows, partner]


class _Recorder(Runtime):
    """Keeps the outputs of every run."""

    engine = "recorder"

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.input_names, self.fixed_batch = runtime.input_names, runtime.fixed_batch
        self.runs: list[list[np.ndarray]] = []

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the engine."""
        self.runs.append(self._runtime.run(feeds))
        return self.runs[-1]


class _Replay(Runtime):
    """Gives recorded outputs again in their order, changed at random by `ROUNDING`."""

    engine = "replay"

    def __init__(self, recorder: _Recorder, seed: int) -> None:
        self.input_names, self.fixed_batch = recorder.input_names, recorder.fixed_batch
        self._runs, self._rng = iter(recorder.runs), np.random.default_rng(seed)

    def run(self, feeds: Mapping[str, Any]) -> list[np.ndarray]:
        """The next recorded outputs, whatever the input."""
        return [self._changed(output) for output in next(self._runs)]

    def _changed(self, output: np.ndarray) -> np.ndarray:
        return output * (1 + ROUNDING * self._rng.uniform(-1, 1, output.shape)).astype(np.float32)
