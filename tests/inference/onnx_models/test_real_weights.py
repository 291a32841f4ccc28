"""Real weights through the route of any ONNX file: the same box AP as through our own export."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.shared_data import shared

from ppdet.image.io import read_image
from ppdet.inference.estimators.registry import load_detector
from ppdet.inference.onnx_models import OnnxModelCard, load_card
from ppdet.inference.runtimes import load_runtime
from ppdet.metrics import COCOMetric

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
CONFIG = "configs/picodet/application/pedestrian_detection/picodet_s_192_lcnet_pedestrian.yml"
IMAGES = 40
CARD = "score_threshold: 0.025\nnms_threshold: 0.6\nmax_boxes: 100\n"


def box_ap(place: Path) -> dict[str, float]:
    folder = shared("data", "coco_person")
    annotations = folder / "annotations" / "person_keypoints_val.json"
    card = load_card(place)
    detector = load_detector(load_runtime(str(card.model_dir), engine="onnxruntime", cpu_threads=1), card)
    metric = COCOMetric(annotations, ["person"])
    for image in json.loads(annotations.read_text())["images"][:IMAGES]:
        (found,) = detector.detect([read_image(next(folder.rglob(image["file_name"])))])
        metric.update({"evaluated": np.array([image["id"]]), "image_id": np.full(len(found), image["id"]),
                       "boxes": found.boxes_xyxy, "scores": found.scores, "labels": found.labels})  # fmt: skip
    return metric.score(metric.results())


@pytest.mark.parametrize(("flags", "layout"), [
    ((), "paddle_boxes"), (("export.nms=False",), "boxes_scores"), (("export.post_process=False",), "picodet"),
])  # fmt: skip
def test_picodet_has_the_same_box_ap(tmp_path: Path, flags: tuple[str, ...], layout: str) -> None:
    for package in ("paddle", "paddle2onnx", "onnxruntime", "pycocotools"):
        pytest.importorskip(package)
    weights = shared("data", "weights", "picodet_s_192_lcnet_pedestrian.pdparams")
    words = [sys.executable, "tools/export_model.py", "-c", CONFIG, "--output_dir", str(tmp_path), "--onnx", "-o",
             f"weights={weights}", *flags]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    own = tmp_path / "picodet_s_192_lcnet_pedestrian"
    bare = tmp_path / "bare" / "somebodys.onnx"
    bare.parent.mkdir()
    shutil.copy(own / "model.onnx", bare)
    bare.with_suffix(".yml").write_text(CARD if flags else "")  # the graph with NMS needs no card at all
    card = load_card(bare)
    assert isinstance(card, OnnxModelCard) and card.layout_settings.layout == layout
    expected, got = box_ap(own), box_ap(bare)
    assert expected["AP"] > 0.2
    assert got == pytest.approx(expected, abs=1e-6)
