"""What the parity report of a bottom-up export tells apart: faults, ties, and people joined otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.planted_group import PlantedGroupRuntime, bottom_up_card, bottom_up_codec, group_image

from ppdet.engine.tasks.bottom_up_parity import (
    BottomUpPrediction,
    bottom_up_samples,
    compare_candidates,
    predict_bottom_up,
    regrouped,
    tied_peaks,
)
from ppdet.inference.estimators.bottom_up import BottomUpEstimator

PEOPLE = np.array([[[60.0, 80.0], [110.0, 85.0]], [[200.0, 60.0], [250.0, 150.0]], [[330.0, 180.0], [300.0, 210.0]]])


@pytest.fixture
def prediction() -> BottomUpPrediction:
    codec = bottom_up_codec()
    estimator = BottomUpEstimator(PlantedGroupRuntime(codec), bottom_up_card(codec=codec))
    return predict_bottom_up(estimator, group_image((400, 300), PEOPLE, 8.0))


def changed(prediction: BottomUpPrediction, **fields: np.ndarray) -> BottomUpPrediction:
    return prediction._replace(candidates=replace(prediction.candidates, **fields))


def test_the_same_is_the_same(prediction: BottomUpPrediction) -> None:
    rows = compare_candidates(prediction, prediction, 0.2)
    assert rows.shape == (6, 4) and not rows.any() and not tied_peaks(rows, 0.05).any()
    assert regrouped([prediction], [prediction], 0.2, 0.05) == 0


def test_a_moved_peak_is_measured_in_image_pixels(prediction: BottomUpPrediction) -> None:
    offset = prediction.candidates.offset.copy()
    offset[0, 0, 0] += 2.0
    rows = compare_candidates(prediction, changed(prediction, offset=offset), 0.2)
    assert rows[:, 0].max() == pytest.approx(2 * 300 / 128, rel=1e-5) and (rows[:, 0] > 0).sum() == 1
    assert not tied_peaks(rows, 0.05).any()


def test_a_peak_moved_the_other_way_is_a_tie_and_many_are_a_fault(prediction: BottomUpPrediction) -> None:
    offset = prediction.candidates.offset.copy()
    offset[0, 0, 0] *= -1
    rows = compare_candidates(prediction, changed(prediction, offset=offset), 0.2)
    assert tied_peaks(rows, 0.05).sum() == 1
    rows = compare_candidates(prediction, changed(prediction, offset=-prediction.candidates.offset), 0.2)
    assert (rows[:, 0] > 0.05).sum() == 6 and not tied_peaks(rows, 0.05).any()


def test_a_lost_candidate_and_other_tags_are_seen(prediction: BottomUpPrediction) -> None:
    score, tag = prediction.candidates.score.copy(), prediction.candidates.tag.copy()
    score[1] = 0.0
    rows = compare_candidates(prediction, changed(prediction, score=score), 0.2)
    assert np.isinf(rows[:, 0]).sum() == 3
    tag[0, 0] += 0.5
    assert compare_candidates(prediction, changed(prediction, tag=tag), 0.2)[:, 2].max() == pytest.approx(0.5)


def test_people_joined_otherwise_are_counted(prediction: BottomUpPrediction) -> None:
    swapped = prediction.people.keypoints.copy()
    swapped[[0, 1], 1] = swapped[[1, 0], 1]
    other = prediction._replace(people=prediction.people._replace(keypoints=swapped))
    assert regrouped([prediction], [other], 0.2, 0.05) == 2
    nobody = prediction.people._replace(keypoints=np.zeros((0, 2, 2)), scores=np.zeros((0, 2)))
    assert regrouped([prediction], [prediction._replace(people=nobody)], 0.2, 0.05) == 3


def test_samples_have_many_shapes() -> None:
    shapes = [image.shape[:2] for image, _ in bottom_up_samples([(np.zeros((300, 400, 3), np.uint8), None)] * 8)]
    assert shapes == [(300, 400), (300, 150), (133, 400), (36, 48), (300, 400), (300, 150)]
