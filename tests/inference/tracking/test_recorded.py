"""Smoothing of recorded videos: less jitter, no delay, short gaps filled and marked; and the jitter figure."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from support.planted_models import SKELETON, PlantedDetector, PlantedRuntime, planted_codec, planted_person, pose_card

from ppdet.core.errors import ConfigError
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.results import PoseResult
from ppdet.inference.tracking.jitter import Jitter
from ppdet.inference.tracking.recorded import low_passed, smooth_recorded
from ppdet.inference.video import reader as video_reader
from ppdet.inference.video.process import process_video

pytest.importorskip("scipy")

COUNT = len(SKELETON.names)


def walk(fps: float, seconds: float = 4.0) -> np.ndarray:
    """(F, K, 2): a person who walks to the right with limbs that swing once per second."""
    time = np.arange(int(seconds * fps))[:, None] / fps
    phase = np.linspace(0, 2, COUNT)[None]
    swing = 2 * np.pi * time + phase
    return np.stack([100 + 60 * time + 25 * np.sin(swing), 200 + 10 * np.cos(swing + 2 * np.pi * time)], axis=2)


def results_of(points: np.ndarray, missing: tuple[int, ...] = (), low: tuple[int, ...] = ()) -> list[PoseResult]:
    """One result per frame: one person, who is not found in the `missing` frames and whose first keypoint is unsure in `low`."""
    results = []
    for frame, xy in enumerate(points):
        scores = np.full((1, COUNT), 0.9, np.float32)
        scores[0, 0] = 0.05 if frame in low else 0.9
        corner = xy.min(axis=0) - 20
        box = np.concatenate([corner, corner + 200])[None].astype(np.float32)
        result = PoseResult(box, np.array([0.8], np.float32), xy[None].astype(np.float32), scores, SKELETON, (640, 480),
                            frame_id=frame + 1, track_ids=np.array([7]))  # fmt: skip
        results.append(result.of(np.zeros(0, int)) if frame in missing else result)
    return results


def jitter_of(results: list[PoseResult], fps: float) -> float:
    meter = Jitter(fps)
    for result in results:
        meter.add(result.track_ids, result.keypoints, result.scores, result.boxes)
    assert meter.value is not None
    return meter.value


@pytest.mark.parametrize("method", ["savgol", "butterworth"])
@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0, 120.0])
def test_less_jitter_without_delay_or_bias(method: str, fps: float) -> None:
    truth = walk(fps)
    noised = results_of(truth + np.random.default_rng(0).normal(0, 2.0, truth.shape))
    smoothed = smooth_recorded(noised, fps, method)
    assert jitter_of(smoothed, fps) < 0.5 * jitter_of(noised, fps)
    off = np.stack([result.keypoints[0] for result in smoothed]) - truth
    inner = off[int(fps / 2):-int(fps / 2)]
    assert np.abs(inner.mean(axis=(0, 1))).max() < 0.5 and np.sqrt(np.square(inner).mean()) < 1.6
    clean = np.stack([result.keypoints[0] for result in smooth_recorded(results_of(truth), fps, method)])
    assert np.abs(clean - truth)[int(fps / 2):-int(fps / 2)].max() < 1.0  # neither late nor flattened


def test_short_gaps_are_filled_and_marked_and_long_ones_stay() -> None:
    truth = walk(30.0)
    missing = (10, 11, 12, *range(50, 70))
    smoothed = smooth_recorded(results_of(truth, missing), 30.0)
    assert [len(smoothed[frame]) for frame in (9, 10, 12, 13, 50, 69, 70)] == [1, 1, 1, 1, 0, 0, 1]
    filled = smoothed[11][0]
    assert filled.filled and filled.id == 7 and filled.to_dict()["filled"] is True and not smoothed[9][0].filled
    assert "filled" not in smoothed[9][0].to_dict()
    np.testing.assert_allclose(filled.xy, truth[11], atol=4.0)
    assert [len(result) for result in smooth_recorded(results_of(truth, missing), 30.0, max_gap_seconds=0)][10:13] == [0, 0, 0]


def test_a_guess_does_not_pull_its_neighbours() -> None:
    truth = walk(30.0)
    points = truth.copy()
    points[40, 0] += 300
    smoothed = smooth_recorded(results_of(points, low=(40,)), 30.0)
    got = np.stack([result.keypoints[0, 0] for result in smoothed])
    assert np.abs(got - truth[:, 0])[30:50].max() < 4.0 and smoothed[40].scores[0, 0] == np.float32(0.05)


@pytest.mark.parametrize("method", ["savgol", "butterworth"])
def test_short_and_empty_series(method: str) -> None:
    assert smooth_recorded([], 30.0, method) == []
    for frames in (1, 2, 3, 5):
        truth = walk(30.0)[:frames]
        got = np.stack([result.keypoints[0] for result in smooth_recorded(results_of(truth), 30.0, method)])
        np.testing.assert_allclose(got, truth, atol=1.0)
    assert low_passed(np.zeros((40, 2)), 10.0, method).shape == (40, 2)  # fewer frames per second than the cut-off needs


def test_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="'OneEuro': give savgol or butterworth"):
        smooth_recorded([], 30.0, "OneEuro")
    monkeypatch.setattr("ppdet.inference.tracking.recorded.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="needs SciPy.*pip install scipy"):
        smooth_recorded([], 30.0)


def test_nobody_has_no_jitter() -> None:
    assert Jitter(30.0).value is None


@pytest.fixture
def pipeline() -> PosePipeline:
    estimator = TopDownEstimator(PlantedRuntime(), pose_card(codec=planted_codec()))
    return PosePipeline(PlantedDetector([[10, 10, 90, 110]]), estimator)


def test_a_video_is_smoothed_as_a_whole(tmp_path: Path, pipeline: PosePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    size, clip, rng = (96, 128), tmp_path / "clip.avi", np.random.default_rng(0)
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, size)
    start = np.array([[30.0, 30.0], [20.0, 60.0], [60.0, 70.0]])
    for number in range(24):
        writer.write(planted_person(size, start + [number / 2, 0] + rng.normal(0, 1, (3, 2)), 5.0)[..., ::-1])
    writer.release()
    seen: list[PoseResult] = []
    report = process_video(pipeline, clip, tmp_path / "out.mp4", tmp_path / "out.json", "named", filter_type="savgol",
                           on_result=seen.append)  # fmt: skip
    assert report.frames == len(seen) == report.people == 24 and report.persons == 1
    assert report.jitter_after < 0.5 * report.jitter_before and "after smoothing" in report.jitter_text()
    assert process_video(pipeline, clip, filter_type="butterworth", max_frames=7).frames == 7
    monkeypatch.setattr(video_reader, "is_live", lambda source: True)
    with pytest.raises(ConfigError, match="is live"):
        process_video(pipeline, clip, filter_type="savgol")
