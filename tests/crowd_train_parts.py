"""A bottom-up training configuration on a few real images with several people each."""

from __future__ import annotations

import json
from pathlib import Path

from shared_data import shared

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "configs" / "keypoint" / "higherhrnet" / "higherhrnet_hrnet_w32_512.yml"
MOST_KEYPOINTS_MISSING = 9

CONFIG = """
_BASE_: [{recipe}]
epoch: {epochs}
snapshot_epoch: {every}
log_iter: {every}
worker_num: 0
use_gpu: false
save_dir: {out}
pretrain_weights: null
codec: {{input_wh: [{side}, {side}]}}
HigherHRNet: {{eval_flip: {flip}}}
HRNet: {{small: v1}}
HrHRNetHead: {{width: 16, swahr: {swahr}}}
HrHRNetLoss: {{swahr: {swahr}}}
TrainDataset: {{dataset_dir: {data}, image_dir: images, anno_path: {annotations}}}
EvalDataset: {{dataset_dir: {data}, image_dir: images, anno_path: {annotations}}}
TrainReader:
  batch_size: {batch}
  sample_transforms:
    - RandomAffine: {{max_degree: 0, scale: [1, 1], max_shift: 0}}
    - ToHeatmaps: {{}}
    - TagGenerate: {{}}
LearningRate:
  base_lr: 0.002
  schedulers:
    - !CosineDecay {{max_epochs: {epochs}}}
    - !LinearWarmup {{start_factor: 0.1, steps: 5}}
{extra}
"""


def crowd_images(path: Path, count: int, smallest: float = 0.45) -> Path:
    """Annotations of the first `count` images with two to six people, all labelled, large and within the middle square.

    The middle square is what training without augmentation shows.
    """
    full = json.loads(shared("data", "coco_person", "annotations", "person_keypoints_train.json").read_text())
    people: dict = {}
    for item in full["annotations"]:
        people.setdefault(item["image_id"], []).append(item)
    images = [image for image in full["images"] if _fits(image, people.get(image["id"], []), smallest)][:count]
    assert len(images) == count, "fewer fitting images than asked for"
    chosen = {image["id"] for image in images}
    kept = [item for item in full["annotations"] if item["image_id"] in chosen]
    path.write_text(json.dumps({**full, "images": images, "annotations": kept}))
    return path


def _fits(image: dict, people: list, smallest: float) -> bool:
    side = min(image["width"], image["height"])
    left, top = (image["width"] - side) / 2, (image["height"] - side) / 2
    for person in people:
        points = person.get("keypoints") or [0, 0, 0]
        seen = [(x - left, y - top) for x, y, v in zip(points[::3], points[1::3], points[2::3]) if v]
        inside = all(0 <= x < side and 0 <= y < side for x, y in seen)
        if person["iscrowd"] or len(seen) < 17 - MOST_KEYPOINTS_MISSING or not inside or person["bbox"][3] < smallest * side:
            return False
    return 2 <= len(people) <= 6


def write_crowd_config(folder: Path, images: int, name: str = "crowd", **values) -> Path:
    """A small HigherHRNet on `images` images, without augmentation."""
    annotations = crowd_images(folder / f"crowds{images}.json", images)
    settings = {"recipe": RECIPE, "data": shared("data", "coco_person"), "annotations": annotations, "out": folder / "out"}
    defaults = {"epochs": 1, "every": 1, "batch": 4, "side": 256, "flip": "false", "swahr": "false", "extra": ""}
    path = folder / f"{name}.yml"
    path.write_text(CONFIG.format(**settings, **{**defaults, **values}))
    return path
