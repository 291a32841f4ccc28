"""Read a COCO annotation file for evaluation, completing what the evaluation needs and the file lacks.

pycocotools assumes `area`, `bbox`, `iscrowd` and `num_keypoints` in every annotation. Files made by labelling tools
often miss some of them, or carry a placeholder (area 1), and then score 0 or stop with a KeyError. It also takes `id` for
granted, from 1 on and no two alike: of annotations that share one it compares one, several times. Here all that is put
right, objects that no dataset would train on are ignored, and every kind of repair is counted, so that it can be told.
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
from ppdet.geometry.annotated_object import AREA_PER_BOX, box_around_keypoints, is_labelled, unusable

# Below this share of its box an area is a placeholder: in COCO a labelled person covers at least a tenth of the box.
SMALLEST_BELIEVABLE_AREA = 0.02
IGNORED = "ignored in the figures, since a dataset leaves them out"


class CocoGroundTruth:
    """A COCO annotation file, completed and indexed for pycocotools.

    Args:
        anno_file: path of the JSON file.
        num_keypoints: keypoints each labelled object must have; None for box evaluation.
        areas: take the objects' areas from the file; False is for protocols in which every object's is `AREA_PER_BOX` of its box.

    Attributes:
        coco: the indexed `pycocotools.coco.COCO` object.
        image_ids: ids (numbers or strings) of the images in file order.
        notes: sentences about what was filled in, empty when the file was complete.

    Raises:
        DataError: file missing or not COCO, or every labelled object has another number of keypoints.
    """

    def __init__(self, anno_file: str | Path, num_keypoints: int | None = None, areas: bool = True) -> None:
        self.path = Path(anno_file)
        self.num_keypoints, self.areas = num_keypoints, areas
        self.notes: list[str] = []
        data = _read_coco_json(self.path)
        self._complete(data)
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

    def _complete(self, data: dict[str, Any]) -> None:
        repairs: Counter[str] = Counter()
        complete = _Completion(data, self.num_keypoints, self.areas, repairs)
        kept = []
        for annotation in data["annotations"]:
            if not isinstance(annotation, dict) or not isinstance(annotation.get("image_id"), (int, str)):
                repairs["without image_id, left out"] += 1
                continue
            complete(annotation)
            kept.append(annotation)
        if complete.other_lengths and not complete.labelled:
            length = complete.other_lengths.most_common(1)[0][0]
            raise DataError(
                f"{self.path}: annotation {complete.first_other} has {length} keypoint values, expected "
                f"3 x {self.num_keypoints}. Set `skeleton`/`num_joints` to what the file holds, or give another file."
            )
        ids = Counter(str(annotation.get("id")) for annotation in kept if annotation.get("id") is not None)
        repairs["that share their `id` with another, numbered anew"] += sum(count for count in ids.values() if count > 1)
        repairs["without `id`, numbered"] += len(kept) - sum(ids.values())
        for number, annotation in enumerate(kept, start=1):  # from 1: pycocotools takes a match with id 0 for none
            annotation["id"] = number
        data["annotations"] = kept
        self.notes = [f"{self.path.name}: {count} object(s) {what}" for what, count in repairs.items() if count]


class _Completion:
    """Called with each annotation in turn, it changes it into one that pycocotools can use."""

    def __init__(self, data: dict[str, Any], num_keypoints: int | None, areas: bool, repairs: Counter[str]) -> None:
        self.num_keypoints, self.areas, self.repairs = num_keypoints, areas, repairs
        self.labelled = 0
        self.other_lengths: Counter[int] = Counter()
        self.first_other: Any = None
        self._sizes = {image["id"]: (image.get("width") or 0, image.get("height") or 0) for image in data["images"]}
        declared = [category["id"] for category in data["categories"] if category.get("keypoints")]
        self._category = declared[0] if len(declared) == 1 else 1

    def __call__(self, annotation: dict[str, Any]) -> None:
        if annotation.get("category_id") is None:
            annotation["category_id"] = self._category
        if not self.areas:
            annotation["area"] = None
        annotation["iscrowd"] = int(bool(annotation.get("iscrowd")))
        box_filled = annotation.get("bbox") is None
        if box_filled:
            annotation["bbox"] = box_around_keypoints(annotation.get("keypoints"))
        reason = None if self.num_keypoints is None else self._judge_keypoints(annotation, self.num_keypoints)
        if reason is not None:
            self.repairs[f"{reason}: {IGNORED}"] += 1
            annotation["area"] = None
        elif box_filled and annotation["bbox"] is not None:
            self.repairs["without box: taken from the extent of their keypoints"] += 1
        self._complete_area(annotation, told=self.areas and reason is None)

    def _judge_keypoints(self, annotation: dict[str, Any], count: int) -> str | None:
        """Set `num_keypoints`, and let an object that cannot be matched look like one without labelled keypoints."""
        reason = None
        labelled = is_labelled(annotation)
        if labelled and not annotation["iscrowd"]:
            keypoints = annotation["keypoints"]
            size = self._sizes.get(annotation["image_id"], (0, 0))
            reason = unusable(annotation["bbox"], keypoints, annotation.get("area"), count, size)
            if annotation["bbox"] is None:
                reason = reason and "without a box, and with keypoints that span none"
            if len(keypoints) != 3 * count:
                self.other_lengths[len(keypoints)] += 1
                self.first_other = annotation.get("id") if self.first_other is None else self.first_other
        if not labelled or reason or len(annotation["keypoints"]) != 3 * count:
            annotation["keypoints"] = [0] * (3 * count)
        annotation["num_keypoints"] = sum(1 for visible in annotation["keypoints"][2::3] if visible > 0)
        self.labelled += annotation["num_keypoints"] > 0
        return reason

    def _complete_area(self, annotation: dict[str, Any], told: bool) -> None:
        try:
            x, y, width, height = (float(value) for value in annotation["bbox"])
        except (TypeError, ValueError):
            x, y, width, height = 0.0, 0.0, 0.0, 0.0
            annotation["bbox"] = [x, y, width, height]
        if not isinstance(annotation.get("area"), (int, float)):
            annotation["area"] = AREA_PER_BOX * max(width, 0.0) * max(height, 0.0)
            self.repairs[f"without area: {AREA_PER_BOX} x box area assumed"] += told
        elif not annotation["iscrowd"] and annotation["area"] < SMALLEST_BELIEVABLE_AREA * width * height:
            self.repairs[
                f"with an area under {SMALLEST_BELIEVABLE_AREA:.0%} of its box, kept as it is: OKS will be near 0; "
                "remove the area to have it estimated"
            ] += 1


def _read_coco_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(f"annotation file not found: {path}. Set `EvalDataset.dataset_dir` and `EvalDataset.anno_path`.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is not valid JSON ({error}).") from error
    if not isinstance(data, dict) or not {"images", "annotations"} <= data.keys():
        raise DataError(f"{path} is not a COCO annotation file: expected an object with images, annotations, categories.")
    data.setdefault("categories", [])
    data["images"] = [image for image in data["images"] if isinstance(image, dict) and isinstance(image.get("id"), (int, str))]
    return data


def _index(data: dict[str, Any]) -> Any:
    from pycocotools.coco import COCO

    coco = COCO()
    coco.dataset = data
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco
