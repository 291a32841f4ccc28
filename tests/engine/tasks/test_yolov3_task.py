"""PP-YOLOv2 from config to boxes: weights, export in every engine, commands, and mistakes."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from support.pose_parts import write_people
from support.ppyolo_config import ROOT, write_ppyolo, write_tame_weights

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError, ExportError
from ppdet.engine.assembly import Assembly
from ppdet.engine.components import import_components
from ppdet.engine.configs.check import check_config
from ppdet.engine.export.exporter import export
from ppdet.engine.weights.load import load_model
from ppdet.image.io import read_image
from ppdet.inference.model_opening import open_detector

HAS_CONVERTER = importlib.util.find_spec("paddle2onnx") is not None
pytestmark = pytest.mark.slow  # half a minute of one core
needs_converter = pytest.mark.skipif(not HAS_CONVERTER, reason="needs paddle2onnx")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A small network with random weights and drawn people, exported with ONNX."""
    folder = tmp_path_factory.mktemp("ppyolo")
    people = write_people(folder / "people")
    annotations = next(people.rglob("*.json"))
    config = write_ppyolo(folder, people, "images", annotations)
    weights = write_tame_weights(config)
    loaded = load_config(config, [f"weights={weights}"])
    target = export(loaded, folder / "exported", onnx=HAS_CONVERTER)
    images = sorted((people / "images").iterdir())
    return SimpleNamespace(folder=folder, config=config, weights=weights, loaded=loaded, target=target, images=images)


def test_every_engine_agrees(exported: SimpleNamespace) -> None:
    report = json.loads((exported.target / "export_report.json").read_text())
    ran = {r["engine"]: r for r in report["engines"] if r["status"] != "absent"}
    assert report["passed"] and "paddle" in ran
    assert all(r["status"] == "ok" and r["compared"] > 10 for r in ran.values()), ran


def test_the_card_says_where_the_suppression_is(exported: SimpleNamespace) -> None:
    card = yaml.safe_load((exported.target / "infer_cfg.yml").read_text())
    assert card["arch"] == "YOLO" and card["label_list"] == ["stick"] and card["input_wh"] == [128, 96]
    assert card["NMS"]["name"] == "MatrixNMS" and card["NMS"]["background_label"] == -1
    assert [step["type"] for step in card["Preprocess"]] == ["Resize", "NormalizeImage", "Permute"]


@needs_converter
def test_boxes_are_the_same_with_the_suppression_outside_the_graph(exported: SimpleNamespace) -> None:
    images = [read_image(str(path)) for path in exported.images[:2]]
    inside = open_detector(exported.target, engine="paddle").detect(images)
    outside = open_detector(exported.target, engine="onnxruntime").detect(images)
    for a, b in zip(inside, outside):
        assert len(a) == len(b) > 0
        np.testing.assert_allclose(a.scores[:20], b.scores[:20], atol=1e-4)
        np.testing.assert_allclose(a.boxes_xyxy[:5], b.boxes_xyxy[:5], atol=0.05)


def test_evaluation_gives_figures(exported: SimpleNamespace) -> None:
    assembly = Assembly(exported.loaded)
    metric = assembly.metric()
    done = assembly.task.collect(assembly, load_model(assembly), metric)
    assert done.samples == len(exported.images) and 0 <= metric.compute()["AP"] <= 1


def test_detect_command(exported: SimpleNamespace) -> None:
    out = exported.folder / "found"
    command = [sys.executable, "-m", "ppdet", "detect", str(exported.images[0]), "--det", str(exported.target)]
    done = subprocess.run([*command, "--output_dir", str(out)], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert any(path.suffix in (".jpg", ".png", ".json") for path in out.rglob("*"))


def test_raw_maps_are_not_exported(exported: SimpleNamespace) -> None:
    config = load_config(exported.config, [f"weights={exported.weights}", "export.post_process=false"])
    with pytest.raises(ExportError, match="post_process: true"):
        export(config, exported.folder / "raw")


def test_targets_for_other_anchors_than_the_heads_are_found(exported: SimpleNamespace) -> None:
    config = load_config(exported.config, ["YOLOv3Head.anchors[0]=[11, 13]"])
    problems = [str(problem) for problem in check_config(config, import_components(config))]
    assert any("Gt2YoloTarget" in problem and "anchors" in problem for problem in problems), problems


def test_contradicting_sections_are_explained(exported: SimpleNamespace) -> None:
    with pytest.raises(ConfigError, match="iou_aware: true"):
        Assembly(load_config(exported.config, ["YOLOv3Head.iou_aware=false"])).model()
    with pytest.raises(ConfigError, match="variant: d"):
        Assembly(load_config(exported.config, ["ResNet.variant=b"])).model()


def test_unite_script_with_a_pose_model(exported: SimpleNamespace) -> None:
    out, pose = exported.folder / "united", ROOT / "ppdet" / "model_zoo" / "bundled" / "tinypose_128x96"
    script = ROOT / "deploy" / "python" / "det_keypoint_unite_infer.py"
    command = [sys.executable, script, "--det_model_dir", exported.target, "--keypoint_model_dir", pose]
    command += ["--image_file", exported.images[0], "--output_dir", out, "--det_threshold", "0.05"]
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert any(out.iterdir())
