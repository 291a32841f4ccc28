"""Frames that are worked on at the same time give what they give one after the other, in order, and errors reach the caller."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import cv2
import numpy as np
import pytest
from support.planted_models import SKELETON, PlantedRuntime, planted_person, pose_card, write_detector, write_pose_model
from support.shared_data import shared

from ppdet.core.errors import ConfigError
from ppdet.inference.batching.plan import BatchPlan
from ppdet.inference.estimators.base import People
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.people_finder import PeopleFinder
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.video.ahead import FRAME_BYTES, checked_workers, frames_behind, looks_ahead
from ppdet.inference.video.background import BackgroundSource
from ppdet.inference.video.reader import Frame

SIZE = (96, 128)


def write_clip(path: Path, frames: int = 14) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, SIZE)
    for number in range(frames):
        image = planted_person(SIZE, np.array([[30.0, 30], [20, 60], [60, 70]]) + [number, 0], 5.0)
        writer.write((image if number % 5 else np.zeros_like(image))[..., ::-1])
    writer.release()
    return path


def content(results: Any) -> list[tuple[Any, ...]]:
    return [(r.frame_id, r.boxes.tolist(), r.keypoints.tolist(), r.scores.tolist(), r.track_ids.tolist()) for r in results]


def test_workers_change_no_bit(tmp_path: Path) -> None:
    models = write_detector(tmp_path / "det"), write_pose_model(tmp_path / "pose")
    clip = write_clip(tmp_path / "clip.avi")
    runs = []
    for workers, threads in ((0, 1), (1, 2), (3, 1), (4, 2)):
        pipeline = PosePipeline(*models, engine="onnxruntime", cpu_threads=threads, workers=workers)
        runs.append(content(pipeline(clip)))
    assert len(runs[0]) == 14 and sum(len(frame[1]) for frame in runs[0]) == 11
    for other in runs[1:]:
        assert other == runs[0]


@pytest.mark.slow
@pytest.mark.parametrize("clip", ["two_players_54f.mp4", "arm_wrestling_crowd_280f.mp4"])
def test_workers_change_no_bit_with_real_models(clip: str) -> None:
    video, runs = shared("data", "videos", clip), []
    for workers in (0, 1, 3):
        pipeline = PosePipeline(engine="onnxruntime", cpu_threads=1, workers=workers)
        runs.append(content(result for result, _ in zip(pipeline.video(video), range(40))))
    assert runs[0] == runs[1] == runs[2]


class SlowEstimator(TopDownEstimator):
    """Takes a random time, and keeps the batches that it was given."""

    def __init__(self, seed: int) -> None:
        super().__init__(PlantedRuntime(), pose_card())
        self.plan = BatchPlan({1: 1.0, 3: 2.0})
        self.random, self.given = random.Random(seed), []
        self.lock = threading.Lock()

    def poses(self, images: Any, boxes: Any, person_threshold: float, timer: StageTimer) -> list[People]:
        with self.lock:
            self.given.append(tuple((int(image[0, 0, 0]), len(one)) for image, (one, _) in zip(images, boxes)))
            wait = self.random.uniform(0, 0.004)
        time.sleep(wait)
        found = []
        for image, each in zip(images, boxes):
            shape = len(each[0]), SKELETON.num_keypoints
            found.append(People(*each, np.full((*shape, 2), image[0, 0, 0], np.float32), np.ones(shape, np.float32)))
        return found


class Boxes:
    """As many boxes as the image says, some of them below the threshold."""

    person_label = 0
    runtime = None

    def detect(self, images: Any) -> Any:
        from ppdet.inference.estimators.detections import Detections

        found = []
        for image in images:
            count = int(image[0, 0, 1])
            boxes = np.tile([1.0, 1, 20, 20], (count, 1))
            found.append(Detections.from_rows(boxes, np.full(count, 0.9), np.zeros(count)))
        return found


def frames(counts: list[int], broken: tuple[int, ...] = ()) -> Iterator[Frame]:
    for number, count in enumerate(counts, start=1):
        image = np.zeros((24, 24, 3), np.uint8)
        image[0, 0, :2] = number, count
        yield Frame(number, None, None if number in broken else image)


def finder_of(estimator: TopDownEstimator) -> PeopleFinder:
    return PeopleFinder(Boxes(), estimator, 0.5, 0.1, (), StageTimer(), set())


def test_batches_follow_from_the_frames_and_not_from_the_time() -> None:
    counts = [2, 0, 1, 1, 5] + [0] * 12 + [1] + [0] * 11 + [4, 1]
    given = []
    for seed, workers in ((1, 1), (2, 2), (3, 4), (4, 4)):
        estimator = SlowEstimator(seed)
        looks = list(looks_ahead(finder_of(estimator), frames(counts, broken=(2,)), workers))
        assert [frame.index for frame, _ in looks] == list(range(1, len(counts) + 1))
        assert [None if look is None else len(look.boxes) for _, look in looks] == [2, None, *counts[2:]]
        for frame, look in looks:
            if look is not None:
                assert look.has_pose.all() and (look.keypoints == frame.index).all()
        given.append(sorted(estimator.given))
    assert given[0] == given[1] == given[2] == given[3]
    assert ((1, 2), (3, 1)) in given[0] and all(sum(n for _, n in batch) <= 3 for batch in given[0])
    assert ((18, 1),) in given[0]  # it did not wait for the next person, eleven frames later


def test_an_error_of_a_worker_reaches_the_caller_and_ends_the_threads() -> None:
    before = threading.active_count()
    estimator = SlowEstimator(0)
    estimator.poses = lambda *args: (_ for _ in ()).throw(RuntimeError("network broke"))  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="network broke"):
        list(looks_ahead(finder_of(estimator), frames([1] * 30), 2))
    looks = looks_ahead(finder_of(SlowEstimator(0)), frames([1] * 30), 2)
    next(looks)
    looks.close()
    assert threading.active_count() == before


def test_memory_is_bounded_however_large_the_frames() -> None:
    small, large = np.zeros((2, 2, 3), np.uint8), np.broadcast_to(np.zeros(1, np.uint8), (8000, 12000, 3))
    assert frames_behind(Frame(1, None, small), 2) == 8
    assert frames_behind(Frame(1, None, large), 2) == 2 and large.nbytes > FRAME_BYTES
    read = []

    def counted() -> Iterator[Frame]:
        for frame in frames([1] * 100):
            read.append(frame.index)
            yield frame

    looks = looks_ahead(finder_of(SlowEstimator(0)), counted(), 2)
    for number, (frame, _) in enumerate(looks, start=1):
        assert len(read) <= frame.index + 8 + 2 * 2 + 1
        if number == 40:
            break
    looks.close()
    with pytest.raises(ConfigError, match="workers is -1"):
        checked_workers(-1)


def test_only_a_live_source_drops_frames_that_are_too_old() -> None:
    def camera() -> Iterator[int]:
        for number in range(30):
            time.sleep(0.005)
            yield number

    live = BackgroundSource(camera(), ahead=2, latest_seconds=0.02)
    seen = []
    for number in live:
        seen.append(number)
        time.sleep(0.03)
    assert seen == sorted(seen) and seen[-1] == 29 and live.dropped == 30 - len(seen) > 0
    patient = BackgroundSource(iter(range(30)), ahead=2)
    assert list(patient) == list(range(30)) and patient.dropped == 0
