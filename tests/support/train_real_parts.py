"""A training configuration on a few real persons."""

from __future__ import annotations

import json
from pathlib import Path

from support.shared_data import shared

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "configs" / "keypoint" / "tiny_pose" / "tinypose_128x96.yml"

CONFIG = """
_BASE_: [{recipe}]
epoch: {epochs}
snapshot_epoch: {every}
log_iter: {every}
worker_num: 0
use_gpu: false
save_dir: {out}
metric: KeyPointTopDownCOCOEval
TrainDataset: {{dataset_dir: {data}, image_dir: images, anno_path: {annotations}}}
EvalDataset: {{dataset_dir: {data}, image_dir: images, anno_path: {annotations}}}
TrainReader:
  batch_size: {batch}
  sample_transforms:
    - TopDownAffine: {{}}
    - EncodeHeatmap: {{}}
EvalReader: {{batch_size: {batch}}}
LearningRate:
  base_lr: 0.002
  schedulers:
    - !CosineDecay {{max_epochs: {epochs}}}
    - !LinearWarmup {{start_factor: 0.1, steps: 5}}
{extra}
"""


def some_persons(path: Path, count: int) -> Path:
    """Annotations of the first `count` persons with at least 12 labelled keypoints, one an image."""
    full = json.loads(shared("data", "coco_person", "annotations", "person_keypoints_val.json").read_text())
    chosen = {}
    for item in full["annotations"]:
        if item.get("num_keypoints", 0) >= 12 and not item["iscrowd"] and len(chosen) < count:
            chosen.setdefault(item["image_id"], item)
    images = [image for image in full["images"] if image["id"] in chosen]
    path.write_text(json.dumps({**full, "images": images, "annotations": list(chosen.values())}))
    return path


def write_config(folder: Path, persons: int, name: str = "small", **values) -> Path:
    annotations = some_persons(folder / f"persons{persons}.json", persons)
    settings = {"recipe": RECIPE, "data": shared("data", "coco_person"), "annotations": annotations}
    path = folder / f"{name}.yml"
    path.write_text(
        CONFIG.format(**settings, **{"out": folder / "out", "epochs": 1, "every": 1, "batch": 4, "extra": "", **values})
    )
    return path
