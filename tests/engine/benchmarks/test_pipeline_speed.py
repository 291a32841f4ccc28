"""The benchmark of the pipeline: it counts the runs of the networks, and measures drift that is really there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.planted_models import SKELETON, planted_person, write_detector, write_pose_model

from ppdet.commands.models.benchmark import main
from ppdet.engine.benchmarks.pipeline_drift import drift_between, pairs_of
from ppdet.engine.benchmarks.pipeline_speed import hardware_stamp
from ppdet.inference.results import PoseResult

SIZE = (96, 128)


def result(boxes: list[list[float]], shift: float = 0.0, score: float = 0.9) -> PoseResult:
    found = np.array(boxes, np.float32).reshape(-1, 4)
    points = np.repeat((found[:, None, :2] + found[:, None, 2:]) / 2, SKELETON.num_keypoints, axis=1) + np.float32([shift, 0])
    scores = np.full(points.shape[:2], score, np.float32)
    return PoseResult(found, np.ones(len(found), np.float32), points, scores, SKELETON, SIZE)


def test_drift_is_what_was_put_in() -> None:
    one = result([[0, 0, 40, 80], [50, 0, 90, 80]])
    same = drift_between([one, one], [one, one])
    assert (same.people, same.missed, same.extra, same.median_px, same.oks) == (4, 0, 0, 0.0, pytest.approx(1.0))
    moved = drift_between([one], [result([[50, 0, 90, 80], [0, 0, 40, 80], [0, 90, 30, 120]], shift=3.0)])
    assert (moved.missed, moved.extra, moved.median_px) == (0, 1, pytest.approx(3.0)) and 0.3 < moved.oks < 0.999
    gone = drift_between([one, result([])], [result([[200, 0, 240, 80]]), one])
    assert (gone.missed, gone.extra) == (2, 3)
    unsure = replace(one, scores=one.scores * 0)
    assert drift_between([unsure], [result([[0, 0, 40, 80]], shift=9.0)]).median_px == 0.0
    assert pairs_of(np.array([[0.6, 0.9], [0.0, 0.8]])) == [(0, 1)]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPDET_CACHE", str(tmp_path / "cache"))
    clip = str(tmp_path / "clip.avi")
    writer = cv2.VideoWriter(clip, cv2.VideoWriter_fourcc(*"MJPG"), 25.0, SIZE)
    for number in range(9):
        writer.write(planted_person(SIZE, np.array([[30.0, 30], [20, 60], [60, 70]]) + [number, 0], 5.0)[..., ::-1])
    writer.release()
    file = tmp_path / "speed.json"
    models = ["--det", str(write_detector(tmp_path / "det")), "--model", str(write_pose_model(tmp_path / "pose"))]
    assert main(["pipeline", clip, *models, "--engine", "onnxruntime", "--repeats", "2", "--json", str(file)]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| clip.avi")]
    assert [row.split(" | ")[1] for row in rows] == ["balanced", "fast", "fast, JSON alone"]
    content = json.loads(file.read_text())
    assert content["hardware"]["machine"] == hardware_stamp()["machine"] and "numpy" in content["hardware"]["versions"]
    plain, fast, _ = content["measured"]
    assert plain["runs"]["detector"] == {"1": 9} and plain["frames"] == 9
    assert sum(int(size) * count for size, count in plain["runs"]["pose"].items()) == 9
    assert 1 <= sum(fast["runs"]["detector"].values()) < 9 and fast["drift"]["missed"] == 0
    assert plain["loop_seconds"] > 0 < plain["network_seconds"] and {"p50_ms", "p95_ms", "p99_ms"} < set(plain["stages"]["pose"])
    assert "encode" in fast["stages"] and "encode" not in content["measured"][2]["stages"]
    assert main(["pipeline", clip, "--repeats", "0"]) == 2
