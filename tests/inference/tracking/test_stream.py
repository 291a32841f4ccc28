"""A stream of results: cuts, boxes worth a second look, people and person-frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from support.planted_models import SKELETON, PlantedDetector, PlantedRuntime, planted_codec, planted_person, pose_card

from ppdet.core.errors import DataError
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.results import PoseResult
from ppdet.inference.tracking.candidates import boxes_to_keep
from ppdet.inference.tracking.scene_cuts import SceneCuts
from ppdet.inference.tracking.stream import StreamTracker, stamp_of
from ppdet.inference.video.process import process_video

START = np.array([[30.0, 30.0], [20.0, 60.0], [60.0, 70.0]])


def scene(seed: int) -> np.ndarray:
    """A smooth image, different for each seed."""
    grid = np.random.default_rng(seed).integers(0, 255, (6, 10, 3)).astype(np.uint8)
    return cv2.resize(grid, (320, 180), interpolation=cv2.INTER_CUBIC)


def test_cuts_are_found_and_motion_flashes_and_fades_are_none() -> None:
    cuts, image = SceneCuts(), scene(0)
    assert not cuts.is_cut(image)
    for shift in (4, 8, 12, 0):
        assert not cuts.is_cut(np.roll(image, shift, axis=1))
    assert not cuts.is_cut(np.clip(image.astype(int) + 90, 0, 255).astype(np.uint8))  # a flash
    for share in (0.6, 0.3, 0.0, 0.0, 0.4, 1.0):
        assert not cuts.is_cut((image * share).astype(np.uint8))
    assert cuts.is_cut(scene(1)) and not cuts.is_cut(scene(1)) and cuts.is_cut(scene(2))


def test_a_cut_is_known_one_frame_before() -> None:
    black = np.zeros((180, 320, 3), np.uint8)
    frames = [scene(0), scene(0), scene(1), black, scene(1), scene(2), scene(2)]
    cuts, asked = SceneCuts(), SceneCuts()
    for number, (frame, upcoming) in enumerate(zip(frames, frames[1:])):
        assert asked.is_cut(frame) is cuts.is_cut(frame)
        assert asked.will_be_cut(upcoming) is (number + 1 in (2, 5))
    assert asked.is_cut(scene(1))  # another frame came than the one that was asked about


def test_a_low_score_counts_where_somebody_is_expected() -> None:
    boxes = np.array([[0, 0, 10, 20], [100, 0, 110, 20], [1, 0, 11, 20], [200, 0, 210, 20]], float)
    scores = np.array([0.9, 0.3, 0.4, 0.3])
    expected = np.array([[0, 0, 10, 20], [102, 0, 112, 20]], float)
    assert boxes_to_keep(boxes, scores, 0.5).tolist() == [True, False, False, False]
    assert boxes_to_keep(boxes, scores, 0.5, 0.2, expected).tolist() == [True, True, False, False]
    assert boxes_to_keep(boxes, scores, 0.5, 0.35, expected).tolist() == [True, False, False, False]


def test_one_box_of_low_score_for_each_person_who_is_missing() -> None:
    """A weak detector gives several boxes around a person; each costs a pose."""
    expected = np.array([[0, 0, 100, 200], [300, 0, 400, 200]], float)
    around = np.array([[0, 0, 100, 210], [0, 40, 100, 240], [20, 0, 120, 200]], float)
    boxes = np.concatenate([around, around + [300, 0, 300, 0]])
    scores = np.array([0.3, 0.4, 0.3, 0.3, 0.4, 0.3])
    assert boxes_to_keep(boxes, scores, 0.5, 0.2, expected).tolist() == [True, False, False, True, False, False]
    scores[5] = 0.9  # the second person is found, so nobody is missing there
    assert boxes_to_keep(boxes, scores, 0.5, 0.2, expected).tolist() == [True, False, False, False, False, True]
    two = np.array([[0, 0, 100, 200], [30, 0, 130, 200]], float)  # two people, one half behind the other
    assert boxes_to_keep(two + 4, np.array([0.3, 0.3]), 0.5, 0.2, two).tolist() == [True, True]
    assert boxes_to_keep(two + 4, np.array([0.9, 0.3]), 0.5, 0.2, two).tolist() == [True, True]
    assert not boxes_to_keep(two + 900, np.array([0.3, 0.3]), 0.5, 0.2, two).any()


def test_people_of_low_score_without_identity_are_left_out() -> None:
    tracker = StreamTracker(SKELETON, high_score=0.5)
    boxes = np.array([[0, 0, 40, 80], [100, 0, 140, 80]], np.float32)
    points = np.zeros((2, len(SKELETON.names), 2), np.float32) + boxes[:, None, :2] + 20
    scores = np.array([0.9, 0.3], np.float32)
    result = PoseResult(boxes, scores, points, np.ones(points.shape[:2], np.float32), SKELETON, (200, 100))
    kept = tracker.update(result)
    assert [person.id for person in kept] == [1] and tracker.persons == 1


def test_persons_are_counted_beside_person_frames(tmp_path: Path) -> None:
    size, clip = (96, 128), tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, size)
    for number in range(12):
        writer.write(planted_person(size, START + [number, 0], 5.0)[..., ::-1])
    writer.release()
    estimator = TopDownEstimator(PlantedRuntime(), pose_card(codec=planted_codec()))
    pipeline = PosePipeline(PlantedDetector([[10, 10, 90, 110]]), estimator)
    report = process_video(pipeline, clip)
    assert (report.persons, report.people, report.frames) == (1, 12, 12)


def test_times_that_are_none() -> None:
    assert stamp_of(None) is None and stamp_of(float("nan")) is None and stamp_of(np.float64(2)) == 2000.0
    for wrong in ("2", [2], True):
        with pytest.raises(DataError, match="give the time of the frame as a number"):
            stamp_of(wrong)
