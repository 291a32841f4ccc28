"""Bottom-up configs through evaluation, prediction and export, with weights that find something everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import paddle
import pytest
from support.bottom_up_train_parts import write_bottom_up_config
from support.golden_cases import fill_by_rule

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError
from ppdet.engine.assembly import Assembly
from ppdet.engine.evaluation.evaluator import Evaluator, evaluate
from ppdet.engine.export.exporter import Exporter
from ppdet.engine.prediction.predictor import PredictOptions, predict
from ppdet.inference.pipeline import PosePipeline

ENGINES = ("paddle", "onnxruntime", "openvino")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config of four images, its `weights` beside it."""
    folder = tmp_path_factory.mktemp("crowd")
    path = write_bottom_up_config(folder, 4, side=128, extra=f"weights: {folder}/rule.pdparams")
    model = Assembly(load_config(path)).model()
    fill_by_rule(model)
    paddle.save(model.state_dict(), str(folder / "rule.pdparams"))
    return path


@pytest.fixture(scope="module")
def exported(config: Path) -> Path:
    for package in ("paddle2onnx", "onnxruntime", "openvino"):
        pytest.importorskip(package)
    loaded = load_config(config)
    assembly = Assembly(loaded)
    from ppdet.engine.weights.load import load_model

    exporter = Exporter(assembly, load_model(assembly), config.parent / "export", onnx=True)
    exporter.run()
    return exporter.target


def test_every_engine_finds_the_frameworks_people(exported: Path) -> None:
    report = json.loads((exported / "export_report.json").read_text())
    assert report["passed"] and [each["engine"] for each in report["engines"]] == list(ENGINES)
    for each in report["engines"]:
        assert each["status"] == "ok" and each["compared"] > 100 and each["unmatched"] == 0 and each["max_px"] <= 0.05, each


def test_the_card_says_all(exported: Path) -> None:
    from ppdet.inference.model_card import ModelCard

    card = ModelCard.load(exported)
    assert card.arch == "HigherHRNet" and card.kind == "bottom_up" and card.use_dynamic_shape and card.label_list == ["keypoint"]
    assert card.operation("EvalAffine") == {"type": "EvalAffine", "size": 128} and card.operation("NormalizeImage")
    assert card.input_wh == (128, 128) and card.skeleton.name == "coco17"
    assert card.codec.to_dict() == Assembly(load_config(exported.parents[1] / "crowd.yml")).codec.to_dict()


def test_export_and_weights_evaluate_alike(config: Path, exported: Path, tmp_path: Path) -> None:
    """The same candidates, the same people: Paddle Inference computes as the framework does to the last bits."""
    ours = evaluate(load_config(config), tmp_path / "weights")
    theirs = evaluate(load_config(config), tmp_path / "export", exported={"model_dir": exported, "engine": "onnxruntime"})
    assert set(ours) == set(theirs) and "AP" in ours
    for folder in ("weights", "export"):
        entries = json.loads((tmp_path / folder / "keypoint.json").read_text())
        assert entries and {"image_id", "category_id", "keypoints", "score"} <= set(entries[0])
        assert len({entry["image_id"] for entry in entries}) == 4
    rescored = evaluate(load_config(config), tmp_path / "weights", json_eval=True)
    assert rescored["AP"] == pytest.approx(ours["AP"], abs=1e-6)


def test_the_setting_is_told_beside_the_figures(config: Path) -> None:
    assembly = Assembly(load_config(config, ["HigherHRNet.eval_flip=true", "test_scales=[1,0.5]"]))
    from ppdet.engine.weights.load import load_model

    evaluator = Evaluator(assembly, load_model(assembly))
    figures = evaluator.run()
    assert "flip test on" in evaluator.setting and "scales 1, 0.5" in evaluator.setting and "4 images" in evaluator.setting
    assert 0 <= figures["AP"] <= 1


def test_misspelt_or_impossible_scales_are_told(config: Path) -> None:
    with pytest.raises(ConfigError, match="test_scales"):
        Assembly(load_config(config, ["test_scale=[1]"]))
    with pytest.raises(ConfigError, match="one must be 1"):
        evaluate(load_config(config, ["test_scales=[0.5,2]"]))


def test_an_exported_model_with_scales_is_reported(config: Path, exported: Path) -> None:
    with pytest.raises(ConfigError, match="leave out --model_dir"):
        evaluate(load_config(config, ["test_scales=[1,2]"]), exported={"model_dir": exported, "engine": "onnxruntime"})


def test_prediction_from_weights(config: Path, tmp_path: Path) -> None:
    loaded = load_config(config)
    dataset = Assembly(loaded).dataset("Eval")
    paths = [Path(dataset.image_path(row)) for row in range(2)]
    options = PredictOptions(tmp_path / "out", save_results=True, draw_threshold=0.1)
    assert predict(loaded, paths, options) == 0
    entries = json.loads((tmp_path / "out" / "keypoint.json").read_text())
    assert {entry["file_name"] for entry in entries} == {path.name for path in paths}
    assert all(len(entry["keypoints"]) == 51 and entry["bbox"][2] >= 0 for entry in entries)
    scores = [entry["score"] for entry in entries if entry["file_name"] == paths[0].name]
    assert scores == sorted(scores, reverse=True)
    with pytest.raises(ConfigError, match="finds everybody in the image by itself"):
        predict(loaded, paths, options, det_config=config)


def test_weights_and_export_predict_alike(config: Path, exported: Path) -> None:
    assembly = Assembly(load_config(config))
    from ppdet.engine.weights.load import load_model

    image = np.asarray(assembly.dataset("Eval").load(0, np.random.default_rng(0)).image)
    weights = assembly.task.estimator(assembly, load_model(assembly))
    for engine in ENGINES:
        deployed = PosePipeline(None, exported, engine=engine).estimator
        one, other = weights.candidates(image)[0], deployed.candidates(image)[0]
        sure = one.score > 0.2
        np.testing.assert_allclose(other.score[sure], one.score[sure], atol=1e-4)
        np.testing.assert_allclose(other.cell_score, one.cell_score, atol=1e-4)


def test_a_graph_that_normalises_finds_the_same(config: Path) -> None:
    from ppdet.engine.weights.load import load_model
    from ppdet.inference.estimators.bottom_up import BottomUpEstimator

    found = []
    for options in ([], ["TestReader.fuse_normalize=true"]):
        assembly = Assembly(load_config(config, options))
        form = assembly.task.deployed_form(assembly, load_model(assembly))
        assert (form.card.operation("NormalizeImage") is None) == bool(options)
        image = np.asarray(assembly.dataset("Eval").load(0, np.random.default_rng(0)).image)
        found.append(BottomUpEstimator(form.runtime(), form.card).candidates(image)[0].cell_score)
    np.testing.assert_allclose(found[1], found[0], atol=1e-4)
