"""Bottom-up from YAML to video on real photographs: a small HigherHRNet learns eight images by heart and is deployed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.bottom_up_train_parts import ROOT, write_bottom_up_config

from ppdet.core.config.load import load_config
from ppdet.engine.assembly import Assembly
from ppdet.engine.weights.load import load_model
from ppdet.image.io import read_image
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.video.process import process_video
from ppdet.inference.video.writer import VideoWriter

pytestmark = pytest.mark.slow
ENGINES = ("paddle", "onnxruntime", "openvino")
FLOOR = 0.2  # of keypoint scores
FRAMES = 6
EPOCHS = 160


def tool(name: str, *arguments: object) -> str:
    """Run a command of tools/ with one thread; returns what it said."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PADDLE_")}
    command = [sys.executable, str(ROOT / "tools" / name), *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=7200, env={**kept, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config, and the run that training it left: 160 iterations of eight images, 6 minutes of one core."""
    path = write_bottom_up_config(tmp_path_factory.mktemp("overfit"), 8, side=192, batch=8, epochs=EPOCHS, every=EPOCHS // 2)
    tool("train.py", "-c", path, "--eval")
    return path


@pytest.fixture(scope="module")
def exported(config: Path) -> Path:
    for package in ("paddle2onnx", "onnxruntime", "openvino"):
        pytest.importorskip(package)
    tool("export_model.py", "-c", config, "--onnx", "--output_dir", config.parent / "export")
    return config.parent / "export" / config.stem


def photographs(config: Path) -> list[np.ndarray]:
    dataset = Assembly(load_config(config)).dataset("Eval")
    return [read_image(dataset.image_path(row)) for row in range(len(dataset))]


def test_eight_images_are_learned_by_heart(config: Path) -> None:
    """If any of frame, targets, tags, mask, loss, grouping or un-warp were wrong, OKS could not come near 1."""
    lines = [json.loads(line) for line in (config.parent / "out" / "crowd" / "train_log.jsonl").read_text().splitlines()]
    best = max(line["AP"] for line in lines if line["kind"] == "eval")
    pushed = [line["push_loss"] for line in lines if line["kind"] == "train"]
    assert best > 0.9, lines[-1]
    assert pushed[-1] < 0.3 * pushed[0]


def test_every_engine_gives_the_same_people(config: Path, exported: Path) -> None:
    report = json.loads((exported / "export_report.json").read_text())
    assert [each["status"] for each in report["engines"]] == ["ok"] * 3
    assert all(each["compared"] > 50 and each["max_px"] <= 0.05 for each in report["engines"]), report
    assembly = Assembly(load_config(config))
    weights = assembly.task.estimator(assembly, load_model(assembly))
    deployed = {engine: PosePipeline(None, exported, engine=engine, person_threshold=0) for engine in ENGINES}
    for image in photographs(config):
        ours = weights.people(image)
        for engine, pipeline in deployed.items():
            theirs = pipeline(image)
            assert len(theirs) == len(ours.boxes), engine
            np.testing.assert_allclose(theirs.scores, ours.scores, atol=1e-3, err_msg=engine)
            sure = ours.scores > FLOOR
            np.testing.assert_allclose(theirs.keypoints[sure], ours.keypoints[sure], atol=0.05, err_msg=engine)


def test_an_exported_folder_evaluates_as_its_weights(config: Path, exported: Path) -> None:
    said = tool("eval.py", "-c", config, "--model_dir", exported, "--engine", "onnxruntime")
    row = next(line for line in said.splitlines() if line.startswith(("| 0.", "| 1.")))
    assert float(row.split("|")[1]) > 0.9, said
    assert "flip test off" in said and "scale 1" in said


def test_a_video_of_a_photograph(config: Path, exported: Path, tmp_path: Path) -> None:
    image = photographs(config)[0]
    height, width = (side // 2 * 2 for side in image.shape[:2])
    writer = VideoWriter(tmp_path / "still.mp4", 25.0, (width, height))
    for _ in range(FRAMES):
        writer.write(image[:height, :width])
    writer.finish()
    pipeline = PosePipeline(None, exported, engine="onnxruntime")
    source, drawn, saved = (tmp_path / name for name in ("still.mp4", "out.mp4", "out.json"))
    report = process_video(pipeline, source, drawn, saved, "named", filter_type="EMA")
    entries = json.loads(saved.read_text())
    sure = [[person["id"] for person in entry["people"] if person["score"] > 0.3] for entry in entries]
    assert report.frames == FRAMES and len(sure[0]) >= 2 and all(sorted(ids) == sorted(sure[0]) for ids in sure)
    assert int(cv2.VideoCapture(str(drawn)).get(cv2.CAP_PROP_FRAME_COUNT)) == FRAMES
