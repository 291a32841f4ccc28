"""A detector that looks now and then: when it must look, and where people are in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Sequence

import cv2
import numpy as np
import pytest
from support.planted_models import PlantedRuntime, planted_codec, planted_person, pose_card

from ppdet.core.errors import ConfigError
from ppdet.geometry.boxes import iou_matrix
from ppdet.inference.estimators.base import People
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.presets import PRESETS
from ppdet.inference.redetection.border_motion import BorderMotion
from ppdet.inference.redetection.carried import Carried
from ppdet.inference.redetection.schedule import ADAPTIVE, Schedule

SIZE = (320, 240)
POINTS = np.array([[30.0, 30], [20, 60], [60, 70]])
BOX = np.array([0.0, 10, 80, 100])


class BrightDetector:
    """One box for every planted person: each has a white mark at the left of its box."""

    person_label = 0

    def __init__(self) -> None:
        self.calls: list[int] = []

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        found = []
        for image in images:
            self.calls.append(int(image[0, 0, 0]))
            starts = np.flatnonzero((image[5] == 255).all(axis=1))
            boxes = np.array([BOX + [x, 0, x, 0] for x in starts], np.float32).reshape(-1, 4)
            found.append(Detections.from_rows(boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes))))
        return found


def picture(number: int, starts: Sequence[float]) -> np.ndarray:
    """A frame with a planted person at each start."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for x in starts:
        image = np.maximum(image, planted_person(SIZE, POINTS + [x, 0], 5.0))
    for x in starts:
        image[5, round(x)] = 255
    image[0, 0] = number
    return image


def pipeline_of(detector: Any, interval: Any, **options: Any) -> PosePipeline:
    estimator = TopDownEstimator(PlantedRuntime(), pose_card(codec=planted_codec()))
    return PosePipeline(detector, estimator, det_interval=interval, **options)


def people(boxes: Any, points: Any, scores: float = 0.9) -> People:
    points = np.asarray(points, np.float32)
    return People(np.asarray(boxes, np.float32), np.full(len(points), 0.8, np.float32), points,
                  np.full(points.shape[:2], scores, np.float32))  # fmt: skip


def test_a_fixed_interval_is_kept() -> None:
    detector = BrightDetector()
    pipeline = pipeline_of(detector, 4)
    for number in range(13):
        pipeline.track(picture(number, [100 + number]), seconds=number / 25)
    assert detector.calls == [0, 4, 8, 12]


def test_boxes_follow_the_poses() -> None:
    detector = BrightDetector()
    plain, sparse = pipeline_of(BrightDetector(), 1), pipeline_of(detector, ADAPTIVE)
    for number in range(30):
        image = picture(number, [60 + 3 * number])
        expected, found = (each.track(image, seconds=number / 25) for each in (plain, sparse))
        assert len(found) == 1 and found.track_ids.tolist() == [1]
        np.testing.assert_allclose(found.keypoints, expected.keypoints, atol=1.5)
        assert iou_matrix(found.boxes, expected.boxes)[0, 0] > 0.85
    assert len(detector.calls) <= 8  # 1 + frames 2, 6, 14, 26 and little else


def test_people_divided_among_threads_have_the_same_poses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlantedRuntime, "keeps_bits", True)
    one, several = (pipeline_of(BrightDetector(), 5, workers=workers) for workers in (1, 3))
    for number in range(12):
        image = picture(number, [number, 90 + 2 * number, 200 - number][: 1 + number % 3])
        expected, found = (each.track(image, seconds=number / 25) for each in (one, several))
        assert np.array_equal(found.keypoints, expected.keypoints) and np.array_equal(found.scores, expected.scores)
        assert np.array_equal(found.track_ids, expected.track_ids)


def test_the_adaptive_interval_grows_and_falls_back() -> None:
    schedule, due = Schedule(ADAPTIVE, 30.0), []
    for number in range(60):
        if schedule.is_due(False, False):
            due.append(number)
            schedule.looked(agrees=number > 0)
    assert due == [0, 2, 6, 14, 29, 44, 59]  # half a second at most
    schedule.looked(agrees=False)
    assert [schedule.is_due(False, False) for _ in range(2)] == [False, True]
    assert Schedule(5, float("nan")).is_due(False, False)


def test_a_cut_and_motion_make_it_look_and_a_moving_camera_is_learned() -> None:
    schedule = Schedule(100, 25.0)
    assert schedule.is_due(False, False)
    schedule.looked(False)
    assert not schedule.is_due(False, False) and schedule.is_due(True, False)
    schedule.looked(False)
    looks = 0
    for _ in range(90):
        if schedule.is_due(False, True):
            looks += 1
            schedule.looked(agrees=True)
    assert 5 <= looks <= 14  # and not 90


def test_who_walks_in_is_found_at_once() -> None:
    detector = BrightDetector()
    pipeline = pipeline_of(detector, 1000)
    counts = []
    for number in range(12):
        starts = [200.0] if number < 6 else [200.0, 0.0]
        image = picture(number, starts)
        if number >= 6:
            image[60:180, :14] = np.maximum(image[60:180, :14], 90)  # the person's coat
        counts.append(len(pipeline.track(image, seconds=number / 25)))
    assert counts == [1] * 6 + [2] * 6 and detector.calls == [0, 6]


def test_somebody_who_leaves_is_lost_by_the_low_score() -> None:
    detector = BrightDetector()
    pipeline = pipeline_of(detector, 1000)
    counts = [len(pipeline.track(picture(n, [100.0] if n < 5 else []), seconds=n / 25)) for n in range(9)]
    assert counts == [1] * 5 + [0] * 4 and detector.calls[:2] == [0, 5]


def test_a_video_with_an_interval(tmp_path: Path) -> None:
    clip = str(tmp_path / "clip.avi")
    writer = cv2.VideoWriter(clip, cv2.VideoWriter_fourcc(*"MJPG"), 25.0, SIZE)
    for number in range(20):
        writer.write(planted_person(SIZE, POINTS + [100 + number, 0], 5.0)[..., ::-1])
    writer.release()

    class Whole(BrightDetector):
        def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
            self.calls += [0] * len(images)
            box = np.array([[90, 10, 210, 100]], np.float32)
            return [Detections.from_rows(box, np.ones(1), np.zeros(1)) for _ in images]

    detector = Whole()
    results = list(pipeline_of(detector, 5).video(clip))
    assert 4 <= len(detector.calls) <= 6 and [len(result) for result in results] == [1] * 20
    assert {int(result.track_ids[0]) for result in results} == {1}
    walked = [float(result.keypoints[0, 0, 0]) for result in results]
    np.testing.assert_allclose(walked, 130 + np.arange(20), atol=6.0)  # a twelfth of the crop is one cell


def test_doubts() -> None:
    spread = np.stack([np.arange(8) * 10.0, np.arange(8) * 20.0], axis=1)
    before = people([[0, 0, 70, 140], [200, 0, 270, 140]], [spread, spread + [200, 0]])
    carried = Carried.detected(before)
    size = (640, 480)
    assert not carried.is_doubtful(before, size)
    assert carried.is_doubtful(before._replace(scores=np.full((2, 8), 0.5, np.float32)), size)  # unsure
    assert carried.is_doubtful(before._replace(keypoints=np.stack([spread, spread + 2])), size)  # two are one
    shrunk = before._replace(keypoints=np.stack([spread * 0.05, spread + [200, 0]]).astype(np.float32))
    assert carried.is_doubtful(shrunk, size)
    nobody = Carried.detected(people(np.zeros((0, 4)), np.zeros((0, 8, 2))))
    assert not nobody.is_doubtful(people(np.zeros((0, 4)), np.zeros((0, 8, 2))), size)
    assert nobody.agrees(np.zeros((0, 4))) and not nobody.agrees(before.boxes)
    assert carried.agrees(before.boxes[::-1]) and not carried.agrees(before.boxes + 60)


def test_motion_at_the_border() -> None:
    motion, dark = BorderMotion(), np.zeros((240, 320, 3), np.uint8)
    nobody = np.zeros((0, 4))
    coming, inside = dark.copy(), dark.copy()
    coming[60:160, :30], inside[60:160, 100:150] = 200, 200
    assert not motion.is_moving(coming, nobody)  # the first frame
    motion.is_moving(dark, nobody)
    assert motion.is_moving(coming, nobody)
    motion.is_moving(dark, nobody)
    assert not motion.is_moving(coming, np.array([[0.0, 60, 30, 160]]))  # somebody known
    motion.is_moving(dark, nobody)
    assert not motion.is_moving(inside, nobody)
    motion.is_moving(dark, nobody)
    assert not motion.is_moving(dark + 90, nobody)  # the light
    assert not BorderMotion().is_moving(np.zeros((3, 2, 3), np.uint8), nobody)


def test_what_cannot_be() -> None:
    for wrong in (0, -1, "often", 2.5, True):
        with pytest.raises(ConfigError, match="det_interval is"):
            pipeline_of(BrightDetector(), wrong)
    with pytest.raises(ConfigError, match="there is no detector"):
        pipeline_of(None, 3)
    with pytest.raises(ConfigError, match="preset 'quick' is unknown"):
        pipeline_of(BrightDetector(), None, preset="quick")


def test_presets() -> None:
    assert list(PRESETS) == ["accurate", "balanced", "fast"]
    assert pipeline_of(BrightDetector(), None).det_interval == 1
    assert pipeline_of(BrightDetector(), None, preset="fast").det_interval == ADAPTIVE
    assert pipeline_of(BrightDetector(), 1, preset="fast").det_interval == 1
    assert pipeline_of(None, None, preset="fast").det_interval == 1
    accurate, balanced = (PosePipeline(None, engine="onnxruntime", cpu_threads=1, preset=name) for name in list(PRESETS)[:2])
    assert accurate.estimator.flip_test and not balanced.estimator.flip_test  # type: ignore[attr-defined]
