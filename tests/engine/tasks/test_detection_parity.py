"""The comparison of detectors leaves out what rounding decides, and nothing else."""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np
import pytest

from ppdet.engine.export.parity import EngineResult
from ppdet.engine.tasks.detection_parity import compare_boxes, predict_boxes
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime

MATRIX = {"name": "MatrixNMS", "score_threshold": 0.01, "post_threshold": 0.01, "normalized": True, "background_label": -1}
IMAGE = np.zeros((100, 100, 3), np.uint8)
IMAGE[:, :50] = 200  # in an image of one colour, nobody would be found
APART = np.array([[0, 0, 30, 30], [50, 50, 90, 80]], np.float32)


class Outputs(Runtime):
    """Gives the same boxes and scores for any image."""

    engine = "outputs"

    def __init__(self, boxes: np.ndarray, scores: Any) -> None:
        self.input_names, self.fixed_batch, self.runs = ("image", "scale_factor"), 1, 0
        self._outputs = [np.asarray(boxes, np.float32)[None], np.asarray(scores, np.float32)[None, None]]

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        self.runs += 1
        return list(self._outputs)


def predict(boxes: Any, scores: Any, **settings: Any) -> list[Any]:
    return predict_boxes(Outputs(np.asarray(boxes), scores), card_of(**settings), [IMAGE], 1)


def card_of(**settings: Any) -> ModelCard:
    steps = [{"type": "Resize", "target_size": [100, 100], "keep_ratio": False, "interp": 2}, {"type": "Permute"}]
    return ModelCard(arch="YOLO", preprocess=steps, label_list=["person"], nms={**MATRIX, **settings})


def judged(reference: list[Any], found: list[Any]) -> EngineResult:
    return EngineResult.of("x", "", compare_boxes(reference, found))


def test_the_network_runs_once_for_all_repetitions() -> None:
    runtime = Outputs(APART, [0.9, 0.8])
    (prediction,) = predict_boxes(runtime, card_of(), [IMAGE], 1)
    assert len(prediction.repeated()) > 1 and runtime.runs == 1


def test_boxes_apart_are_all_compared() -> None:
    result = judged(predict(APART, [0.9, 0.8]), predict(APART + 0.01, [0.9, 0.8]))
    assert (result.status, result.compared, result.unmatched) == ("ok", 2, 0)
    assert result.max_px == pytest.approx(0.01, rel=0.01) and "left out" not in result.note


@pytest.mark.parametrize("boxes, scores", [(APART + 0.2, [0.9, 0.8]), (APART, [0.9, 0.79]), (APART[:1], [0.9])])
def test_errors_of_an_engine_are_found(boxes: np.ndarray, scores: list[float]) -> None:
    assert judged(predict(APART, [0.9, 0.8]), predict(boxes, scores)).status == "differs"


def test_a_box_too_many_is_found() -> None:
    more = np.concatenate([APART, [[60, 5, 95, 40]]])
    assert judged(predict(APART, [0.9, 0.8]), predict(more, [0.9, 0.8, 0.7])).unmatched == 1


def test_copies_that_matrix_nms_amplifies_do_not_count() -> None:
    """Three copies within rounding: the third keeps (1 - o) / (1 - m) of its score, a quotient of rounding errors."""
    copies = np.concatenate([APART[:1] + [[0, 0, shift, 0]] for shift in (0.0, 1e-5, 2e-5)])
    ours = predict([*copies, APART[1]], [0.9, 0.89, 0.88, 0.8])
    theirs = predict([*copies[::-1], APART[1]], [0.88, 0.89, 0.9, 0.8])
    result = judged(ours, theirs)
    assert result.status == "ok" and result.compared >= 1, result
    wrong = judged(ours, predict([*copies, APART[1] + 1], [0.9, 0.89, 0.88, 0.8]))
    assert wrong.status == "differs", "the box that is determined still counts"


def test_a_near_tie_of_classic_nms_is_left_out() -> None:
    """IoU .6 exactly, the threshold: rounding decides whether the second box is dropped."""
    tie = np.array([[0, 0, 80, 40], [20, 0, 100, 40]], np.float32)
    classic = {"name": "MultiClassNMS", "nms_threshold": 0.6, "keep_top_k": 100}
    kept, dropped = predict(tie, [0.9, 0.8], **classic), predict(tie - [[0, 0, 0, 0], [1e-3, 0, 0, 0]], [0.9, 0.8], **classic)
    assert len(kept[0].found) != len(dropped[0].found), "the two must differ for this test to mean anything"
    result = judged(kept, dropped)
    assert result.unmatched == 0 and "left out" in result.note


def test_ties_at_the_end_of_a_full_list_are_not_compared() -> None:
    boxes = np.array([[x, 0, x + 8, 8] for x in range(0, 100, 10)], np.float32)
    scores = np.linspace(0.9, 0.5, 10)
    scores[5] = scores[4] - 1e-6
    other = scores.copy()
    other[[4, 5]] = other[[5, 4]]
    result = judged(predict(boxes, scores, keep_top_k=5), predict(boxes, other, keep_top_k=5))
    assert (result.status, result.compared) == ("ok", 4)


def test_another_survivor_of_a_question_that_is_open_does_not_count() -> None:
    """The outputs differ by more than rounding, as a chaotic network's do, and another of the overlapping boxes comes through."""
    first, tie, survivor = np.array([[0, 0, 80, 40], [20, 0, 100, 40], [30, 0, 100, 40]], np.float32)
    classic = {"name": "MultiClassNMS", "nms_threshold": 0.6, "keep_top_k": 100}
    theirs = predict([first, survivor], [0.9, 0.8], **classic)
    result = judged(predict([first, tie], [0.9, 0.8], **classic), theirs)
    assert result.unmatched == 0 and "left out: 2 boxes" in result.note
    decided = judged(predict([first], [0.9], **classic), theirs)
    assert decided.unmatched == 1, "beside a box that is determined it is one too many"
