"""A bottom-up training configuration on a few real images with several people each."""

from __future__ import annotations

import json
from pathlib import Path

from ppdet.image.io import read_image, write_image
from support.shared_data import shared

ROOT = Path(__file__).resolve().parents[2]
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
  base_lr: 0.0015
  schedulers:
    - !CosineDecay {{max_epochs: {epochs}}}
    - !LinearWarmup {{start_factor: 0.1, steps: 5}}
{extra}
"""


def group_images(folder: Path, count: int, smallest: float = 0.6) -> Path:
    """The first `count` images with two to six people, all labelled, large and within the middle square, cut to that square.

    Without augmentation training shows the middle square and evaluation the whole image: of these the same.

    Returns:
        the annotation file; the images are in `folder/images`.
    """
    full = json.loads(shared("data", "coco_person", "annotations", "person_keypoints_train.json").read_text())
    people: dict = {}
    for item in full["annotations"]:
        people.setdefault(item["image_id"], []).append(item)
    images = [image for image in full["images"] if _fits(image, people.get(image["id"], []), smallest)][:count]
    assert len(images) == count, "fewer fitting images than asked for"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    squares = [_cut(image, folder / "images") for image in images]
    kept = [_moved(item, *_square(image)[:2]) for image in images for item in people[image["id"]]]
    path = folder / f"crowds{count}.json"
    path.write_text(json.dumps({**full, "images": squares, "annotations": kept}))
    return path


def _square(image: dict) -> tuple[int, int, int]:
    """Left, top and side of the middle square."""
    side = min(image["width"], image["height"]) // 2 * 2
    return (image["width"] - side) // 2, (image["height"] - side) // 2, side


def _cut(image: dict, folder: Path) -> dict:
    left, top, side = _square(image)
    name = f"{image['id']}.png"
    pixels = read_image(shared("data", "coco_person", "images", image["file_name"]))
    write_image(folder / name, pixels[top : top + side, left : left + side])
    return {**image, "file_name": name, "width": side, "height": side}


def _moved(item: dict, left: int, top: int) -> dict:
    points = [v - (left, top, 0)[i % 3] if item["keypoints"][i // 3 * 3 + 2] else 0 for i, v in enumerate(item["keypoints"])]
    x, y, width, height = item["bbox"]
    kept = {key: value for key, value in item.items() if key != "segmentation"}
    return {**kept, "keypoints": points, "bbox": [x - left, y - top, width, height]}


def _fits(image: dict, people: list, smallest: float) -> bool:
    left, top, side = _square(image)
    for person in people:
        points = person.get("keypoints") or [0, 0, 0]
        seen = [(x - left, y - top) for x, y, v in zip(points[::3], points[1::3], points[2::3]) if v]
        inside = all(0 <= x < side and 0 <= y < side for x, y in seen)
        if person["iscrowd"] or len(seen) < 17 - MOST_KEYPOINTS_MISSING or not inside or person["bbox"][3] < smallest * side:
            return False
    return 2 <= len(people) <= 6


def write_bottom_up_config(folder: Path, images: int, name: str = "crowd", **values) -> Path:
    """A small HigherHRNet on `images` images, without augmentation."""
    annotations = group_images(folder, images)
    settings = {"recipe": RECIPE, "data": folder, "annotations": annotations.name, "out": folder / "out"}
    defaults = {"epochs": 1, "every": 1, "batch": 4, "side": 256, "flip": "false", "swahr": "false", "extra": ""}
    path = folder / f"{name}.yml"
    path.write_text(CONFIG.format(**settings, **{**defaults, **values}))
    return path
