"""Small synthetic data sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import cv2
import numpy as np
import pytest


def coco_content(num_images: int = 4, persons_per_image: int = 2, num_joints: int = 17) -> Dict[str, Any]:
    """Images 64x48 with persons whose keypoints lie inside their boxes."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for i in range(num_images):
        images.append({"id": i + 1, "file_name": f"{i + 1:03d}.png", "width": 64, "height": 48})
        for p in range(persons_per_image):
            x, y, w, h = 4 + 20 * p, 5, 18, 36
            xy = rng.uniform([x, y], [x + w - 1, y + h - 1], (num_joints, 2))
            keypoints: List[float] = np.concatenate([xy, np.full((num_joints, 1), 2)], 1).reshape(-1).tolist()
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i + 1,
                    "category_id": 1,
                    "iscrowd": 0,
                    "bbox": [x, y, w, h],
                    "area": w * h * 0.5,
                    "keypoints": keypoints,
                }
            )
    category = {"id": 1, "name": "person", "keypoints": [f"k{i}" for i in range(num_joints)], "skeleton": []}
    return {"images": images, "annotations": annotations, "categories": [category]}


@pytest.fixture
def write_coco(tmp_path: Path) -> Callable[..., Path]:
    """write_coco(content) puts the JSON and random images into a folder and returns it."""

    def write(content: Dict[str, Any]) -> Path:
        (tmp_path / "images").mkdir(exist_ok=True)
        rng = np.random.default_rng(1)
        for image in content["images"]:
            if isinstance(image, dict) and "file_name" in image:
                pixels = rng.integers(0, 256, (image.get("height", 48), image.get("width", 64), 3), np.uint8)
                cv2.imwrite(str(tmp_path / "images" / image["file_name"]), pixels)
        (tmp_path / "persons.json").write_text(json.dumps(content), encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def coco() -> Callable[..., Dict[str, Any]]:
    """The function `coco_content`."""
    return coco_content
