"""Read a COCO annotation file for evaluation, completing what the evaluation needs and the file lacks.

pycocotools assumes `area`, `bbox`, `iscrowd` and `num_keypoints` in every annotation. Files made by labelling tools
often miss some of them, or carry a placeholder (area 1), and then score 0 or stop with a KeyError. Here they are filled
in and every kind of repair is counted, so that the caller can say what was done.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ppdet.core.errors import DataError

# Median of area / (w * h) over the 329 labelled persons of 250 official val2017 images is .523. MMPose takes .53, and
# with it CrowdPose, which has no areas, scores as in xtcocotools.
AREA_PER_BOX = 0.53
# Below this share of its box an area is a placeholder: in COCO a labelled person covers at least a tenth of the box.
SMALLEST_BELIEVABLE_AREA = 0.02


class CocoGroundTruth:
    """A COCO annotation file, completed and indexed for pycocotools.

    Args:
        anno_file: path of the JSON file.
        num_keypoints: keypoints each labelled object must have; None for box evaluation.

    Attributes:
        coco: the indexed `pycocotools.coco.COCO` object.
        image_ids: ids (numbers or strings) of the images in file order.
        notes: sentences about what was filled in, empty when the file was complete.

    Raises:
        DataError: file missing or not COCO, or an object has another number of keypoints.
    """

    def __init__(self, anno_file: str | Path, num_keypoints: int | None = None) -> None:
        self.path = Path(anno_file)
        self.num_keypoints = num_keypoints
        self.notes: list[str] = []
        data = _read_coco_json(self.path)
        self._complete(data["annotations"])
        self.coco = _index(data)
        self.image_ids = list(self.coco.imgs)
        self._rows = {image_id: row for row, image_id in enumerate(self.image_ids)}

    @property
    def category_ids(self) -> list[int]:
        """Category ids that occur in the annotations, in rising order."""
        return sorted({int(a["category_id"]) for a in self.coco.dataset["annotations"]})

    @property
    def category_names(self) -> dict[int, str]:
        """Category id to name, for all categories the file declares."""
        return {int(c["id"]): str(c.get("name", c["id"])) for c in self.coco.dataset.get("categories", [])}

    def image_rows(self, image_ids: Any) -> np.ndarray:
        """(B,) int64 positions in `image_ids` of (B,) ids; ids may be strings, positions can be sent around as numbers.

        Raises:
            DataError: an id that the file does not have.
        """
        asked = np.asarray(image_ids).reshape(-1).tolist()
        unknown = [i for i in asked if i not in self._rows]
        if unknown:
            raise DataError(
                f"predictions for image ids {unknown[:5]} that {self.path} does not have. Evaluate on the "
                "data set that the annotation file describes."
            )
        return np.array([self._rows[i] for i in asked], np.int64)

    def _complete(self, annotations: list[dict[str, Any]]) -> None:
        repairs: Counter[str] = Counter()
        for annotation in annotations:
            self._complete_keypoints(annotation)
            if "iscrowd" not in annotation:
                annotation["iscrowd"] = 0
            if "bbox" not in annotation:
                annotation["bbox"] = _box_of_keypoints(annotation, self.path)
                repairs["without box: taken from the extent of its keypoints"] += 1
            _, _, width, height = annotation["bbox"]
            if annotation.get("area") is None:
                annotation["area"] = AREA_PER_BOX * width * height
                repairs[f"without area: {AREA_PER_BOX} x box area assumed"] += 1
            elif not annotation["iscrowd"] and annotation["area"] < SMALLEST_BELIEVABLE_AREA * width * height:
                repairs[
                    f"with an area under {SMALLEST_BELIEVABLE_AREA:.0%} of its box, kept as it is: OKS will be near 0; "
                    "remove the area to have it estimated"
                ] += 1
        self.notes = [f"{self.path.name}: {count} object(s) {what}" for what, count in repairs.items()]

    def _complete_keypoints(self, annotation: dict[str, Any]) -> None:
        if self.num_keypoints is None:
            return
        keypoints = annotation.setdefault("keypoints", [0] * (3 * self.num_keypoints))
        if len(keypoints) != 3 * self.num_keypoints:
            raise DataError(
                f"{self.path}: annotation {annotation.get('id')} has {len(keypoints)} keypoint values, expected "
                f"3 x {self.num_keypoints}. Set `skeleton`/`num_joints` to what the file holds, or give another file."
            )
        annotation["num_keypoints"] = sum(1 for visible in keypoints[2::3] if visible > 0)


def _read_coco_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(f"annotation file not found: {path}. Set `EvalDataset.dataset_dir` and `EvalDataset.anno_path`.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is not valid JSON ({error}).") from error
    if not isinstance(data, dict) or not {"images", "annotations", "categories"} <= data.keys():
        raise DataError(f"{path} is not a COCO annotation file: expected an object with images, annotations, categories.")
    return data


def _box_of_keypoints(annotation: dict[str, Any], path: Path) -> list[float]:
    keypoints = annotation.get("keypoints") or []
    xs = [x for x, v in zip(keypoints[0::3], keypoints[2::3]) if v > 0]
    ys = [y for y, v in zip(keypoints[1::3], keypoints[2::3]) if v > 0]
    if not xs:
        raise DataError(f"{path}: annotation {annotation.get('id')} has neither bbox nor visible keypoints.")
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def _index(data: dict[str, Any]) -> Any:
    from pycocotools.coco import COCO

    coco = COCO()
    coco.dataset = data
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco
