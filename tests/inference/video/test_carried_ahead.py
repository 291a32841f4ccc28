"""With a detector that skips frames, the next frame's people are found while the tracker is busy: the same people, in order."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support.planted_models import SKELETON, PlantedRuntime, planted_codec, planted_person, pose_card
from support.shared_data import shared

from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.tracking.stream import StreamTracker
from ppdet.inference.video.carried_ahead import CarriedAhead
from ppdet.inference.video.reader import Frame

SIZE = (320, 128)
POINTS = np.array([[30.0, 30], [20, 60], [60, 70]])


class MarkDetector:
    """A box for every white mark in row 5, in random time."""

    person_label = 0

    def __init__(self, seed: int = 0) -> None:
        self.calls, self._random = 0, random.Random(seed)

    def detect(self, images: Any) -> list[Detections]:
        self.calls += len(images)
        time.sleep(self._random.random() * 0.004)
        found = []
        for image in images:
            starts = np.flatnonzero((image[5] == 255).all(axis=1))
            boxes = np.array([[x, 10, x + 80, 110] for x in starts], np.float32).reshape(-1, 4)
            found.append(Detections.from_rows(boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes))))
        return found


def image_of(number: int) -> np.ndarray:
    """One person who walks; a second one from frame 10 on; another scene from frame 30 on."""
    starts = [number, 200] if 10 <= number < 30 else [number % 40]
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[:, SIZE[0] // 2 :] = 60
    image = image[:, ::-1] if number >= 30 else image
    for x in starts:
        image = np.maximum(image, planted_person(SIZE, POINTS + [x, 0], 5.0))
        image[5, x] = 255
    return image


def frames(count: int = 45, missing: tuple[int, ...] = (7, 8, 33)) -> Iterator[Frame]:
    for number in range(count):
        yield Frame(number + 1, 40.0 * number, None if number in missing else image_of(number))


def pipeline_of(seed: int = 0, interval: Any = "adaptive", workers: int = 1) -> PosePipeline:
    estimator = TopDownEstimator(PlantedRuntime(), pose_card(codec=planted_codec()))
    return PosePipeline(MarkDetector(seed), estimator, det_interval=interval, workers=workers)


def followed(pipeline: PosePipeline, seed: int) -> list[Any]:
    """What a caller gets whose tracker takes a random time."""
    interval, tracker = pipeline.interval_finder(30.0), StreamTracker(SKELETON, high_score=0.5)
    assert interval is not None
    ahead, results, delays = CarriedAhead(interval, frames(), tracker, pipeline.timer), [], random.Random(seed)
    for frame, found in ahead:
        if found is None:
            results.append((frame.index, None))
            continue
        result = pipeline.result(found, SIZE, None, frame.index, frame.timestamp_ms, True)
        time.sleep(delays.random() * 0.004)
        result = tracker.update(result)
        ahead.done(tracker.kept[: len(found.people.boxes)])
        results.append((frame.index, result.keypoints.tolist(), result.boxes.tolist(), result.track_ids.tolist()))
    ahead.close()
    return results


@pytest.mark.parametrize("interval", ["adaptive", 3])
def test_the_same_as_one_frame_after_the_other(interval: Any) -> None:
    plain = pipeline_of(interval=interval)
    expected = []
    for frame in frames():
        if frame.image is None:
            expected.append((frame.index, None))
            continue
        result = plain.track(frame.image, seconds=frame.timestamp_ms / 1000)
        expected.append((frame.index, result.keypoints.tolist(), result.boxes.tolist(), result.track_ids.tolist()))
    for seed in range(3):
        pipeline = pipeline_of(seed, interval)
        assert followed(pipeline, seed) == expected
        assert pipeline.detector.calls == plain.detector.calls < 42
    assert max(max(row[3]) for row in expected if row[1] is not None) == 3, "two people, and after the cut another"


@pytest.mark.parametrize("taken", [0, 1, 2, 9])
def test_closing_early_ends_the_threads_wherever_they_wait(taken: int) -> None:
    before, pipeline = threading.active_count(), pipeline_of()
    interval, tracker = pipeline.interval_finder(30.0), StreamTracker(SKELETON, high_score=0.5)
    assert interval is not None
    ahead = CarriedAhead(interval, frames(missing=()), tracker, pipeline.timer)
    waiting = iter(ahead)
    for number in range(taken):
        _, found = next(waiting)
        if number + 1 < taken:  # of the last one, `done` is never said, and the thread waits for it
            ahead.done(np.ones(len(found.people.boxes), bool))
    ahead.close()
    assert threading.active_count() == before


def test_an_error_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = pipeline_of()
    monkeypatch.setattr(pipeline.estimator, "poses", lambda *args: (_ for _ in ()).throw(RuntimeError("network broke")))
    with pytest.raises(RuntimeError, match="network broke"):
        followed(pipeline, 0)


@pytest.mark.slow
@pytest.mark.parametrize("clip", ["two_players_54f.mp4", "arm_wrestling_crowd_280f.mp4"])
def test_the_same_bits_as_frame_by_frame_with_real_models(clip: str) -> None:
    pipeline = PosePipeline(engine="onnxruntime", cpu_threads=1, workers=2, preset="fast")
    found = [result for result, _ in zip(pipeline.video(shared("data", "videos", clip), keep_frames=True), range(40))]
    plain = PosePipeline(engine="onnxruntime", cpu_threads=1, workers=1, preset="fast")
    for result in found:
        other = plain.track(result.image, seconds=result.timestamp_ms / 1000)
        assert np.array_equal(other.keypoints, result.keypoints) and np.array_equal(other.track_ids, result.track_ids)
