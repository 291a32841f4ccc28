"""A small run of a PicoDet on real photographs: some images of the shared data, and a config that learns them by heart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ppdet.geometry.boxes import iou_matrix
from support.shared_data import shared

ROOT = Path(__file__).resolve().parents[2]
LARGE, MOST, OVERLAP = 0.25, 3, 0.5
HEADS = {
    "lcnet": "application/pedestrian_detection/picodet_s_192_lcnet_pedestrian.yml",
    "esnet": "legacy_model/application/pedestrian_detection/picodet_s_192_pedestrian.yml",
}

CONFIG = """
_BASE_: {base}
epoch: {epochs}
snapshot_epoch: {every}
log_iter: 1
worker_num: 0
use_gpu: false
use_ema: false
pretrain_weights: null
save_dir: {folder}/out
TrainDataset: {{dataset_dir: {data}, image_dir: images, anno_path: {annotations}}}
EvalDataset: {{dataset_dir: {data}, image_dir: images, anno_path: {annotations}}}
TrainReader:
  sample_transforms:
    - Decode: {{}}
    - RandomFlip: {{prob: 0.5}}
  batch_transforms:
    - BatchRandomResize: {{target_size: [192], random_size: true, random_interp: false, interp: 2, keep_ratio: false}}
    - NormalizeImage: {{mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}}
    - Permute: {{}}
    - PadGT: {{}}
  batch_size: {batch}
LearningRate:
  base_lr: {lr}
  schedulers:
    - name: CosineDecay
      max_epochs: {epochs}
    - name: LinearWarmup
      start_factor: 0.1
      steps: 10
{extra}
"""


def write_detector_config(
    folder: Path, images: int, epochs: int, every: int, head: str = "lcnet", batch: int = 8, lr: float = 0.1, extra: str = ""
) -> Path:
    """A config below `folder` that trains and evaluates on the first `images` photographs with few and large persons."""
    data = shared("data", "coco_person")
    annotations = folder / "boxes.json"
    annotations.write_text(json.dumps(few_large(data / "annotations" / "person_keypoints_train.json", images)))
    path = folder / f"{head}.yml"
    path.write_text(
        CONFIG.format(
            base=ROOT / "configs" / "picodet" / HEADS[head], folder=folder, data=data, annotations=annotations,
            epochs=epochs, every=every, batch=batch, lr=lr, extra=extra,
        )
    )  # fmt: skip
    return path


def few_large(path: Path, count: int) -> dict[str, list[dict]]:
    """The first images of a COCO-style file with at most `MOST` persons, all large, none suppressed by another in NMS."""
    content = json.loads(path.read_text())
    boxes: dict[int, list[dict]] = {}
    for entry in content["annotations"]:
        boxes.setdefault(entry["image_id"], []).append(entry)

    def suits(image: dict) -> bool:
        sides = [(e["bbox"][2] / image["width"], e["bbox"][3] / image["height"]) for e in boxes.get(image["id"], [])]
        if not 0 < len(sides) <= MOST or not all(min(side) > LARGE / 2 and max(side) > LARGE for side in sides):
            return False
        xywh = np.array([e["bbox"] for e in boxes[image["id"]]], float)
        corners = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        return bool((iou_matrix(corners, corners) < OVERLAP)[~np.eye(len(corners), dtype=bool)].all())

    images = [image for image in sorted(content["images"], key=lambda i: i["id"]) if suits(image)][:count]
    assert len(images) == count
    kept = [entry for image in images for entry in boxes[image["id"]]]
    return {"images": images, "annotations": kept, "categories": content["categories"]}
