"""The card: what we write is read back, and what PaddleDetection wrote is understood."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from support.planted_models import pose_card

from ppdet.core.errors import ModelDirError
from ppdet.inference.model_card import ModelCard

# As PaddleDetection 2.x writes it for PP-TinyPose.
TINYPOSE = """
mode: paddle
draw_threshold: 0.5
metric: KeyPointTopDownCOCOEval
use_dynamic_shape: false
arch: HRNet
min_subgraph_size: 3
Preprocess:
- trainsize: [96, 128]
  type: TopDownEvalAffine
- is_scale: true
  mean: [0.485, 0.456, 0.406]
  std: [0.229, 0.224, 0.225]
  type: NormalizeImage
- type: Permute
label_list:
- keypoint
"""
PICODET = """
mode: paddle
draw_threshold: 0.5
metric: COCO
use_dynamic_shape: false
arch: PicoDet
min_subgraph_size: 3
Preprocess:
- interp: 2
  keep_ratio: false
  target_size: [192, 192]
  type: Resize
- {is_scale: true, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], type: NormalizeImage}
- {type: Permute}
label_list: [person]
NMS: {keep_top_k: 100, name: MultiClassNMS, nms_threshold: 0.5, nms_top_k: 1000, score_threshold: 0.3}
fpn_stride: [8, 16, 32, 64]
Hpi: {backend_configs: {}}
"""


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    card = pose_card(versions={"paddle": "3.1.1"}, precision="fp32")
    card.write(tmp_path)
    again = ModelCard.load(tmp_path)
    assert again.to_dict() == card.to_dict()
    assert again.codec.to_dict() == card.codec.to_dict()
    assert again.skeleton == card.skeleton
    assert (again.input_wh, again.heatmap_wh) == ((48, 64), (12, 16))
    assert again.kind == "top_down"


def test_paddledetections_keys_come_first_and_in_its_order(tmp_path: Path) -> None:
    content = yaml.safe_load(pose_card().write(tmp_path).read_text())
    assert list(content)[:8] == ["mode", "draw_threshold", "metric", "use_dynamic_shape", "arch", "min_subgraph_size",
                                 "Preprocess", "label_list"]
    assert list(content)[8:] == ["codec", "skeleton", "input_wh", "heatmap_wh", "precision"]
    assert list(content["Preprocess"][1]) == ["is_scale", "mean", "std", "type"]


@pytest.mark.parametrize("text", [TINYPOSE, PICODET])
def test_paddledetections_cards_are_read_and_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / "infer_cfg.yml").write_text(text)
    card = ModelCard.load(tmp_path)
    content = card.to_dict()
    content.pop("precision")
    assert content == yaml.safe_load(text)
    assert list(content) == list(yaml.safe_load(text))
    assert card.codec is None and card.skeleton is None
    assert card.kind == ("detection" if card.arch == "PicoDet" else "top_down")


def test_fastdeploys_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "inference.yml").write_text(TINYPOSE)
    assert ModelCard.load(tmp_path).arch == "HRNet"


def test_numpy_values_are_written_plainly(tmp_path: Path) -> None:
    card = pose_card(extra={"note": {"mean": np.float32(0.5), "sizes": np.array([1, 2]), "pair": (3, 4)}})
    card.write(tmp_path)
    assert ModelCard.load(tmp_path).extra["note"] == {"mean": 0.5, "sizes": [1, 2], "pair": [3, 4]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no mapping"),
        ("arch: HRNet\n", "lacks Preprocess"),
        ("arch: [\n", "does not read as YAML"),
        (TINYPOSE.replace("arch: HRNet", "arch: Pose3D"), "arch 'Pose3D' cannot be run here: known are HRNet"),
        (TINYPOSE + "evil: !!python/object/apply:os.system ['true']\n", "does not read as YAML"),
        (TINYPOSE + "codec: {name: HeatmapCodec, input_wh: [96, 128], sharpness: 3}\n", "sharpness"),
        (TINYPOSE.replace("- type: Permute", "- Permute"), "expected a mapping"),
    ],
)
def test_a_bad_card_is_named_with_its_fault(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "infer_cfg.yml").write_text(text)
    with pytest.raises(ModelDirError) as caught:
        ModelCard.load(tmp_path)
    assert words in str(caught.value)
    assert "infer_cfg.yml" in str(caught.value)


def test_a_folder_without_card_points_to_the_models_below_it(tmp_path: Path) -> None:
    with pytest.raises(ModelDirError, match="there is no directory"):
        ModelCard.load(tmp_path / "nowhere")
    pose_card().write(tmp_path / "tinypose")
    with pytest.raises(ModelDirError, match="exported models in tinypose"):
        ModelCard.load(tmp_path)
    with pytest.raises(ModelDirError, match="is a file"):
        ModelCard.load(tmp_path / "tinypose" / "infer_cfg.yml")
