"""A drawn MPII-style data set with its ground truth, and a config over it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

CONFIG = """
use_gpu: false
metric: KeyPointTopDownMPIIEval
skeleton: mpii16
num_joints: 16
architecture: TopDownHRNet
TopDownHRNet: {{backbone: TwoConvs}}
codec: {{name: HeatmapCodec, input_wh: [64, 64], heatmap_wh: [16, 16], sigma: 1.0, crop: udp}}
EvalDataset: {{name: KeypointTopDownMPIIDataset, dataset_dir: {folder}, image_dir: images, anno_path: annotations/mpii_val.json}}
worker_num: 0
EvalReader:
  sample_transforms: [{{TopDownAffine: {{}}}}]
  batch_transforms:
    - NormalizeImage: {{mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}}
    - Permute: {{}}
  batch_size: 2
"""


def write_mpii(folder: Path, key: str, persons: int = 5, alike: bool = False) -> Path:
    """Images, annotations/mpii_val.json and gt_valid.mat; returns a config over them.

    Args:
        folder: to be made.
        key: "joints" or "gt_joints".
        alike: all persons stand alike, each a few pixels further to the right.
    """
    from scipy.io import savemat

    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    rng = np.random.default_rng(0)
    entries: list[dict[str, Any]] = []
    truth = np.zeros((persons, 16, 2))
    visible = np.ones((persons, 16), int)
    visible[0, 3] = 0
    for row in range(persons):
        cv2.imwrite(str(folder / "images" / f"{row:09d}.png"), np.full((200, 220, 3), 60 + 20 * row, np.uint8))
        truth[row] = rng.uniform(60, 140, (16, 2)) + 1  # MPII counts from 1
        left = 101.0 + (4 * row if alike else 0)
        if alike:
            truth[row] = truth[0] + [4 * row, 0]
        joints = np.where(visible[row][:, None], truth[row], -1)
        entries.append({"image": f"{row:09d}.png", "center": [left, 89.0], "scale": 0.8, key: joints.tolist(),
                        "joints_vis": visible[row].tolist()})  # fmt: skip
    (folder / "annotations" / "mpii_val.json").write_text(json.dumps(entries))
    head = np.zeros((2, 2, persons))
    head[1] = 40  # diagonal of 40 x 40
    columns = {"pos_gt_src": truth.transpose(1, 2, 0), "jnt_missing": (1 - visible).T.astype(np.uint8), "headboxes_src": head}
    savemat(folder / "annotations" / "gt_valid.mat", columns)
    path = folder / "mpii_64.yml"
    path.write_text(CONFIG.format(folder=folder))
    return path
