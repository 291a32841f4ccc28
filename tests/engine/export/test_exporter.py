"""Export: files, card, comparison of engines, and an old export that survives a bad new one."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from support.pose_parts import write_config, write_people
from support.shared_data import shared
from support.small_configs import write_picodet, write_tinypose

from ppdet.core.config.load import load_config
from ppdet.core.errors import CheckpointError, ConfigError, ExportError
from ppdet.engine.assembly import Assembly
from ppdet.engine.export import parity
from ppdet.engine.export.exporter import Exporter, export
from ppdet.engine.export.parity import EngineResult, ParityReport, check_parity, output_difference
from ppdet.engine.export.parity_samples import parity_samples
from ppdet.engine.tasks.detection_parity import BoxPrediction
from ppdet.engine.tasks.difference import Difference
from ppdet.engine.tasks.table import task_of_kind
from ppdet.engine.weights.checkpoint import save_pdparams
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.model_card import ModelCard

HAS_CONVERTER = importlib.util.find_spec("paddle2onnx") is not None
needs_converter = pytest.mark.skipif(not HAS_CONVERTER, reason="needs paddle2onnx")
TEST_READER = """
TestReader:
  inputs_def: {image_shape: [3, 64, 48]}
  sample_transforms:
    - Decode: {}
    - TopDownEvalAffine: {trainsize: [48, 64]}
    - NormalizeImage: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}
    - Permute: {}
"""


def weighted(config: Path, *options: str) -> tuple[Path, list[str]]:
    """A config and options that name weights of its own model, made here."""
    import paddle

    paddle.seed(1)
    model = Assembly(load_config(config)).model()
    for parameter in model.parameters():  # heatmaps with peaks above .2, so that keypoints are compared
        parameter.set_value(np.random.default_rng(2).normal(0, 0.3, parameter.shape).astype(np.float32))
    weights = save_pdparams(model.state_dict(), config.parent / "w.pdparams")
    return config, [f"weights={weights}", *options]


@pytest.fixture()
def stick(tmp_path: Path) -> tuple[Path, list[str]]:
    return weighted(write_config(tmp_path, write_people(tmp_path / "people"), TEST_READER))


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


PADDLE_FILES = {"infer_cfg.yml", "model.json", "model.pdiparams", "export_report.md", "export_report.json"}


@needs_converter
def test_export_with_onnx_is_complete_and_every_engine_agrees(stick: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder = export(load_config(*stick), tmp_path / "out", onnx=True)
    assert folder == tmp_path / "out" / "stick_64x48"
    assert names_in(folder) == PADDLE_FILES | {"model.onnx"}
    assert names_in(tmp_path / "out") == {"stick_64x48"}, "no temporary folder is left"
    report = json.loads((folder / "export_report.json").read_text())
    assert report["passed"] and report["origin"] == "images of the EvalDataset"
    ran = {r["engine"]: r for r in report["engines"] if r["status"] != "absent"}
    assert ran.keys() >= {"paddle"}
    assert all(r["status"] == "ok" and r["compared"] > 10 and r["max_px"] <= 0.05 for r in ran.values())
    assert "| paddle | ok |" in (folder / "export_report.md").read_text()


@needs_converter
def test_onnx_file_takes_any_batch_and_has_names(stick: tuple[Path, list[str]], tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    folder = export(load_config(*stick), tmp_path / "out", onnx=True)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["image"]
    assert [o.name for o in session.get_outputs()] == ["heatmap", "argmax"]
    for batch in (1, 3):
        heatmap, peak = session.run(None, {"image": np.zeros((batch, 3, 64, 48), np.float32)})
        assert heatmap.shape == (batch, 3, 16, 12) and peak.shape == (batch, 3)


def test_the_card_says_what_crops_were_made_around(stick: tuple[Path, list[str]], tmp_path: Path) -> None:
    path, options = stick
    folder = export(load_config(path, [*options, "EvalDataset.box=image"]), tmp_path / "out")
    assert yaml.safe_load((folder / "infer_cfg.yml").read_text())["box"] == "image"


def test_card_has_paddledetections_keys_first_then_ours(stick: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder = export(load_config(*stick), tmp_path / "out")
    content = yaml.safe_load((folder / "infer_cfg.yml").read_text())
    theirs = ["mode", "draw_threshold", "metric", "use_dynamic_shape", "arch", "min_subgraph_size", "Preprocess", "label_list"]
    assert list(content)[:8] == theirs
    assert list(content)[8:11] == ["box", "codec", "skeleton"] and content["box"] == "given"
    assert content["arch"] == "HRNet" and content["label_list"] == ["keypoint"]
    assert [op["type"] for op in content["Preprocess"]] == ["TopDownEvalAffine", "NormalizeImage", "Permute"]
    assert content["Preprocess"][0] == {"trainsize": [48, 64], "type": "TopDownEvalAffine"}
    card = ModelCard.load(folder)
    assembly = Assembly(load_config(*stick))
    assert card.codec.to_dict() == assembly.codec.to_dict()
    assert card.skeleton.names == assembly.skeleton.names
    assert card.input_wh == (48, 64) and card.heatmap_wh == (12, 16)
    assert card.versions["ppdet"] and card.versions["paddle"]


def test_without_test_reader_and_data_the_card_is_made_from_the_codec(tmp_path: Path) -> None:
    config, options = weighted(write_config(tmp_path, "nowhere"))
    folder = export(load_config(config, options), tmp_path / "out")
    card = ModelCard.load(folder)
    assert [op["type"] for op in card.preprocess] == ["TopDownEvalAffine", "NormalizeImage", "Permute"]
    report = json.loads((folder / "export_report.json").read_text())
    assert report["passed"] and "drawn figures" in report["origin"]


def test_fused_normalization_leaves_the_card(stick: tuple[Path, list[str]], tmp_path: Path) -> None:
    config, options = stick
    folder = export(load_config(config, [*options, "TestReader.fuse_normalize=true"]), tmp_path / "out")
    assert [op["type"] for op in ModelCard.load(folder).preprocess] == ["TopDownEvalAffine", "Permute"]
    assert json.loads((folder / "export_report.json").read_text())["passed"]


def test_fastdeploy_layout(stick: tuple[Path, list[str]], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("stays")
    folder = export(load_config(*stick), tmp_path / "out", for_fd=True)
    assert folder == tmp_path / "out"
    assert names_in(folder) >= {"inference.yml", "inference.json", "inference.pdiparams", "mine.txt"}
    assert ModelCard.load(folder).arch == "HRNet"


def test_fastdeploy_layout_makes_the_folder(stick: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder = export(load_config(*stick), tmp_path / "new" / "out", for_fd=True)
    assert names_in(folder) >= {"inference.yml", "inference.json", "inference.pdiparams"}


def test_warnings_of_the_config_are_logged(
    stick: tuple[Path, list[str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config, options = stick
    with config.open("a") as file:
        file.write("odd_key: 3\n")
    export(load_config(config, options), tmp_path / "out")
    assert "nothing reads the top-level key 'odd_key'" in caplog.text


def test_an_older_export_is_replaced_as_a_whole(stick: tuple[Path, list[str]], tmp_path: Path) -> None:
    old = tmp_path / "out" / "stick_64x48"
    old.mkdir(parents=True)
    (old / "model.onnx").write_text("of another export")
    export(load_config(*stick), tmp_path / "out")
    assert names_in(old) == PADDLE_FILES


def test_an_export_that_differs_is_refused_and_the_older_one_stays(
    stick: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "out" / "stick_64x48"
    old.mkdir(parents=True)
    (old / "mark").write_text("old")
    monkeypatch.setattr(parity, "TOLERANCE_PX", -1.0)
    with pytest.raises(ExportError, match="paddle: .* px"):
        export(load_config(*stick), tmp_path / "out")
    assert names_in(old) == {"mark"}
    assert "| paddle | differs |" in (tmp_path / "out" / "stick_64x48.failed" / "export_report.md").read_text()


def test_an_engine_that_breaks_fails_the_export(
    stick: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("kernel not found")

    monkeypatch.setattr(parity, "load_runtime", broken)
    with pytest.raises(ExportError, match="RuntimeError: kernel not found"):
        export(load_config(*stick), tmp_path / "out")


def test_real_difference_is_found(stick: tuple[Path, list[str]], tmp_path: Path) -> None:
    """Change one weight of the framework's model after the export: the report must see it."""
    assembly = Assembly(load_config(*stick))
    model = assembly.model()
    Exporter(assembly, model, tmp_path / "out").run()
    model.final_conv.bias.set_value(model.final_conv.bias + 0.5)
    samples, origin = parity_samples(assembly, 3)
    report = check_parity(tmp_path / "out" / "stick_64x48", assembly.task.deployed_form(assembly, model), samples, origin)
    assert {r.engine: r.status for r in report.engines}["paddle"] == "differs"


def test_mistakes_are_named(stick: tuple[Path, list[str]], tmp_path: Path) -> None:
    config, options = stick
    with pytest.raises(ConfigError, match="names no weights.*output/stick_64x48/best_model.*-o weights=FILE"):
        export(load_config(config), tmp_path / "out")
    with pytest.raises(CheckpointError, match="absent"):
        export(load_config(config, ["weights=absent.pdparams"]), tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot write"):
        export(load_config(config, options), tmp_path / "file" / "out")
    assembly = Assembly(load_config(config, options))
    assembly.config["architecture"] = "HigherHRNet"
    with pytest.raises(ExportError, match="HigherHRNet cannot be deployed"):
        Exporter(assembly, assembly.builder.build("TopDownHRNet"), tmp_path / "out").run()
    assert not (tmp_path / "out").exists() or names_in(tmp_path / "out") == set()


def test_command_exits_with_2_and_a_message(stick: tuple[Path, list[str]], tmp_path: Path) -> None:
    tool = Path(__file__).resolve().parents[3] / "tools" / "export_model.py"
    done = subprocess.run(
        [sys.executable, str(tool), "-c", str(stick[0]), "-o", "weights=absent"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2
    # TwoConvs is registered by the tests only, so here the config itself is the mistake.
    assert "error:" in done.stderr and "TwoConvs" in done.stderr and "Traceback" not in done.stderr


def test_boxes_are_matched_and_missing_ones_counted() -> None:
    boxes = np.array([[0, 0, 50, 50], [60, 0, 90, 40], [5, 60, 40, 99]], float)
    ours = Detections(boxes, np.array([0.9, 0.8, 0.1]), np.zeros(3, int))
    near = Detections(boxes[[1, 0]] + 0.01, np.array([0.8, 0.9]), np.zeros(2, int))

    def compare(ours: Detections, theirs: Detections) -> Difference:
        return task_of_kind("detection").compare([BoxPrediction(ours)], [BoxPrediction(theirs)])

    result = compare(ours, near)
    assert (result.compared, result.unmatched) == (2, 0)
    assert result.max_px == pytest.approx(0.01)
    fewer = compare(ours, near[[0]])
    assert (fewer.compared, fewer.unmatched) == (1, 1)
    other_label = compare(ours, Detections(boxes, ours.scores, np.ones(3, int)))
    assert other_label.compared == 0 and other_label.unmatched == 4


def test_outputs_are_compared_where_nothing_scores() -> None:
    maps = np.random.default_rng(0).normal(size=(8, 3, 4, 5))
    peaks = np.zeros((8, 3))
    whole, parts = [[maps, peaks]], [[maps[:3], peaks[:3]], [maps[3:] * 1.01, peaks[3:] + 1]]
    difference = output_difference(whole, parts)
    assert 0.001 < difference < 0.01001, "peaks are indices and not compared"
    assert output_difference(whole, [[maps[:3], peaks[:3]]]) == float("inf")
    assert output_difference([[peaks]], [[peaks]]) is None
    result = EngineResult("x", "ok", max_output=difference)
    result.judge()
    assert result.status == "differs" and "nothing scored" in result.note
    silent = EngineResult("x", "ok")
    silent.judge()
    assert silent.status == "ok" and "says little" in silent.note
    report = ParityReport("m", 8, "images of the EvalDataset", [result, EngineResult("y", "absent")])
    assert "nothing scored above 0.2" in report.warnings[0] and "Are these the weights of this config" in report.warnings[0]
    assert report.to_dict()["warnings"] == report.warnings and f"**Warning:** {report.warnings[0]}" in report.to_markdown()
    report.engines.append(EngineResult("z", "ok", compared=3))
    assert report.warnings == [] and "Warning" not in report.to_markdown()


# --- released weights -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@needs_converter
def test_released_tinypose_to_every_engine(tmp_path: Path) -> None:
    config = write_tinypose(tmp_path, shared("data", "coco_person"))
    weights = shared("data", "weights", "tinypose_128x96.pdparams")
    folder = export(load_config(config, [f"weights={weights}"]), tmp_path / "out", onnx=True)
    report = json.loads((folder / "export_report.json").read_text())
    assert report["passed"] and all(r["compared"] > 100 for r in report["engines"] if r["status"] == "ok")


@pytest.mark.slow
@needs_converter
@pytest.mark.parametrize(("post_process", "nms"), [(True, True), (True, False), (False, False)])
def test_released_picodet_in_three_forms(tmp_path: Path, post_process: bool, nms: bool) -> None:
    config = write_picodet(tmp_path, shared("data", "coco_person"), post_process=post_process, nms=nms)
    weights = shared("data", "weights", "picodet_s_192_lcnet_pedestrian.pdparams")
    folder = export(load_config(config, [f"weights={weights}"]), tmp_path / "out", onnx=True)
    report = json.loads((folder / "export_report.json").read_text())
    assert report["passed"] and all(r["compared"] > 20 for r in report["engines"] if r["status"] == "ok")
    card = ModelCard.load(folder)
    assert card.arch == ("GFL" if post_process else "PicoDet")
    assert (card.nms is None) == nms
    assert card.label_list == ["person"] and card.input_wh == (192, 192)
