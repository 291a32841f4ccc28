"""Small annotated sets for `ppdet dataset init`: bright discs on grey, one colour per keypoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Sequence

import cv2
import numpy as np

WH = (96, 64)


def write_set(
    folder: Path, count: int = 6, num_keypoints: int = 4, names: Sequence[str] = (), classes: int = 1
) -> tuple[Path, Path]:
    """Annotation file and folder of images, with one object of each class per image."""
    rng = np.random.default_rng(num_keypoints)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    names = list(names) or [f"point {i}" for i in range(num_keypoints)]
    base = rng.uniform([20, 15], [WH[0] - 20, WH[1] - 15], (num_keypoints, 2))
    images, annotations = [], []
    for number in range(count):
        image = np.full((WH[1], WH[0], 3), 90, np.uint8)
        xy = base + rng.normal(0, 3, 2) + rng.normal(0, 1, base.shape)
        for index, point in enumerate(xy):
            color = (60 + 37 * index % 180, 60 + 91 * index % 180, 200)
            cv2.circle(image, (round(point[0]), round(point[1])), 3, color, -1, cv2.LINE_AA)
        name = f"shot_{number * 50:04d}.png"
        cv2.imwrite(str(folder / "images" / name), image)
        images.append({"id": number, "file_name": name, "width": WH[0], "height": WH[1]})
        flat = np.concatenate([xy, np.full((num_keypoints, 1), 2)], axis=1).reshape(-1).round(2).tolist()
        for label in range(1, classes + 1):
            kept = flat if label == 1 else flat[: 3 * max(1, num_keypoints - 1)]
            annotations.append(
                {"id": len(annotations), "image_id": number, "category_id": label, "iscrowd": 0, "keypoints": kept}
            )
    categories: list[dict[str, Any]] = [
        {"id": label, "name": f"tool {label}", "keypoints": names[: num_keypoints if label == 1 else max(1, num_keypoints - 1)]}
        for label in range(1, classes + 1)
    ]
    path = folder / "annotations.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}), encoding="utf-8")
    return path, folder / "images"
