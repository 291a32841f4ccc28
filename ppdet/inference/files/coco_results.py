"""Image ids and boxes as entries of a COCO results file, which the keypoint datasets read as their `bbox_file`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ppdet.inference.estimators.detections import Detections


def box_records(found: Detections, image_id: int, file_name: str) -> list[dict[str, Any]]:
    """One entry per box: `image_id`, `file_name`, `category_id` (from 1), `bbox` (x, y, width, height), `score`.

    Args:
        found: boxes of one image.
        image_id: its number; see `image_ids`. Of a video: the number of the frame, from 1 on.
        file_name: name of the image or video.
    """
    rows = []
    for (x1, y1, x2, y2), score, label in zip(found.boxes_xyxy.tolist(), found.scores.tolist(), found.labels.tolist()):
        rows.append({"image_id": image_id, "file_name": file_name, "category_id": label + 1,
                     "bbox": [round(x1, 3), round(y1, 3), round(x2 - x1, 3), round(y2 - y1, 3)], "score": round(score, 5)})
    return rows


def image_ids(paths: Sequence[Path]) -> list[int]:
    """A unique number per image, which depends only on the set of images.

    If all names are different numbers (000000000139.jpg), those are COCO's ids. Otherwise all images are numbered from 1 on;
    mixing both could give two images the same id.
    """
    if all(path.stem.isascii() and path.stem.isdigit() for path in paths):
        numbers = [int(path.stem) for path in paths]
        if len(set(numbers)) == len(numbers):
            return numbers
    return list(range(1, len(paths) + 1))
