"""AP with annotated and with a detector's boxes in one table."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from support.oracle_model import Oracle
from support.pose_parts import write_config, write_people
from support.shared_data import shared

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError, DataError
from ppdet.engine.assembly import Assembly
from ppdet.engine.evaluation.box_sources import compare_boxes
from ppdet.engine.evaluation.evaluator import Evaluator, evaluate
from ppdet.engine.weights.checkpoint import save_pdparams
from ppdet.geometry.oks import oks_matrix

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ["gt", "gt_select", "det"]


@pytest.fixture()
def config_path(tmp_path: Path) -> Path:
    """Annotated boxes, and a detector that gives each of them with score .9, and again, moved by a pixel, with .2."""
    people = write_people(tmp_path / "people")
    boxes = []
    for each in json.loads((people / "truth.json").read_text())["annotations"]:
        x, y, w, h = each["bbox"]
        for shift, score in ((0, 0.9), (1, 0.2)):
            boxes.append({"image_id": each["image_id"], "category_id": 1, "bbox": [x + shift, y, w, h], "score": score})
        boxes.append({"image_id": each["image_id"], "category_id": 2, "bbox": [x, y, w, h], "score": 0.99})  # a dog
    (people / "bbox.json").write_text(json.dumps(boxes))
    return write_config(tmp_path, people)


@pytest.fixture()
def options(config_path: Path, tmp_path: Path) -> list[str]:
    weights = save_pdparams(Assembly(load_config(config_path)).model().state_dict(), tmp_path / "w.pdparams")
    return [f"weights={weights}", "EvalDataset.bbox_file=bbox.json"]


def test_rows_say_what_they_were_measured_with(config_path: Path, options: list[str], tmp_path: Path) -> None:
    rows = compare_boxes(config_path, [*options, "EvalDataset.image_thre=0.5"], SOURCES, tmp_path / "out")
    assert [row.source for row in rows] == ["annotated", "annotated, select_data", "detector, bbox.json"]
    assert [row.boxes for row in rows][::2] == [6, 6]  # the weak copies are below .5
    assert [row.threshold for row in rows] == ["-", "-", "0.5"]
    assert {row.flip for row in rows} == {"on (shift 0.750)"} and {row.decoder for row in rows} == {"dark (blur 3)"}
    assert set(rows[0].figures) >= {"AP", "AP50", "AP75", "AR"}
    written = json.loads((tmp_path / "out" / "box_protocols.json").read_text())
    assert written[2]["figures"]["AP"] == rows[2].figures["AP"] and written[2]["boxes"] == 6
    for source in SOURCES:
        assert (tmp_path / "out" / source / "keypoints_results.json").is_file()


def test_the_command(config_path: Path, options: list[str], monkeypatch, caplog) -> None:
    arguments = ["eval.py", "-c", str(config_path), "--boxes", "gt", "det", "-o", *options]
    monkeypatch.setattr("sys.argv", [*arguments, "TopDownHRNet.flip=false"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / "tools" / "eval.py"), run_name="__main__")
    assert stop.value.code == 0
    assert "| box source | boxes | threshold | flip test | decoder | AP | AP50 | AP75 | AR |" in caplog.text
    assert "| annotated | 6 | - | off | dark (blur 3) | " in caplog.text
    assert "| detector, bbox.json | 12 | 0 | off | dark (blur 3) | " in caplog.text


def test_detector_protocol_by_hand(config_path: Path) -> None:
    """Person score = box score x mean of keypoint scores over .2; then OKS suppression at .9 within each image."""
    config = load_config(config_path, ["EvalDataset.use_gt_bbox=false", "EvalDataset.bbox_file=bbox.json"])
    assembly = Assembly(config)
    metric, rng = assembly.metric(), np.random.default_rng(0)
    keypoints = rng.uniform(20, 100, (3, 3, 3))
    keypoints[1] = keypoints[0] + [0.05, 0, 0]  # a repetition of the first person
    keypoints[..., 2] = [[0.8, 0.6, 0.1], [0.9, 0.7, 0.2], [0.1, 0.1, 0.1]]
    metric.update({"image_id": np.array([1, 1, 1]), "keypoints": keypoints, "box_score": np.array([0.5, 0.9, 0.4]),
                   "area": np.full(3, 5000.0), "index": np.arange(3)})  # fmt: skip
    results = metric.results()
    assert [r["score"] for r in results] == pytest.approx([0.9 * 0.8, 0.0])
    areas = np.full(2, 5000.0)
    overlap = oks_matrix(keypoints[:2], areas, keypoints[:2], areas, metric.skeleton.sigmas)
    assert overlap[0, 1] > 0.9  # which is why one of the two is gone


def test_true_heatmaps_in_detector_boxes_score_1(config_path: Path) -> None:
    """The crop of a detector's box leads back to the image it was cut from."""
    assembly = Assembly(load_config(config_path, ["EvalDataset.use_gt_bbox=false", "EvalDataset.bbox_file=bbox.json",
                                                  "TopDownHRNet.flip=false", "EvalDataset.image_thre=0.5"]))  # fmt: skip
    oracle = Oracle(assembly, flip=False)
    truth = json.loads(Path(assembly.dataset("Eval").annotation_file).read_text())["annotations"]
    dataset = assembly.dataset("Eval")
    samples = [dataset.describe(i) for i in range(len(dataset))]
    crop = assembly.codec.crop_at(np.stack([s.center_xy for s in samples]), np.stack([s.size_wh for s in samples]), np.zeros(6))
    of_sample = [min((t for t in truth if t["image_id"] == s.image_id), key=lambda t: abs(t["bbox"][0] + 21 - s.center_xy[0]))
                 for s in samples]  # fmt: skip
    oracle.xy_input = crop.to_input(np.stack([np.reshape(t["keypoints"], (3, 3))[:, :2] for t in of_sample]))
    figures = Evaluator(assembly, oracle).run()
    assert figures["AP"] == pytest.approx(1.0)


def test_mistakes_are_named(config_path: Path, options: list[str]) -> None:
    with pytest.raises(ConfigError, match="unknown source 'yolo'"):
        compare_boxes(config_path, options, ["yolo"])
    with pytest.raises(DataError, match="none.json"):
        compare_boxes(config_path, [*options, "EvalDataset.bbox_file=none.json"], ["gt", "det"])
    with pytest.raises(ConfigError, match="--boxes compares"):
        compare_boxes(config_path, [*options, "metric=COCO"], ["gt", "det"])


@pytest.mark.slow
def test_released_weights_in_the_boxes_of_the_released_detector(tmp_path: Path) -> None:
    """100 val2017 images: PicoDet-S 320 writes bbox.json, TinyPose 128x96 is measured in it and in annotated boxes."""
    data, weights = shared("data", "coco_person"), shared("data", "weights")
    place = [f"EvalDataset.dataset_dir={data}", "EvalDataset.image_dir=images",
             "EvalDataset.anno_path=annotations/person_keypoints_val.json"]  # fmt: skip
    folder = ROOT / "configs" / "picodet" / "application" / "pedestrian_detection"
    detector = load_config(folder / "picodet_s_320_lcnet_pedestrian.yml",
                           [*place, f"weights={weights / 'picodet_s_320_lcnet_pedestrian.pdparams'}"])  # fmt: skip
    assert evaluate(detector, tmp_path)["AP"] == pytest.approx(0.509, abs=0.002)
    options = [*place, f"weights={weights / 'tinypose_128x96.pdparams'}", f"EvalDataset.bbox_file={tmp_path / 'bbox.json'}"]
    options.append("EvalDataset.image_thre=0.3")
    rows = compare_boxes(ROOT / "configs" / "keypoint" / "tiny_pose" / "tinypose_128x96.yml", options, SOURCES)
    assert [row.boxes for row in rows] == [238, 232, 299]
    assert [row.figures["AP"] for row in rows] == pytest.approx([0.560, 0.558, 0.514], abs=0.002)


def test_a_precision_needs_an_exported_model(monkeypatch, capsys):
    """It was taken in silence, and the framework's figures looked like the engine's."""
    monkeypatch.setattr("sys.argv", ["eval.py", "-c", "any.yml", "--precision", "bf16"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "tools" / "eval.py"), run_name="__main__")
    assert ended.value.code == 2
    assert "give its folder as --model_dir" in capsys.readouterr().err
