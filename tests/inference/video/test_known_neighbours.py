"""Frames between two others: poses are interpolated only if the frame is in the middle of its neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional, Sequence

import cv2
import numpy as np
import pytest
from inference.redetection.test_every_other import Whole
from inference.redetection.test_redetection import POINTS, SIZE
from inference.video.test_video import DamagedCapture
from support.planted_models import PlantedRuntime, planted_codec, planted_person, pose_card

from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.results import PoseResult
from ppdet.inference.video.estimation import is_middle
from ppdet.inference.video.reader import Frame


def estimated_frames(clip: Path) -> list[int]:
    """Numbers of the frames whose poses are not interpolated: the same as without, since the detector's box never changes."""

    def results(**options: Any) -> list[PoseResult]:
        pipeline = PosePipeline(Whole(), TopDownEstimator(PlantedRuntime(), pose_card(codec=planted_codec())), **options)
        return list(pipeline.video(str(clip)))

    pairs = zip(results(preset="balanced"), results(preset="fast", det_interval=2))
    return [one.frame_id or 0 for one, other in pairs if np.array_equal(one.keypoints, other.keypoints)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """20 frames of somebody who walks slowly."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, SIZE)
    for number in range(20):
        writer.write(planted_person(SIZE, POINTS + [100 + 0.7 * number, 0], 5.0)[..., ::-1])
    writer.release()
    return path


def test_every_second_frame_is_in_between(clip: Path) -> None:
    assert estimated_frames(clip) == [*range(1, 20, 2), 20]


@pytest.mark.parametrize("damaged, then", [({5}, [6, 8, 10]), ({6}, [7, 9, 11]), ({6, 7, 8, 9}, [10, 12, 14])])
def test_the_frame_after_damaged_ones_is_estimated(
    clip: Path, monkeypatch: pytest.MonkeyPatch, damaged: set[int], then: list[int]
) -> None:
    monkeypatch.setattr("ppdet.inference.video.reader.open_capture", lambda source: DamagedCapture(clip, damaged))
    estimated = estimated_frames(clip)
    assert [number for number in estimated if number > max(damaged)][:3] == then
    assert min(damaged) - 1 in estimated  # its next frame is not known


@pytest.mark.parametrize("stamps, expected", [
    ((0, 40, 80), True), ((0, 33, 67), True), ((100, 133, 200), True), ((None, None, None), True), ((0, 0, 0), True),
    ((80, 40, 0), True), ((0, 40, 400), False), ((0, 360, 400), False), ((0, 200, 400), False), ((0, 10, 80), False),
    ((0, None, 80), False),
])  # fmt: skip
def test_the_middle_in_time(stamps: tuple[Optional[float], ...], expected: bool) -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    frames = [Frame(number, stamp, image) for number, stamp in enumerate(stamps, 1)]
    assert is_middle(*frames) is expected
    assert not is_middle(Frame(1, 0.0, None), *frames[1:]) and not is_middle(*frames[:2], Frame(3, 80.0, None))


class OneBoxPerScene:
    """A box on the left in dark scenes, and one beside it, overlapping it, in bright ones."""

    person_label = 0

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        boxes = [np.array([[40, 10, 160, 100]], np.float32) + (image.mean() > 90) * np.array([40, 0, 40, 0]) for image in images]
        return [Detections.from_rows(box, np.ones(1), np.zeros(1)) for box in boxes]


@pytest.mark.parametrize("cuts", [(7,), (8,), (3, 6, 9, 12), (5, 6, 7, 8)])
def test_boxes_of_two_scenes_are_not_averaged(tmp_path: Path, cuts: tuple[int, ...]) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, SIZE)
    ramp = np.linspace(0, 60, SIZE[0])[None, :, None] + np.zeros((SIZE[1], SIZE[0], 3))
    scenes = [sum(number >= cut for cut in cuts) % 2 for number in range(16)]
    for number in scenes:
        writer.write((180 - ramp if number else ramp).astype(np.uint8))
    writer.release()
    pipeline = PosePipeline(OneBoxPerScene(), TopDownEstimator(PlantedRuntime(), pose_card(codec=planted_codec())), preset="fast",
                            det_interval=2)  # fmt: skip
    left = [float(result.boxes[0, 0]) for result in pipeline.video(str(path))]
    assert left == [40.0 + 40 * number for number in scenes]
