"""Following by looks: crossings, buffers in time, missing frames, odd input, settings of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.golden_cases import golden_arrays

from ppdet.core.errors import ConfigError
from ppdet.inference.tracking.jde import JdeSettings, JdeTracker
from ppdet.inference.tracking.jde.motion import BoxMotion, boxes_of_ratios, ratio_boxes
from ppdet.inference.tracking.jde.settings import settings_of_file

LOOKS = np.eye(4)
SETTINGS = JdeSettings(conf_thres=0.4, tracked_thresh=0.4, metric_type="cosine")


def people(*corners: tuple[float, float]) -> np.ndarray:
    corner = np.array(corners, float).reshape(-1, 2)
    return np.concatenate([corner, corner + [20, 50]], axis=1)


def run(tracker: JdeTracker, boxes: np.ndarray, looks: list[int], score: float = 0.9, seconds: float | None = None) -> list[int]:
    return tracker.follow(boxes, np.full(len(boxes), score), LOOKS[looks], seconds).identities.tolist()


def test_filter_is_paddledetections() -> None:
    golden = golden_arrays("detect_ops")
    start, later = np.array([[100.5, 80.25, 0.45, 60]]), np.array([[103.0, 82, 0.44, 61]])
    motion, still = BoxMotion.start(start), np.zeros(1, bool)
    motion.predict(still)
    measured = np.array([[103, 82, 0.44, 61], [140, 82, 0.44, 61], [101, 80, 0.9, 61]])
    np.testing.assert_allclose(motion.distances(measured)[0], golden["kalman/gating"].reshape(-1), rtol=1e-4)
    motion = motion.corrected(later)
    motion.predict(still)
    mean, covariance = golden["kalman/mean"].reshape(-1, 8)[-1], golden["kalman/cov"].reshape(-1, 8, 8)[-1]
    np.testing.assert_allclose(np.concatenate([motion.mean[0], motion.velocity[0]]), mean, rtol=1e-5)
    np.testing.assert_allclose(motion.value_variance[0], np.diag(covariance)[:4], rtol=1e-4)
    np.testing.assert_allclose(motion.velocity_variance[0], np.diag(covariance)[4:], rtol=1e-4)
    np.testing.assert_allclose(motion.covariance[0], np.diag(covariance[:4, 4:]), rtol=1e-4)
    boxes = people((3, 4), (50, 7))
    np.testing.assert_allclose(boxes_of_ratios(ratio_boxes(boxes)), boxes)


def test_looks_keep_people_apart_who_cross() -> None:
    tracker = JdeTracker(SETTINGS)
    for step in range(21):
        places = people((5.0 * step, 0), (100 - 5.0 * step, 2))
        order = [0, 1] if step % 2 else [1, 0]
        got = tracker.update(places[order], np.full(2, 0.9), LOOKS[:2][order])
        by_identity = dict(zip(got.identities.tolist(), got.boxes[:, 0].tolist()))
        assert set(by_identity) == {1, 2}
        # of the first frame, whose order is reversed, 1 is who comes from the right
        np.testing.assert_allclose([by_identity[2], by_identity[1]], places[:, 0], atol=6)


def test_newcomers_show_when_seen_again_and_identities_are_never_given_twice() -> None:
    tracker = JdeTracker(SETTINGS)
    assert run(tracker, people((0, 0)), [0]) == [1]
    assert run(tracker, people((0, 0), (200, 0)), [0, 1]) == [1]
    assert run(tracker, people((0, 0), (200, 0)), [0, 1]) == [1, 2]
    tracker.cut()
    assert run(tracker, people((0, 0)), [0]) == [3] and tracker.persons == 3


@pytest.mark.parametrize("fps, frames", [(30.0, 30), (60.0, 60), (10.0, 10)])
def test_the_buffer_is_a_time_whatever_the_frame_rate(fps: float, frames: int) -> None:
    """PaddleDetection's deployment forgets everybody after two frames (T3)."""
    tracker = JdeTracker(SETTINGS, fps)
    run(tracker, people((0, 0)), [0])
    for _ in range(frames):
        assert run(tracker, people(), []) == []
    assert run(tracker, people((0, 0)), [0]) == [1]
    for _ in range(frames + 2):
        run(tracker, people(), [])
    assert tracker.identities == set()  # nothing is kept for ever (T8)
    assert run(tracker, people((0, 0)), [0]) == []


def test_frames_that_are_missing_move_people_on() -> None:
    tracker = JdeTracker(SETTINGS, fps=25.0)
    for step in range(10):
        assert run(tracker, people((6.0 * step, 0)), [0], seconds=step / 25) == [1]
    assert run(tracker, people((6.0 * 15, 0)), [0], seconds=15 / 25) == [1]


def test_odd_input_is_nobody() -> None:
    tracker = JdeTracker(SETTINGS)
    boxes = np.array([[0, 0, 20, 50], [np.nan, 0, 20, 50], [30, 0, 30, 50], [60, 90, 80, 40]])
    assert run(tracker, boxes, [0, 1, 2, 3]) == [1]
    assert run(tracker, np.zeros((0, 4)), []) == []
    assert tracker.follow(people((0, 0)), np.array([0.4]), LOOKS[:1]).identities.tolist() == []  # a score must be above 0.4
    assert run(tracker, people((0, 0)), [0]) == [1]
    five_hundred = np.random.default_rng(0).uniform(0, 1000, (500, 2))
    assert len(run(JdeTracker(SETTINGS), people(*five_hundred.tolist()), [0] * 500)) == 500


def test_small_and_wide_boxes_are_followed_but_not_shown() -> None:
    shape = {"min_box_area": 200, "vertical_ratio": 1.6}
    tracker = JdeTracker(JdeSettings(conf_thres=0.4, metric_type="cosine", tracked_thresh=0.4, **shape))
    boxes = np.array([[0, 0, 20, 50], [100, 0, 200, 50], [300, 0, 305, 12]], float)
    assert run(tracker, boxes, [0, 1, 2]) == [1] and tracker.identities == {1, 2, 3} and tracker.persons == 1


def test_settings_of_files(tmp_path: Path) -> None:
    file = tmp_path / "tracker_config.yml"
    file.write_text("type: JDETracker\nJDETracker: {conf_thres: 0.6, track_buffer: 60, min_hits: 3}\n")
    found = settings_of_file(file, SETTINGS)
    assert found is not None and (found.conf_thres, found.track_buffer, found.metric_type) == (0.6, 60, "cosine")
    file.write_text("tracker: {reentry_seconds: 3.0}\n")
    assert settings_of_file(file, SETTINGS) is None
    bad = (("type: JDETracker\nJDETracker: {conf_thres: 2}\n", "conf_thres"), ("type: OCSORTTracker\n", "JDETracker"),
           ("type: JDETracker\nJDETracker: {conf: 0.5}\n", "unknown key"))  # fmt: skip
    for text, words in bad:
        file.write_text(text)
        with pytest.raises(ConfigError, match=words):
            settings_of_file(file, SETTINGS)
