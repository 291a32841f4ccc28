"""SimCC models train, evaluate, predict and export through the same task as heatmap models."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import paddle
import pytest
from support.pose_parts import write_config, write_people

from ppdet.codecs import SimCCCodec
from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError, DataError, ModelDirError
from ppdet.data.samples.person import PersonSample
from ppdet.data.transforms.topdown.encode_heatmap import EncodeHeatmap
from ppdet.data.transforms.topdown.encode_simcc import EncodeSimCC
from ppdet.engine.assembly import Assembly
from ppdet.engine.evaluation.evaluator import Evaluator
from ppdet.engine.export.exporter import export
from ppdet.engine.tasks.exported_model import ExportedModel
from ppdet.engine.training.run import train
from ppdet.engine.weights.checkpoint import save_pdparams
from ppdet.inference.model_card import ModelCard
from ppdet.inference.pipeline import PosePipeline

NORMALIZE = "NormalizeImage: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}"
PARTS = """
TopDownSimCC: {{backbone: TwoConvs, head: SimCCHead, loss: KLDiscretLoss, flip: true}}
SimCCHead: {{hidden_dims: 32, s: 16, final_layer_kernel_size: 3}}
codec: {{name: SimCCCodec, input_wh: [48, 64]}}
epoch: 2
log_iter: 1
save_dir: {folder}/out
TrainDataset: {{name: KeypointTopDownCocoDataset, dataset_dir: {folder}/people, image_dir: images, anno_path: truth.json}}
TrainReader:
  sample_transforms: [TopDownAffine: {{}}, EncodeSimCC: {{}}]
  batch_transforms: [{normalize}, Permute: {{}}]
  batch_size: 3
TestReader:
  sample_transforms: [Decode: {{}}, TopDownEvalAffine: {{}}, {normalize}, Permute: {{}}]
LearningRate: {{base_lr: 0.001}}
OptimizerBuilder: {{regularizer: null, optimizer: {{type: AdamW, weight_decay: 0.0}}}}
"""


def _config(folder: Path, *options: str) -> Any:
    path = write_config(folder, write_people(folder / "people"))
    text = path.read_text().replace("TopDownHRNet:\n  backbone: TwoConvs\n", "").replace("TopDownHRNet", "TopDownSimCC")
    start, end = text.index("codec:"), text.index("EvalDataset:")
    path.write_text(text[:start] + text[end:] + PARTS.format(folder=folder, normalize=NORMALIZE))
    return load_config(path, list(options))


@pytest.fixture()
def weighted(tmp_path: Path) -> Any:
    """The config with weights that give peaks of their own."""
    config = _config(tmp_path)
    model = Assembly(config).model()
    rng = np.random.default_rng(2)
    for parameter in model.parameters():
        parameter.set_value(rng.normal(0, 0.4, parameter.shape).astype(np.float32))
    config["weights"] = str(save_pdparams(model.state_dict(), tmp_path / "w.pdparams"))
    return config


def test_training_and_evaluation(tmp_path: Path) -> None:
    config = _config(tmp_path)
    train(config)
    lines = [json.loads(line) for path in (tmp_path / "out").rglob("*.jsonl") for line in path.read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses and np.isfinite(losses).all()
    evaluator = Evaluator(Assembly(config), Assembly(config).model())
    assert "AP" in evaluator.run()
    assert "flip test on (shift 1.000" in evaluator.setting and "decoder subpixel" in evaluator.setting


@pytest.mark.skipif(importlib.util.find_spec("paddle2onnx") is None, reason="needs paddle2onnx")
def test_export_agrees_on_every_engine(weighted: Any, tmp_path: Path) -> None:
    folder = export(weighted, tmp_path / "exported", onnx=True)
    report = json.loads((folder / "export_report.json").read_text())
    ran = {row["engine"]: row for row in report["engines"] if row["status"] != "absent"}
    assert report["passed"] and ran.keys() >= {"paddle", "onnxruntime"}
    assert all(row["compared"] > 10 and row["max_px"] <= 0.05 for row in ran.values())

    card = ModelCard.load(folder)
    assert isinstance(card.codec, SimCCCodec) and card.kind == "top_down" and card.heatmap_wh is None
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [list(o.shape)[1:] for o in session.get_outputs()] == [[3, 96], [3, 128]]
    assert [o.name for o in session.get_outputs()] == ["simcc_x", "simcc_y"]

    image = cv2.imread(str(tmp_path / "people" / "images" / "1.png"))[..., ::-1]
    boxes = np.array([[20, 20, 62, 106], [90, 20, 132, 106.0]])
    found = {}
    for flip in (False, True):
        for engine in ("onnxruntime", "paddle"):
            pipeline = PosePipeline(None, folder, engine=engine, flip_test=flip, keypoint_batch_size=1)
            found[engine, flip] = pipeline.estimator.estimate(image, boxes)[0]
        np.testing.assert_allclose(found["onnxruntime", flip], found["paddle", flip], atol=0.05)
    assert np.abs(found["paddle", False] - found["paddle", True]).max() > 0.5

    scored = Evaluator(Assembly(weighted), ExportedModel(folder, "onnxruntime")).run()
    assert scored["AP"] == pytest.approx(_ap(weighted), abs=1e-6)

    content = card.to_dict()
    content["codec"]["split_ratio"] = 3.0
    wrong = r"promises simcc_x of \(144,\), simcc_y of \(192,\), the network gives \(96,\), \(128,\)"
    with pytest.raises(ModelDirError, match=wrong):
        ModelCard.from_dict(content).write(folder)
        PosePipeline(None, folder, engine="onnxruntime")


def _ap(config: Any) -> float:
    from ppdet.engine.weights.checkpoint import load_pretrained

    assembly = Assembly(config)
    model = assembly.model()
    load_pretrained(model, config["weights"], strict=True)
    return float(Evaluator(assembly, model).run()["AP"])


def test_keypoints_that_do_not_fit_are_named(tmp_path: Path) -> None:
    config = _config(tmp_path)
    model = Assembly(config).model()

    class FewerKeypoints(paddle.nn.Layer):
        flip = False

        def forward(self, images: Any) -> dict[str, Any]:
            return {name: value[:, :2] for name, value in model(images).items()}

    with pytest.raises(DataError, match="the model gives 2 keypoints"):
        Evaluator(Assembly(config), FewerKeypoints()).run()


def test_a_codec_of_another_network_is_named(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path, write_people(tmp_path / "people")))
    config["codec"] = {"name": "SimCCCodec", "input_wh": [48, 64]}
    assembly = Assembly(config)
    with pytest.raises(ConfigError, match="the network gives heatmap, and the codec decodes simcc_x, simcc_y"):
        Evaluator(assembly, assembly.model()).run()
    with pytest.raises(ConfigError, match="the network gives heatmap"):
        assembly.task.deployed_form(assembly, assembly.model()).runtime().run({"image": np.zeros((1, 3, 64, 48), np.float32)})


# ---------------------------------------------------------------- the transform


def test_single_samples_and_batches_get_the_same_targets() -> None:
    rng = np.random.default_rng(0)
    codec = SimCCCodec((48, 64))
    transform = EncodeSimCC(codec, joint_weights=[1.0, 2.0, 0.5], skeleton=_three())
    xy, visible = rng.uniform(0, 48, (4, 3, 2)), rng.integers(0, 2, (4, 3)).astype(float)
    batch = transform.apply_batch({"xy_input": xy, "visible": visible})
    assert batch["target"].shape == (4, 3, 96 + 128) and batch["target"].dtype == np.float32
    np.testing.assert_array_equal(batch["target_weight"], visible * [1, 2, 0.5])
    for row in range(4):
        sample = PersonSample("", 0, 0, np.zeros(2), np.ones(2), xy[row], visible[row], xy_input=xy[row])
        transform(sample, rng)
        np.testing.assert_array_equal(sample.target, batch["target"][row])
        np.testing.assert_array_equal(sample.target_weight, batch["target_weight"][row])
    (x, y), _ = codec.encode(xy, visible)
    np.testing.assert_array_equal(batch["target"], np.concatenate([x, y], axis=-1))


def _three() -> Any:
    from support.planted_models import SKELETON

    return SKELETON


def test_transforms_and_codecs_of_two_kinds_are_refused() -> None:
    from ppdet.codecs import HeatmapCodec

    with pytest.raises(ConfigError, match="EncodeSimCC needs.*HeatmapCodec"):
        EncodeSimCC(HeatmapCodec((48, 64)))
    with pytest.raises(ConfigError, match="there is no codec"):
        EncodeSimCC()
    with pytest.raises(ConfigError, match="makes heatmaps.*SimCCCodec.*EncodeSimCC"):
        EncodeHeatmap(codec=SimCCCodec((48, 64)))
