"""The released detector finds the labelled people of real images."""

from __future__ import annotations

import json

import cv2
import numpy as np
import paddle
import pytest
from support.shared_data import shared
from support.small_models import picodet_lcnet

from ppdet.engine.weights.checkpoint import load_pretrained
from ppdet.modeling import PicoDetExport

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    left_top, right_bottom = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    common = np.prod(np.clip(right_bottom - left_top, 0, None))
    return float(common / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - common))


@pytest.mark.parametrize(("side", "share"), [(192, 0.6), (320, 0.8)])
def test_large_people_are_found(side: int, share: float) -> None:
    model = picodet_lcnet()
    load_pretrained(model, shared("data", "weights", f"picodet_s_{side}_lcnet_pedestrian.pdparams"), strict=True)
    layer = PicoDetExport(model, mean=MEAN, std=STD, fuse_normalize=True)
    folder = shared("data", "coco_person")
    labels = json.loads((folder / "annotations" / "person_keypoints_val.json").read_text())
    wanted, found = 0, 0
    for image in labels["images"][:8]:
        path = next(folder.rglob(image["file_name"]))
        pixels = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)[:, :, ::-1]
        height, width = pixels.shape[:2]
        resized = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        factor = np.array([[side / height, side / width]], np.float32)
        with paddle.no_grad():
            rows, count = layer(paddle.to_tensor(resized.transpose(2, 0, 1)[None]), paddle.to_tensor(factor))
        rows = rows.numpy()
        assert int(count[0]) == len(rows) and (rows[:, 0] == 0).all() and (np.diff(rows[:, 1]) <= 0).all()
        boxes = rows[rows[:, 1] >= 0.4, 2:]
        for label in labels["annotations"]:
            x, y, w, h = label["bbox"]
            if label["image_id"] == image["id"] and not label["iscrowd"] and w * h > 64**2:
                wanted += 1
                found += any(_iou(np.array([x, y, x + w, y + h]), box) >= 0.5 for box in boxes)
    assert wanted >= 8 and found >= share * wanted, f"{found} of {wanted} people were found"
