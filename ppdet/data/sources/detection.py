"""COCO-style boxes, one sample per image.

Legend: N boxes.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import DataError
from ppdet.core.json_values import is_id, is_number
from ppdet.core.logger import get_logger
from ppdet.data.coco.file import image_table, read_coco
from ppdet.data.coco.report import AnnotationReport
from ppdet.data.samples.image import ImageSample
from ppdet.data.sources.image_dataset import ImageDataset
from ppdet.geometry.boxes import xyxy_from_xywh

logger = get_logger(__name__)


@register
class COCODataSet(ImageDataset):
    """Images of a COCO-style file with their boxes, for evaluating detectors.

    All images are given, also those without boxes: false alarms on them count.

    Args:
        dataset_dir, image_dir, anno_path: as in `KeypointTopDownCocoDataset`.
        sample_num: the first n images only; -1 for all.
        data_fields, load_crowd, allow_empty, empty_ratio, repeat: accepted; crowds are always marked, never dropped.

    Attributes (after `parse`):
        category_ids: category id of each class number.
        label_list: category name of each class number.
    """

    def __init__(
        self,
        dataset_dir: str = "",
        image_dir: str = "",
        anno_path: str = "",
        data_fields: Sequence[str] = ("image",),
        sample_num: int = -1,
        load_crowd: bool = False,
        allow_empty: bool = True,
        empty_ratio: float = 1.0,
        repeat: int = 1,
        cache: Union[bool, str] = "auto",
    ) -> None:
        super().__init__(cache)
        self.dataset_dir, self.image_dir, self.anno_path = dataset_dir or "", image_dir or "", anno_path
        self.sample_num = sample_num
        self.category_ids: List[Any] = []
        self.label_list: List[str] = []
        self._ids: Optional[np.ndarray] = None
        self._annotations: Dict[Any, List[Dict[str, Any]]] = {}

    @property
    def annotation_file(self) -> str:
        """Path of the annotation file."""
        return os.path.join(self.dataset_dir, self.anno_path)

    def parse(self) -> COCODataSet:
        """Read the annotations, once.

        Raises:
            DataError: the file is missing or broken, or none of its images exists.
        """
        if self._store is not None:
            return self
        content = read_coco(self.annotation_file)
        report = AnnotationReport(self.annotation_file)
        images = image_table(content["images"], os.path.join(self.dataset_dir, self.image_dir), report)
        if not len(images):
            raise DataError(f"{self.annotation_file}: it lists no images; see docs/data.md for the layout")
        categories = content["categories"]
        self.category_ids = [c["id"] for c in categories]
        self.label_list = [c["name"] for c in categories]
        for position, entry in enumerate(content["annotations"]):
            if not _usable(entry, self.category_ids):
                report.add_bad("without image_id, bbox of four numbers or known category_id", f"annotations[{position}]")
            else:
                self._annotations.setdefault(entry["image_id"], []).append(entry)
        if report.bad_line():
            logger.warning(report.bad_line())
        count = len(images) if self.sample_num < 0 else min(self.sample_num, len(images))
        self._ids = images.ids[:count]
        self._hold(images.paths[:count], images.wh[:count])
        return self

    def describe(self, index: int) -> ImageSample:
        """The sample without its pixels."""
        path = self.store.paths[index]
        assert self._ids is not None
        image_id = self._ids[index].item()
        entries = self._annotations.get(image_id, [])
        return ImageSample(
            image_path=path,
            image_id=image_id,
            index=int(index),
            boxes_xyxy=xyxy_from_xywh(np.array([e["bbox"] for e in entries], np.float64)),
            labels=np.array([self.category_ids.index(e["category_id"]) for e in entries], np.int64),
            crowd=np.array([bool(e.get("iscrowd")) for e in entries], bool),
        )


def _usable(entry: Any, category_ids: Sequence[Any]) -> bool:
    if not isinstance(entry, dict) or not is_id(entry.get("image_id")):
        return False
    box = entry.get("bbox")
    numbers = isinstance(box, list) and len(box) == 4 and all(is_number(v) for v in box)
    return numbers and entry.get("category_id") in category_ids
