"""People divided among threads get the poses that one thread finds."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.inference.divided_poses import DividedPoses
from ppdet.inference.people_finder import Look
from ppdet.inference.pipeline import PosePipeline


def look_of(pipeline: PosePipeline, people: int) -> Look:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 200, (people, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(40, 120, (people, 2))], axis=1).astype(np.float32)
    image = rng.integers(0, 255, (320, 320, 3), np.uint8)
    return pipeline.finder.look_at(image, boxes, np.full(people, 0.4, np.float32))


@pytest.mark.parametrize("people", [0, 1, 2, 7])
def test_the_same_bits(people: int) -> None:
    pipeline = PosePipeline(engine="onnxruntime", cpu_threads=1, workers=3)
    one, divided = look_of(pipeline, people), look_of(pipeline, people)
    pipeline.finder.pose([(one, np.arange(people))])
    pose = DividedPoses(pipeline.finder, 3)
    pose(divided, np.arange(people))
    pose.close()
    assert divided.has_pose.all()
    np.testing.assert_array_equal(divided.keypoints, one.keypoints)
    np.testing.assert_array_equal(divided.keypoint_scores, one.keypoint_scores)


def test_an_engine_that_may_change_bits_gets_all_people_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = PosePipeline(engine="onnxruntime", cpu_threads=1, workers=3)
    monkeypatch.setattr(type(pipeline.estimator.runtime), "keeps_bits", False)
    finder, sizes = pipeline.finder, []
    monkeypatch.setattr(finder, "pose", lambda work: sizes.append(len(work[0][1])))
    DividedPoses(finder, 3)(look_of(pipeline, 7), np.arange(7))
    assert sizes == [7]
