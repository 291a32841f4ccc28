"""COCO-style keypoint annotations, one sample per person."""

from __future__ import annotations

import os
from typing import Any, Optional, Sequence, Tuple, Union

from ppdet.annotations.coco_file import read_coco, select_categories
from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.coco.detections import detection_table
from ppdet.data.coco.doubtful import note_other_names
from ppdet.data.coco.file import image_table
from ppdet.data.coco.person_table import ImageTable, PersonTable
from ppdet.data.coco.persons import GIVEN, person_table
from ppdet.data.coco.report import AnnotationReport
from ppdet.data.sources.select_data import well_centred
from ppdet.data.sources.top_down_dataset import TopDownDataset
from ppdet.geometry.crop import BOX_PADDING


@register
class KeypointTopDownCocoDataset(TopDownDataset):
    """Persons of a COCO-style file, in annotated boxes or in a detector's.

    Args:
        bbox_file: JSON of a detector's boxes, in `dataset_dir` or as given; used when `use_gt_bbox` is false.
        image_thre: boxes of the detector with a lower score are left out.
        category: id or name (or a list) of the categories to use; default all that declare keypoints.
        select_data: leave out persons whose keypoints lie off the middle of their annotated box, as the Fluid release of
            Simple Baselines did in training and evaluation; see `well_centred`.

    The others are described at `TopDownDataset`.

    Raises:
        ConfigError: `use_gt_bbox: false` without `bbox_file`, or with `select_data`, which needs annotated keypoints.
    """

    def __init__(
        self,
        dataset_dir: str = "",
        image_dir: str = "",
        anno_path: str = "",
        num_joints: Optional[int] = None,
        trainsize: Optional[Sequence[int]] = None,
        transform: Sequence[Any] = (),
        bbox_file: Optional[str] = None,
        use_gt_bbox: bool = True,
        pixel_std: float = 200,
        image_thre: float = 0.0,
        center_scale: Optional[float] = None,
        category: Any = None,
        cache: Union[bool, str] = "auto",
        codec: Any = None,
        skeleton: Any = None,
        select_data: bool = False,
        image_range: Optional[Sequence[float]] = None,
        exif_orientation: str = "auto",
        box: str = GIVEN,
        padding: float = BOX_PADDING,
    ) -> None:
        super().__init__(
            dataset_dir,
            image_dir,
            anno_path,
            num_joints,
            trainsize,
            transform,
            pixel_std,
            center_scale,
            codec,
            skeleton,
            cache,
            image_range,
            exif_orientation,
            box,
            padding,
        )
        self.use_gt_bbox, self.bbox_file, self.image_thre, self.category = use_gt_bbox, bbox_file, image_thre, category
        self.select_data = bool(select_data)
        if self.select_data and not use_gt_bbox:
            raise ConfigError(
                "KeypointTopDownCocoDataset: select_data goes by annotated keypoints, a detector's boxes have none; set one of "
                "select_data: false and use_gt_bbox: true"
            )
        if not use_gt_bbox and not bbox_file:
            raise ConfigError(
                "KeypointTopDownCocoDataset: use_gt_bbox is false, so bbox_file must name the detector's boxes "
                "(JSON list of image_id, category_id, bbox, score)"
            )

    def _read(self, report: AnnotationReport) -> Tuple[ImageTable, PersonTable]:
        content = read_coco(self.annotation_file)
        images = image_table(content["images"], self.image_folder, report)
        categories = select_categories(content, self.category, self.annotation_file)
        note_other_names(content["categories"], categories, self.skeleton, report)
        if self.use_gt_bbox:
            persons = person_table(content, images, self.num_joints, categories, report, self.box)
            return images, self._selected(persons, report) if self.select_data else persons
        path = self._detections()
        declared = [each["id"] for each in content["categories"]]
        wanted = categories or set(declared) or None
        boxes = detection_table(path, images, self.num_joints, wanted, self.image_thre, report.part(path), declared)
        return images, boxes

    def _selected(self, persons: PersonTable, report: AnnotationReport) -> PersonTable:
        kept = well_centred(persons.keypoints, *self._centers_sizes(persons))
        report.add_skipped("with keypoints off the middle of their box (select_data)", int((~kept).sum()))
        return persons.take(kept)

    def _detections(self) -> str:
        assert self.bbox_file is not None
        inside = os.path.join(self.dataset_dir, self.bbox_file)
        return self.bbox_file if not os.path.exists(inside) and os.path.exists(self.bbox_file) else inside
