"""COCO-style boxes, one sample per image.

Legend: N boxes.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np

from ppdet.annotations.coco_file import read_coco, select_categories
from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.logger import get_logger
from ppdet.data.coco.box_table import ImageBoxes, annotated_boxes, fill_gaps, pseudo_boxes, trainable
from ppdet.data.coco.file import image_table
from ppdet.data.coco.person_table import ImageTable
from ppdet.data.coco.report import AnnotationReport
from ppdet.data.samples.image import ImageSample
from ppdet.data.sources.image_dataset import ImageDataset

logger = get_logger(__name__)


@register
class COCODataSet(ImageDataset):
    """Images of a COCO-style file with their boxes, for training and evaluating detectors.

    With "gt_bbox" among `data_fields` it is for training: crowds and boxes without extent are left out, and so are images
    without boxes. Otherwise it gives all images, since false alarms count on those without boxes too.

    A second detector can label what the file does not: boxes of `pseudo_boxes` are added where they overlap no annotation.
    They count by their scores (`GroundTruth.scores`), and images that have no other boxes are used.

    Args:
        dataset_dir, image_dir, anno_path: as in `KeypointTopDownCocoDataset`.
        data_fields: PaddleDetection's; only "gt_bbox" has a meaning here.
        sample_num: the first n images only; -1 for all.
        image_range: [black, white] values of images with more than 8 bits; None finds it from each file.
        exif_orientation: whether labels refer to images turned as their EXIF orientation says: "auto" goes by the annotated
            size, "stored" and "turned" settle it.
        load_crowd: accepted; crowds are never trained on and always marked in evaluation.
        allow_empty: train on images without boxes too.
        empty_ratio: largest share of these among the images, evenly chosen; 1 takes all.
        repeat: how many times an epoch gives each image.
        category: id or name (or a list) of the categories that are classes; default all, numbered by id.
        pseudo_boxes: bbox.json of a detector on the same images, looked up in `dataset_dir` first.
        pseudo_threshold: its boxes with lower scores are left out.
        pseudo_overlap: and those whose IoU with an annotated box is above this.
        cache: "auto", true or false, see `ImageStore`.
        num_classes: shared with the detector; None does not check it.

    Attributes (after `parse`):
        category_ids: category id of each class number.
        label_list: category name of each class number.

    Raises:
        ConfigError: thresholds outside 0..1, or a repeat below 1.
    """

    __shared__ = ["num_classes"]

    def __init__(
        self,
        dataset_dir: str = "",
        image_dir: str = "",
        anno_path: str = "",
        data_fields: Sequence[str] = ("image",),
        sample_num: int = -1,
        load_crowd: bool = False,
        allow_empty: bool = False,
        empty_ratio: float = 1.0,
        repeat: int = 1,
        cache: Union[bool, str] = "auto",
        image_range: Optional[Sequence[float]] = None,
        exif_orientation: str = "auto",
        category: Any = None,
        pseudo_boxes: Optional[str] = None,
        pseudo_threshold: float = 0.4,
        pseudo_overlap: float = 0.5,
        num_classes: Optional[int] = None,
    ) -> None:
        super().__init__(cache, image_range, exif_orientation)
        if not 0 <= pseudo_threshold <= 1 or not 0 <= pseudo_overlap <= 1 or repeat < 1:
            raise ConfigError(
                "COCODataSet: pseudo_threshold and pseudo_overlap are from 0 to 1 and repeat is 1 or more; "
                f"given {pseudo_threshold}, {pseudo_overlap} and {repeat}"
            )
        self.dataset_dir, self.image_dir, self.anno_path = dataset_dir or "", image_dir or "", anno_path
        self.training = "gt_bbox" in data_fields
        self.sample_num, self.repeat = sample_num, repeat
        self.allow_empty, self.empty_ratio = allow_empty, empty_ratio
        self.category, self.num_classes = category, num_classes
        self.pseudo_boxes, self.pseudo_threshold, self.pseudo_overlap = pseudo_boxes, pseudo_threshold, pseudo_overlap
        self.category_ids: List[Any] = []
        self.label_list: List[str] = []
        self._ids: np.ndarray = np.zeros(0, np.int64)
        self._boxes: Dict[Any, ImageBoxes] = {}

    @property
    def annotation_file(self) -> str:
        """Path of the annotation file."""
        return os.path.join(self.dataset_dir, self.anno_path)

    def parse(self) -> COCODataSet:
        """Read the annotations, once.

        Raises:
            DataError: the file is missing or broken, none of its images exists, or for training none has a box.
            ConfigError: more categories than the detector has classes.
        """
        if self._store is not None:
            return self
        content = read_coco(self.annotation_file)
        report = AnnotationReport(self.annotation_file)
        images = image_table(content["images"], os.path.join(self.dataset_dir, self.image_dir), report)
        if not len(images):
            raise DataError(f"{self.annotation_file}: it lists no images; see docs/data.md for the layout")
        known = self._choose_categories(content)
        self._boxes = annotated_boxes(content["annotations"], known, self.category_ids, report)
        if self.pseudo_boxes:
            self._add_pseudo_boxes(images, report)
        for line in report.warnings():
            logger.warning(line)
        rows = self._training_rows(images) if self.training else np.arange(len(images))
        rows = np.tile(rows if self.sample_num < 0 else rows[: self.sample_num], self.repeat)
        self._ids = images.ids[rows]
        self._hold([images.paths[row] for row in rows], images.wh[rows])
        return self

    def _choose_categories(self, content: Dict[str, Any]) -> List[Any]:
        """Set the classes; gives the ids of all categories of the file."""
        names = {category["id"]: category["name"] for category in content["categories"]}
        known = sorted(names, key=lambda i: (isinstance(i, str), i))
        if self.category is None:
            self.category_ids = known
        else:
            wanted = select_categories(content, self.category, self.annotation_file) or set()
            self.category_ids = [i for i in known if i in wanted]
        self.label_list = [names[i] for i in self.category_ids]
        if self.training and self.num_classes is not None and len(self.category_ids) > self.num_classes:
            raise ConfigError(
                f"{self.annotation_file} has {len(self.category_ids)} categories ({', '.join(self.label_list[:5])}, ...), but "
                f"num_classes is {self.num_classes}; set num_classes: {len(self.category_ids)}, or name the categories to learn, "
                f"for example -o TrainDataset.category={self.label_list[0]}"
            )
        return known

    def _add_pseudo_boxes(self, images: ImageTable, report: AnnotationReport) -> None:
        inside = os.path.join(self.dataset_dir, str(self.pseudo_boxes))
        path = inside if os.path.exists(inside) else str(self.pseudo_boxes)
        found = pseudo_boxes(path, images, self.category_ids, self.pseudo_threshold, report.part(path))
        before = sum(len(boxes) for boxes in self._boxes.values())
        for image_id, boxes in found.items():
            self._boxes[image_id] = fill_gaps(self._boxes.get(image_id), boxes, self.pseudo_overlap)
        added = sum(len(boxes) for boxes in self._boxes.values()) - before
        logger.info("%s: %d pseudo labels of %s added to %d annotated boxes", self.annotation_file, added, path, before)

    def _training_rows(self, images: ImageTable) -> np.ndarray:
        """Images to train on; their boxes are replaced by those that teach something."""
        self._boxes = {image_id: trainable(boxes) for image_id, boxes in self._boxes.items()}
        counts = np.array([len(self._boxes.get(image_id, ())) for image_id in images.ids.tolist()])
        rows, empty = np.flatnonzero(counts > 0), np.flatnonzero(counts == 0)
        if not len(rows):
            raise DataError(
                f"{self.annotation_file}: none of its {len(images)} images has a box to train on; each needs annotations with "
                "image_id, category_id and bbox [x, y, width, height], see docs/data.md"
            )
        if not self.allow_empty:
            empty = empty[:0]
        elif 0 <= self.empty_ratio < 1:
            count = min(len(empty), int(len(rows) * self.empty_ratio / (1 - self.empty_ratio)))
            empty = empty[np.linspace(0, len(empty) - 1, count).astype(int)]
        logger.info(
            "%s: %d boxes in %d images, and %d images without boxes",
            self.annotation_file, counts.sum(), len(rows), len(empty),
        )  # fmt: skip
        return np.sort(np.concatenate([rows, empty]))

    def describe(self, index: int) -> ImageSample:
        """The sample without its pixels."""
        path = self.store.paths[index]
        image_id = self._ids[index].item()
        boxes = self._boxes.get(image_id) or ImageBoxes.none()
        return ImageSample(
            image_path=path,
            image_id=image_id,
            index=int(index),
            boxes_xyxy=boxes.xyxy,
            labels=boxes.labels,
            crowd=boxes.crowd,
            box_scores=boxes.scores,
            boxes_input=boxes.xyxy.copy(),
        )
