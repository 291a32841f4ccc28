"""Progress, times and boxes without poses: what the user sees of long work."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from support.planted_models import PlantedRuntime, pose_card
from support.pose_results import random_result

from ppdet.inference import progress
from ppdet.inference.box_centers import BoxCenters
from ppdet.inference.estimators.base import EstimatorOptions
from ppdet.inference.progress import SECONDS_BETWEEN_LINES, Progress, quiet_progress
from ppdet.inference.stage_timer import StageTimer


class Clock:
    """Stands for the module `time`."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


class Bar:
    """Stands for tqdm's, and writes down what is done with it."""

    def __init__(self, **settings: object) -> None:
        self.calls: list[object] = [settings]

    def update(self, count: int) -> None:
        self.calls.append(count)

    def clear(self) -> None:
        self.calls.append("clear")

    def close(self) -> None:
        self.calls.append("close")


def test_without_a_terminal_a_line_comes_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    bar = Progress("a.mp4", 60)
    for _ in range(30):
        clock.now += 1.0
        bar.step()
    bar.clear()
    bar.close()
    assert SECONDS_BETWEEN_LINES == 10.0
    assert caplog.messages == [f"a.mp4: {count}/60 frames, 1.0 per second" for count in (10, 20, 30)]
    unknown = Progress("stream", None, "file")
    clock.now += 20.0
    unknown.step(5)
    assert caplog.messages[-1] == "stream: 5 files, 15.0 per minute"


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(progress, "sys", types.SimpleNamespace(stderr=types.SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setitem(sys.modules, "tqdm", types.SimpleNamespace(tqdm=Bar))
    bar = Progress("a.mp4", 60)
    bar.step(2)
    bar.clear()
    bar.close()
    assert bar._bar.calls == [{"total": 60, "desc": "a.mp4", "unit": "frame", "leave": False}, 2, "clear", "close"]
    monkeypatch.setitem(sys.modules, "tqdm", None)  # not installed
    assert Progress("a.mp4", 60)._bar is None and not caplog.messages


def test_within_quiet_progress_each_step_calls_the_listener_and_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    monkeypatch.setattr(progress, "_terminal_bar", lambda *words: pytest.fail("shown"))
    with quiet_progress(lambda: steps.append("outer")):
        with quiet_progress(lambda: steps.append("inner")):
            Progress("a", 2).step()
        Progress("b", 2).step()
    assert steps == ["inner", "outer"] and progress._listener is None


def test_times_of_stages_and_their_table() -> None:
    timer = StageTimer()
    for milliseconds in range(1, 101):
        timer.add("detect", milliseconds / 1e3)
    with timer.stage("pose"):
        pass
    assert timer.runs() == {"detect": 100, "pose": 1} and timer.median_ms()["detect"] == pytest.approx(50.5)
    assert timer.percentiles_ms("detect") == pytest.approx({50: 50.5, 95: 95.05, 99: 99.01})
    assert timer.percentiles_ms("track") == {}
    header, detect, pose, whole = timer.table(20, 4.0).splitlines()
    assert header.split()[:2] == ["stage", "runs"] and pose.split()[:2] == ["pose", "1"]
    assert detect.split() == ["detect", "100", "50.50", "50.50", "95.05", "99.01", "19.80"]
    assert whole == "20 frames in 4.00 s: 5.0 frames/s" and len(timer.table().splitlines()) == 3
    timer.reset()
    assert timer.runs() == {}


def test_a_stage_that_fails_has_no_time() -> None:
    timer = StageTimer()
    with pytest.raises(RuntimeError), timer.stage("pose"):
        raise RuntimeError
    assert timer.runs() == {}


def test_a_detector_alone_gives_people_with_one_keypoint_each() -> None:
    centers = BoxCenters.from_options(PlantedRuntime(), pose_card(), EstimatorOptions())
    boxes, scores = np.float32([[10, 20, 30, 60], [0, 0, 1, 1]]), np.float32([0.9, 0.5])
    first, nobody = centers.poses([None, None], [(boxes, scores), (boxes[:0], scores[:0])], 0.3, StageTimer())
    assert first.keypoints.tolist() == [[[20, 40]], [[0.5, 0.5]]] and first.scores.tolist() == scores[:, None].tolist()
    assert nobody.keypoints.shape == (0, 1, 2)
    result = random_result(3)
    assert centers.ranking_scores(result) is result.box_scores
