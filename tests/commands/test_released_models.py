"""Released weights, exported and run on real videos as a user would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.planted_models import PlantedDetector, PlantedRuntime, planted_person, pose_card
from support.shared_data import shared

from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.stage_timer import peak_memory_mib
from ppdet.inference.video.reader import VideoReader
from ppdet.inference.video.writer import VideoWriter

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
DETECTOR = (
    "configs/picodet/application/pedestrian_detection/picodet_s_192_lcnet_pedestrian.yml",
    "picodet_s_192_lcnet_pedestrian",
)
POSE = ("configs/keypoint/tiny_pose/tinypose_128x96.yml", "tinypose_128x96")


def command(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for package in ("paddle", "paddle2onnx", "onnxruntime"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("exported")
    for config, name in (DETECTOR, POSE):
        weights = shared("data", "weights", f"{name}.pdparams")
        command("tools/export_model.py", "-c", config, "-o", f"weights={weights}", "--output_dir", str(folder), "--onnx")
    return folder


@pytest.mark.parametrize(
    ("name", "frames", "fewest", "most"),
    [("single_person_540f", 540, 530, 560), ("two_players_54f", 54, 60, 110), ("arm_wrestling_crowd_280f", 280, 280, 2000)],
)
def test_real_videos(exported: Path, tmp_path: Path, name: str, frames: int, fewest: int, most: int) -> None:
    video = shared("data", "videos", f"{name}.mp4")
    command("deploy/python/det_keypoint_unite_infer.py", "--det_model_dir", str(exported / DETECTOR[1]), "--keypoint_model_dir",
            str(exported / POSE[1]), "--video_file", str(video), "--output_dir", str(tmp_path), "--save_res")
    content = json.loads((tmp_path / "det_keypoint_unite_video_results.json").read_text())
    assert [record[0] for record in content] == list(range(1, frames + 1))
    assert fewest <= sum(len(record[1]) for record in content) <= most
    assert sum(1 for _ in VideoReader(tmp_path / f"{name}.mp4")) == frames
    assert VideoReader(tmp_path / f"{name}.mp4").fps == pytest.approx(VideoReader(video).fps, abs=0.01)


def test_the_single_person_stands_upright(exported: Path) -> None:
    """Nose above shoulders above hips above ankles, in every frame, by a good score: nothing is mirrored or mixed up."""
    pipeline = PosePipeline(exported / DETECTOR[1], exported / POSE[1])
    at = {name: index for index, name in enumerate(pipeline.skeleton.names)}
    for number, result in enumerate(pipeline(shared("data", "videos", "single_person_540f.mp4"))):
        if number % 50:
            continue
        best = int(np.argmax(result.box_scores))
        xy, scores = result.keypoints[best], result.scores[best]
        heights = [xy[at[name], 1] for name in ("nose", "left_shoulder", "left_hip", "left_knee", "left_ankle")]
        assert heights == sorted(heights) and scores.mean() > 0.6
        assert xy[at["left_shoulder"], 0] > xy[at["right_shoulder"], 0]  # he faces the camera
        assert list(result.track_ids) == [1]


def test_memory_stays_flat_on_a_long_video(tmp_path: Path) -> None:
    size = (640, 480)
    frame = planted_person(size, np.array([[300.0, 200.0], [250.0, 300.0], [350.0, 300.0]]), 20.0)
    with VideoWriter(tmp_path / "long.mp4", 30.0, size) as writer:
        for _ in range(1500):
            writer.write(frame)
    pipeline = PosePipeline(PlantedDetector([[200, 150, 400, 350]]), TopDownEstimator(PlantedRuntime(), pose_card()))
    results = pipeline(tmp_path / "long.mp4")
    peaks = [peak_memory_mib() for _, _ in zip(range(1500), results)]
    assert peaks[-1] is not None and peaks[-1] - peaks[100] < 20.0


def test_a_paddle_2_program_runs_in_paddle_and_openvino(tmp_path: Path) -> None:
    for package in ("paddle", "openvino"):
        pytest.importorskip(package)
    code = f"""
import os
os.environ["FLAGS_enable_pir_api"] = "0"
import numpy as np, paddle
layer = paddle.nn.Sequential(paddle.nn.Conv2D(3, 17, 3, stride=4, padding=1), paddle.nn.ReLU())
layer.eval()
paddle.jit.save(layer, {str(tmp_path / "model")!r}, input_spec=[paddle.static.InputSpec([None, 3, 128, 96], "float32", "image")])
image = np.random.default_rng(0).random((2, 3, 128, 96), np.float32)
expected = layer(paddle.to_tensor(image)).numpy()
from ppdet.inference import load_runtime
for engine in ("openvino", "paddle"):
    runtime = load_runtime({str(tmp_path)!r}, engine=engine)
    assert "model.pdmodel" in runtime.description, runtime.description
    np.testing.assert_allclose(runtime.run({{"image": image}})[0], expected, atol=1e-5)
print("same")
"""
    if "same" not in (out := command("-c", code)):
        raise AssertionError(out)
