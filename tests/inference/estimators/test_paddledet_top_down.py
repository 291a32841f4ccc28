"""PaddleDetection's cuts, with the figures its own code gives."""

from __future__ import annotations

import numpy as np
from support.planted_models import PlantedRuntime, planted_person, pose_card

from ppdet.inference.estimators.paddledet_top_down import PaddleDetTopDown, paddledet_cuts
from ppdet.inference.estimators.top_down import TopDownEstimator


def test_cuts_are_clipped_and_rounded() -> None:
    boxes = np.array([[0, 100, 40, 400], [100.9, 100.9, 200.9, 140.9], [630, 470, 639, 479], [-50, -50, -10, -10]], float)
    cuts = paddledet_cuts(boxes, (640, 480))
    assert cuts[0].tolist() == [0, 55, 166, 445]  # 166 x 390, of which the network sees the middle 221 rows
    assert cuts[1].tolist() == [85, 94, 215, 146]  # whole pixels first; a wide box stays wide
    assert (cuts[:, 2:] > cuts[:, :2]).all() and (cuts >= 0).all() and (cuts[:, 2:] < [640, 480]).all()


def test_a_person_in_the_middle_is_found_about_as_well() -> None:
    points = np.array([[198.0, 150.0], [180.0, 190.0], [215.0, 202.0]])
    image = planted_person((400, 300), points, 16.0)
    boxes = np.tile([[160.0, 120.0, 236.8, 222.4]], (3, 1))
    runtime = PlantedRuntime()
    keypoints, scores = PaddleDetTopDown(runtime, pose_card(), batch_size=2).estimate(image, boxes)
    assert runtime.batches[1:] == [2, 1]
    np.testing.assert_allclose(keypoints, np.tile(points, (3, 1, 1)), atol=4.0)  # half a cell; its un-warp is biased
    assert (scores > 0.9).all()


def test_a_person_at_the_border_loses_what_paddledetection_loses() -> None:
    points = np.array([[25.0, 105.0], [20.0, 250.0], [35.0, 395.0]])
    image = planted_person((640, 480), points, 20.0)
    box = np.array([[0, 100, 40, 400]], float)
    _, theirs = PaddleDetTopDown(PlantedRuntime(), pose_card()).estimate(image, box)
    _, ours = TopDownEstimator(PlantedRuntime(), pose_card()).estimate(image, box)
    assert theirs[0, 1] > 0.8 and theirs[0, [0, 2]].max() < 0.5 < ours.min()
