"""A drawn data set of three keypoints and a network of two convolutions, for tests of evaluation, prediction and export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from paddle import nn

from ppdet.core.config.registry import register, registry
from ppdet.modeling.shape_spec import ShapeSpec

NAMES = ("head", "left_foot", "right_foot")

if "TwoConvs" not in registry:

    @register
    class TwoConvs(nn.Layer):
        """(B, 3, H, W) -> [(B, 8, H / 4, W / 4)]."""

        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2D(3, 8, 3, stride=2, padding=1)
            self.second = nn.Conv2D(8, 8, 3, stride=2, padding=1)
            self.out_shape = [ShapeSpec(8, 4)]

        def forward(self, images: Any) -> list[Any]:
            return [self.second(nn.functional.relu(self.first(images)))]


CONFIG = """
use_gpu: false
metric: KeyPointTopDownCOCOEval
num_classes: 1
skeleton:
  name: stick
  keypoints:
    - {{name: head, sigma: 0.05}}
    - {{name: left_foot, mirror: right_foot, sigma: 0.05}}
    - {{name: right_foot, mirror: left_foot, sigma: 0.05}}
num_joints: 3
architecture: {architecture}
{architecture}:
  backbone: TwoConvs
codec:
  name: HeatmapCodec
  input_wh: [48, 64]
  heatmap_wh: [12, 16]
  sigma: 1.0
EvalDataset:
  name: KeypointTopDownCocoDataset
  dataset_dir: {folder}
  image_dir: images
  anno_path: truth.json
worker_num: 0
EvalReader:
  sample_transforms:
    - TopDownAffine: {{}}
  batch_transforms:
    - NormalizeImage: {{mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}}
    - Permute: {{}}
  batch_size: 4
"""


def write_people(folder: Path, images: int = 3) -> Path:
    """`images/*.png` with two drawn figures each, and `truth.json`; returns the folder."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    listed, annotations = [], []
    for number in range(1, images + 1):
        image = np.full((120, 160, 3), 90, np.uint8)
        for left in (20, 90):
            head = np.array([left + 20, 30]) + rng.uniform(-4, 4, 2)
            feet = np.array([[left + 32, 95], [left + 8, 92]]) + rng.uniform(-4, 4, (2, 2))
            for foot in feet:
                cv2.line(image, tuple(head.astype(int).tolist()), tuple(foot.astype(int).tolist()), (220, 200, 60), 3)
            keypoints = np.column_stack([np.vstack([head, feet]), [2, 2, 1]])
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "category_id": 1, "bbox": [left, 20, 42, 86], "area": 1800.0,
                 "iscrowd": 0, "num_keypoints": 3, "keypoints": keypoints.reshape(-1).tolist()}
            )  # fmt: skip
        cv2.imwrite(str(folder / "images" / f"{number}.png"), image)
        listed.append({"id": number, "file_name": f"{number}.png", "width": 160, "height": 120})
    categories = [{"id": 1, "name": "stick", "keypoints": list(NAMES), "skeleton": []}]
    (folder / "truth.json").write_text(json.dumps({"images": listed, "annotations": annotations, "categories": categories}))
    return folder


def write_config(folder: Path, data: Path | str, extra: str = "", architecture: str = "TopDownHRNet") -> Path:
    """The config over that data; `extra` is appended."""
    path = folder / "stick_64x48.yml"
    path.write_text(CONFIG.format(folder=data, architecture=architecture) + extra)
    return path
