"""Poses of every second frame, and interpolated ones in between: when, for whom, and how near to estimated ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Optional, Sequence

import cv2
import numpy as np
import pytest
from inference.redetection.test_redetection import POINTS, SIZE, BrightDetector, people, picture
from support.planted_models import PlantedRuntime, planted_codec, planted_person, pose_card

from ppdet.inference.estimators.base import People
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.redetection.every_other import CALM_MOST, EveryOtherFrame, halfway, is_calm, open_finder
from ppdet.inference.redetection.interval_finder import IntervalFinder
from ppdet.inference.redetection.schedule import ADAPTIVE

LENGTH = 21


def run(
    starts_of: Callable[[int], Sequence[float]], cuts: Sequence[int] = (), workers: int = 1, unknown: Sequence[int] = ()
) -> tuple[list[People], list[int], list[int]]:
    """The people of each frame, the frames that the detector looked at, and how many poses were estimated for each frame.

    Args:
        starts_of: where the planted people are in a frame.
        cuts: frames that begin a scene.
        workers: threads.
        unknown: frames whose successor is not known.
    """
    detector, runtime = BrightDetector(), PlantedRuntime()
    pipeline = PosePipeline(detector, TopDownEstimator(runtime, pose_card(codec=planted_codec())))
    finder = open_finder(pipeline.finder, ADAPTIVE, 30.0, workers, interpolates=True)
    assert isinstance(finder, EveryOtherFrame)
    frames = [picture(number, starts_of(number)) for number in range(LENGTH)]
    found, estimated = [], []
    for number, frame in enumerate(frames):
        upcoming: Optional[np.ndarray] = frames[number + 1] if number + 1 < LENGTH and number not in unknown else None
        before = sum(runtime.batches)
        one = finder.people(frame, number in cuts, None, 1.0, upcoming)
        finder.follow(np.ones(len(one.people.boxes), bool))
        found.append(one.people)
        estimated.append(sum(runtime.batches) - before)
    finder.close()
    return found, detector.calls, estimated


def test_a_walk_is_interpolated_in_every_second_frame() -> None:
    found, _, estimated = run(lambda number: [60 + 2 * number])
    for number, one in enumerate(found):
        np.testing.assert_allclose(one.keypoints, [POINTS + [60 + 2 * number, 0]], atol=1.5)
        assert (one.scores > 0.5).all()
    assert estimated == [1] + [1, 0] * 10  # the first; then of each pair the second one, before the first one


def test_who_moves_fast_is_estimated_in_every_frame() -> None:
    def starts_of(number: int) -> list[float]:
        return [10 + 12.0 * number if number < 14 else 178.0]

    found, _, estimated = run(starts_of)
    for number, one in enumerate(found):
        np.testing.assert_allclose(one.keypoints, [POINTS + [starts_of(number)[0], 0]], atol=2.5)
    assert min(sum(estimated[n : n + 2]) for n in range(1, 11, 2)) >= 2 and sum(estimated[15:20]) <= 4


@pytest.mark.parametrize("last", [14, 15])
def test_who_comes_and_goes(last: int) -> None:
    found, _, _ = run(lambda number: [40.0] if number < 9 else [40.0, 200.0] if number <= last else [200.0])
    counts = [len(one.boxes) for one in found]
    assert counts[:9] == [1] * 9  # nobody is there before they are
    assert counts[last] == 2 and counts[last + 1 :] == [1] * (LENGTH - 1 - last)  # nor afterwards


def test_nothing_is_interpolated_across_a_cut() -> None:
    for cut in (9, 10):
        found, looked, _ = run(lambda number, cut=cut: [40.0] if number < cut else [200.0], cuts=[cut])
        for number, one in enumerate(found):
            assert len(one.boxes) == 1
            np.testing.assert_allclose(one.keypoints[0], POINTS + [40.0 if number < cut else 200.0, 0], atol=1.0)
        assert cut in looked


def test_without_the_next_frame_the_pose_is_estimated() -> None:
    _, _, estimated = run(lambda number: [100.0], unknown=range(LENGTH))
    assert estimated == [1] * LENGTH


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlantedRuntime, "keeps_bits", True)

    def starts_of(number: int) -> list[float]:
        return [2.0 * number, 100 + 6.0 * number if number < 15 else 190.0][: 1 + number % 3]

    one, several = (run(starts_of, workers=workers) for workers in (1, 3))
    assert one[1] == several[1]
    for expected, given in zip(one[0], several[0]):
        assert all(np.array_equal(a, b) for a, b in zip(expected, given))


def test_halfway() -> None:
    before = people([[0, 0, 40, 80]], [[[0, 0], [10, 10], [20, 20]]])
    after = people([[4, 0, 44, 80]], [[[4, 0], [20, 10], [90, 90]]])
    before.scores[0, 1], after.scores[0, 2] = 0.1, 0.1  # not visible
    middle = halfway(before, after)
    assert middle.keypoints[0].tolist() == [[2, 0], [20, 10], [20, 20]]
    np.testing.assert_allclose(middle.scores, [[0.9, 0.1, 0.1]])
    assert middle.boxes.tolist() == [[2, 0, 42, 80]]
    again = halfway(after, before)  # time has no direction here
    assert all(np.array_equal(a, b) for a, b in zip(middle, again))


def test_calm() -> None:
    spread = np.stack([np.arange(8) * 10.0, np.arange(8) * 20.0], axis=1)
    box = [[0.0, 0, 70, 200]]
    before = people(box, [spread])
    assert is_calm(before, people(box, [spread + 8])).all()
    assert not is_calm(before, people(box, [spread + 20])).any()  # the whole person
    hand = spread.copy()
    hand[3] += [CALM_MOST * 200 + 1, 0]
    assert not is_calm(before, people(box, [hand])).any()
    unseen = people(box, [hand])
    unseen.scores[0, 3] = 0.1
    assert is_calm(before, unseen).all()
    assert not is_calm(before, people(box, [spread], scores=0.1)).any()
    nobody = people(np.zeros((0, 4)), np.zeros((0, 8, 2)))
    assert is_calm(nobody, nobody).shape == (0,) and halfway(nobody, nobody).keypoints.shape == (0, 8, 2)


@pytest.mark.parametrize("interval, fps, interpolates, kind, every", [
    (1, 30.0, True, None, None), (ADAPTIVE, 30.0, False, IntervalFinder, None), (ADAPTIVE, 12.0, True, IntervalFinder, None),
    (ADAPTIVE, float("nan"), True, IntervalFinder, None), (ADAPTIVE, 25.0, True, EveryOtherFrame, None),
    (2, 30.0, True, EveryOtherFrame, 1), (7, 30.0, True, EveryOtherFrame, 3),
])  # fmt: skip
def test_when_it_interpolates(interval: Any, fps: float, interpolates: bool, kind: Any, every: Optional[int]) -> None:
    pipeline = PosePipeline(BrightDetector(), TopDownEstimator(PlantedRuntime(), pose_card(codec=planted_codec())))
    finder = open_finder(pipeline.finder, interval, fps, 1, interpolates)
    assert finder is None if kind is None else type(finder) is kind
    if every is not None:
        assert isinstance(finder, EveryOtherFrame) and finder._finder._schedule.interval == every


class Whole:
    """The same box in each frame."""

    person_label = 0

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        return [Detections.from_rows(np.array([[90, 10, 210, 100]], np.float32), np.ones(1), np.zeros(1)) for _ in images]


def test_of_a_video_every_second_pose_is_estimated(tmp_path: Path) -> None:
    clip = str(tmp_path / "clip.avi")
    writer = cv2.VideoWriter(clip, cv2.VideoWriter_fourcc(*"MJPG"), 25.0, SIZE)
    for number in range(40):
        writer.write(planted_person(SIZE, POINTS + [100 + number / 2, 0], 5.0)[..., ::-1])
    writer.release()
    poses = {}
    for preset in ("balanced", "fast"):
        runtime = PlantedRuntime()
        estimator = TopDownEstimator(runtime, pose_card(codec=planted_codec()))
        runtime.batches.clear()
        results = list(PosePipeline(Whole(), estimator, preset=preset).video(clip))
        assert [result.frame_id for result in results] == list(range(1, 41))
        assert {int(result.track_ids[0]) for result in results} == {1}
        poses[preset] = np.stack([result.keypoints[0] for result in results])
        count = sum(runtime.batches)
        assert count == 40 if preset == "balanced" else 20 <= count <= 24
    walked = poses["fast"][:, 0, 0]
    np.testing.assert_allclose(walked, 130 + np.arange(40) / 2, atol=6.0)  # a twelfth of the crop is 10 pixels
    np.testing.assert_allclose(walked[1:-1:2], (walked[:-2:2] + walked[2::2]) / 2, atol=0.1)
