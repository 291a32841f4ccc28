"""A person in two boxes of a network is one person; boxes that a user gives are all kept."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np
import pytest

from ppdet.inference.estimators.base import People
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.people_finder import PeopleFinder
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.tracking.candidates import Candidates
from ppdet.skeletons import get_skeleton

BOXES = np.array([[10, 10, 60, 110], [10, 10, 60, 60], [200, 10, 250, 110]], np.float32)
SCORES = np.array([0.6, 0.8, 0.7], np.float32)
IMAGE = np.zeros((120, 300, 3), np.uint8)


class Boxes:
    """Two boxes of one person, the better one of the upper half alone, and one of somebody else."""

    person_label = 0

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        return [Detections.from_rows(BOXES, SCORES, np.zeros(3)) for _ in images]


class Network(Boxes):
    runtime = None


class Estimator:
    """Finds the pose of whoever is at the left of the box; in the lower half only where the box shows it."""

    finds_people_itself = False

    def __init__(self, skeleton: str) -> None:
        self.skeleton = get_skeleton(skeleton)

    def poses(self, images: Any, boxes: Any, person_threshold: float, timer: StageTimer) -> list[People]:
        found = []
        for xyxy, scores in boxes:
            count = self.skeleton.num_keypoints
            points = np.stack([np.linspace(5, 45, count), np.linspace(5, 95, count)], axis=1).astype(np.float32)
            shown = points[None, :, 1] + 10 < xyxy[:, 3:]
            found.append(People(xyxy, scores, points + xyxy[:, None, :2], np.where(shown, 0.9, 0.05).astype(np.float32)))
        return found


def finder(detector: Any, skeleton: str = "coco17") -> PeopleFinder:
    estimator: Any = Estimator(skeleton)
    return PeopleFinder(detector, estimator, 0.5, 0.1, (), StageTimer(), set())


def test_the_box_in_which_the_pose_is_better_stays() -> None:
    people = finder(Network()).people(finder(Network()).look([IMAGE], [None])[0]).people
    assert sorted(people.boxes.tolist()) == sorted(BOXES[[0, 2]].tolist())


def test_two_whom_a_tracker_expects_are_two() -> None:
    one = finder(Network())
    for expected, kept in ((BOXES[:1], BOXES[[0, 2]]), (BOXES[1:2], BOXES[[1, 2]]), (BOXES[:2], BOXES)):
        people = one.people(one.look([IMAGE], [None])[0], Candidates(expected)).people
        assert sorted(people.boxes.tolist()) == sorted(kept.tolist())


@pytest.mark.parametrize("skeleton", ["coco17", "mpii16"])
def test_boxes_of_a_user_are_all_kept(skeleton: str) -> None:
    one = finder(Boxes(), skeleton)
    assert sorted(one.people(one.look([IMAGE], [None])[0]).people.boxes.tolist()) == sorted(BOXES.tolist())
