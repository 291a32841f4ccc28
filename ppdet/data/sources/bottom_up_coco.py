"""COCO-style keypoint annotations, one sample per image with all its people."""

from __future__ import annotations

import os
from typing import Any, List, Optional, Sequence, Union

import numpy as np

from ppdet.annotations.coco_file import read_coco, select_categories
from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.logger import get_logger
from ppdet.data.coco.by_image import BottomUpTable, bottom_up_table
from ppdet.data.coco.doubtful import note_other_names
from ppdet.data.coco.file import image_table
from ppdet.data.coco.ignored_regions import draw_regions
from ppdet.data.coco.report import AnnotationReport
from ppdet.data.samples.bottom_up import BottomUpSample
from ppdet.data.sources.image_dataset import ImageDataset
from ppdet.skeletons import get_skeleton

logger = get_logger(__name__)


@register
class KeypointBottomUpCocoDataset(ImageDataset):
    """Images of a COCO-style file with all their people.

    Training takes the images with at least one person that is not a crowd; `test_mode` takes every image of the file, since
    people found where there are none count against a model.

    Args:
        dataset_dir, image_dir, anno_path: images are `dataset_dir/image_dir/file_name`, annotations
            `dataset_dir/anno_path`.
        num_joints: K, number of keypoints of each annotation.
        transform: transforms applied after loading, before the reader's (usually none).
        shard: [which, of how many] parts of the images, taken in turn; the readers share images among processes anyway.
        test_mode: all images, for evaluation.
        return_mask: ignore the regions of crowds and of people without labelled keypoints; false trains them as background.
        return_bbox, return_area, return_class: accepted; boxes and areas are always there.
        category: id or name (or a list) of the categories to use; default all that declare keypoints.
        cache: "auto", true or false: keep decoded images in memory, see `ImageStore`.
        image_range: [black, white] values of images with more than 8 bits; None finds it from each file.
        exif_orientation: whether labels refer to images turned as their EXIF orientation says: "auto" goes by the annotated
            size, "stored" and "turned" settle it.
        skeleton: shared with the model; checked against `num_joints`.

    Raises:
        ConfigError: `num_joints` is not the skeleton's, or `shard` is no part.
    """

    __shared__ = ["num_joints", "skeleton"]
    default_joints = 17

    def __init__(
        self,
        dataset_dir: str = "",
        image_dir: str = "",
        anno_path: str = "",
        num_joints: Optional[int] = None,
        transform: Sequence[Any] = (),
        shard: Sequence[int] = (0, 1),
        test_mode: bool = False,
        return_mask: bool = True,
        return_bbox: bool = True,
        return_area: bool = True,
        return_class: bool = True,
        category: Any = None,
        cache: Union[bool, str] = "auto",
        skeleton: Any = None,
        image_range: Optional[Sequence[float]] = None,
        exif_orientation: str = "auto",
    ) -> None:
        super().__init__(cache, image_range, exif_orientation)
        self.dataset_dir, self.image_dir, self.anno_path = dataset_dir or "", image_dir or "", anno_path
        self.num_joints = self.default_joints if num_joints is None else num_joints
        self.transform, self.category = list(transform), category
        self.test_mode, self.return_mask = bool(test_mode), bool(return_mask)
        self.shard = _checked_shard(type(self).__name__, shard)
        self.skeleton = None if skeleton is None else get_skeleton(skeleton)
        if self.skeleton is not None and self.skeleton.num_keypoints != self.num_joints:
            raise ConfigError(
                f"{type(self).__name__}: num_joints is {self.num_joints}, but skeleton {self.skeleton.name} has "
                f"{self.skeleton.num_keypoints} keypoints; make them agree"
            )
        self.report: Optional[AnnotationReport] = None
        self._table: Optional[BottomUpTable] = None
        self._rows = np.zeros(0, np.int64)

    @property
    def annotation_file(self) -> str:
        """Path of the annotation file."""
        return os.path.join(self.dataset_dir, self.anno_path)

    @property
    def table(self) -> BottomUpTable:
        """Images and people of the whole file."""
        self.parse()
        assert self._table is not None
        return self._table

    @property
    def labelled_keypoints(self) -> np.ndarray:
        """(N, K, 3) x, y in source pixels, visibility of all persons."""
        return self.table.persons.keypoints

    def parse(self) -> KeypointBottomUpCocoDataset:
        """Read the annotations, once, and log what was left out and why.

        Raises:
            DataError: the file is missing or broken, or none of its images can be used.
        """
        if self._table is not None:
            return self
        report = AnnotationReport(self.annotation_file)
        content = read_coco(self.annotation_file)
        images = image_table(content["images"], os.path.join(self.dataset_dir, self.image_dir), report)
        categories = select_categories(content, self.category, self.annotation_file)
        note_other_names(content["categories"], categories, self.skeleton, report)
        table = bottom_up_table(content, images, self.num_joints, categories, report)
        for line in report.warnings():
            logger.warning(line)
        rows = np.arange(len(images)) if self.test_mode else np.flatnonzero(table.has_person)
        if not len(rows) or (not self.test_mode and not len(table.persons)):
            reasons = "; ".join(line for line in (report.bad_line(), report.skipped_line()) if line)
            need = "image" if self.test_mode else "image with a labelled person"
            raise DataError(
                f"{self.annotation_file}: no usable {need} in it ({reasons or 'no annotations'}); see docs/data.md for the layout"
            )
        self._rows = rows[self.shard[0] :: self.shard[1]]
        self._hold([images.paths[row] for row in self._rows], images.wh[self._rows])
        self._table, self.report = table, report
        self._log_counts(table, len(images), report)
        return self

    def _log_counts(self, table: BottomUpTable, listed: int, report: AnnotationReport) -> None:
        people = int((table.first[self._rows + 1] - table.first[self._rows]).sum())
        regions = sum(len(table.ignored.get(int(row), ())) for row in self._rows)
        skipped = f"; no persons to learn from: {report.skipped_line()}" if report.skipped_line() else ""
        logger.info(
            "%s: %d of %d images, %d persons, %d ignored regions%s",
            self.annotation_file, len(self._rows), listed, people, regions if self.return_mask else 0, skipped,
        )  # fmt: skip

    def describe(self, index: int) -> BottomUpSample:
        """The sample without its pixels."""
        table, row = self.table, int(self._rows[index])
        people = table.people(row)
        keypoints = people.keypoints.astype(np.float64)
        return BottomUpSample(
            image_path=table.images.paths[row],
            image_id=table.images.ids[row].item(),
            index=int(index),
            xy_image=keypoints[:, :, :2].copy(),
            visible=keypoints[:, :, 2].copy(),
            boxes_xyxy=people.boxes_xyxy,
            area=people.area,
        )

    def load(self, index: int, rng: np.random.Generator) -> BottomUpSample:
        """The sample with its pixels and, if something is to be ignored, its mask; own transforms applied.

        Raises:
            MediaError, DataError: the image cannot be read or has another size than annotated.
        """
        sample = self.describe(index)
        image = self.store.get(int(index))
        sample.image, sample.image_wh = image, (image.shape[1], image.shape[0])
        regions: List[Any] = self.table.ignored.get(int(self._rows[index]), []) if self.return_mask else []
        if regions:
            sample.ignore = draw_regions(regions, sample.image_wh)
        for transform in self.transform:
            sample = transform(sample, rng)
        return sample


def _checked_shard(owner: str, shard: Sequence[int]) -> List[int]:
    numbers = list(shard)
    if len(numbers) != 2 or not all(isinstance(n, int) for n in numbers) or not 0 <= numbers[0] < numbers[1]:
        raise ConfigError(f"{owner}: shard is [which, of how many] parts, such as [0, 1] for everything; given {shard!r}")
    return numbers
