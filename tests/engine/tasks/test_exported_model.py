"""An exported folder evaluates to what its weights do, and the line beside the AP says what computed it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.shared_data import shared

from ppdet.core.config.load import load_config
from ppdet.core.errors import ModelDirError
from ppdet.engine.tasks.exported_model import ExportedModel

CONFIG = "configs/keypoint/tiny_pose/tinypose_128x96.yml"


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelDirError, match="nowhere"):
        ExportedModel(tmp_path / "nowhere")


@pytest.mark.slow
def test_engines_score_as_the_framework_does(tmp_path: Path) -> None:
    from ppdet.engine.assembly import Assembly
    from ppdet.engine.evaluation.evaluator import Evaluator
    from ppdet.engine.export.exporter import export

    data = shared("data", "coco_person")
    overrides = [
        f"weights={shared('data', 'weights', 'tinypose_128x96.pdparams')}",
        f"EvalDataset.dataset_dir={data}",
        "EvalDataset.image_dir=images",
        "EvalDataset.anno_path=annotations/person_keypoints_val.json",
        "TopDownHRNet.flip=false",
    ]
    config = load_config(CONFIG, overrides)
    folder = export(config, tmp_path, onnx=True)
    for engine in ("onnxruntime", "openvino"):
        evaluator = Evaluator(Assembly(config), ExportedModel(folder, engine))
        assert evaluator.run()["AP"] == pytest.approx(0.528, abs=0.002)
        assert "fp32" in evaluator.setting
