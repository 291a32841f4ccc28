"""The base of every dataset of single persons: makes samples from tables.

Legend: N persons, K keypoints.
"""

from __future__ import annotations

import os
from typing import Any, Optional, Sequence, Tuple, Union

import numpy as np

from ppdet.core.errors import ConfigError, DataError
from ppdet.core.logger import get_logger
from ppdet.data.coco.person_table import ImageTable, PersonTable
from ppdet.data.coco.persons import BOXES, GIVEN
from ppdet.data.coco.report import AnnotationReport
from ppdet.data.loading.image_store import AnnotatedImageReader, ImageStore
from ppdet.data.samples.person import PersonSample
from ppdet.geometry.crop import BOX_PADDING, box_to_center_size
from ppdet.skeletons import get_skeleton

logger = get_logger(__name__)

CENTER_JITTER_PROBABILITY = 0.3
"""Of `center_scale`, as in ViTPose's recipe."""


class TopDownDataset:
    """Persons of an annotation file, read at first use (so that a config can be looked at without its data).

    Subclasses implement `_read` and may set `default_joints`. Arguments are those of PaddleDetection; `pixel_std` is
    accepted and has no effect, since sizes are kept in pixels throughout.

    Args:
        dataset_dir, image_dir, anno_path: images lie below `dataset_dir/image_dir`, annotations are `dataset_dir/anno_path`.
        num_joints: K, number of keypoints of each annotation; `default_joints` if neither this nor the config says.
        trainsize: network input [w, h]; only its aspect matters here. Taken from the codec when absent.
        transform: transforms applied after loading, before the reader's (usually none).
        center_scale: moves the box centre by up to half of this part of the box, for 3 samples in 10, anew each epoch.
        cache: "auto", true or false: keep decoded images in memory, see `ImageStore`.
        image_range: [black, white] values of images with more than 8 bits; None finds it from each file.
        exif_orientation: whether labels refer to images turned as their EXIF orientation says: "auto" goes by the annotated
            size, "stored" and "turned" settle it.
        codec, skeleton: shared with the model; checked against `trainsize` and `num_joints`.
        box: what a person's crop is made around: "given", the annotation's `bbox` (without one, the extent of its labelled
            keypoints); "extent", always that extent; "image", the whole image. Training, evaluation and deployment must agree.
        padding: factor of the crop on that box, which the exported model's card keeps.

    Raises:
        ConfigError: sizes or numbers of keypoints contradict each other, `box` is another word, or `padding` is out of range.
    """

    __shared__ = ["num_joints", "codec", "skeleton"]
    default_joints = 17

    def __init__(
        self,
        dataset_dir: str = "",
        image_dir: str = "",
        anno_path: str = "",
        num_joints: Optional[int] = None,
        trainsize: Optional[Sequence[int]] = None,
        transform: Sequence[Any] = (),
        pixel_std: float = 200,
        center_scale: Optional[float] = None,
        codec: Any = None,
        skeleton: Any = None,
        cache: Union[bool, str] = "auto",
        image_range: Optional[Sequence[float]] = None,
        exif_orientation: str = "auto",
        box: str = GIVEN,
        padding: float = BOX_PADDING,
    ) -> None:
        if not isinstance(padding, (int, float)) or not 1 <= padding <= 4:
            raise ConfigError(f"{type(self).__name__}: padding is the crop over the box, from 1 to 4; given {padding!r}")
        if box not in BOXES:
            raise ConfigError(f"{type(self).__name__}: box is one of {', '.join(BOXES)}; given {box!r}")
        self.box, self.padding = box, float(padding)
        self.dataset_dir, self.image_dir, self.anno_path = dataset_dir or "", image_dir or "", anno_path
        self.num_joints = self.default_joints if num_joints is None else num_joints
        self.transform, self.center_scale, self.cache = list(transform), center_scale, cache
        self._image_reader = AnnotatedImageReader(image_range, exif_orientation)
        self.input_wh = _input_wh(trainsize, codec, type(self).__name__)
        self.skeleton = None if skeleton is None else get_skeleton(skeleton)
        if self.skeleton is not None and self.skeleton.num_keypoints != self.num_joints:
            raise ConfigError(
                f"{type(self).__name__}: num_joints is {self.num_joints}, but skeleton {self.skeleton.name} has "
                f"{self.skeleton.num_keypoints} keypoints; make them agree"
            )
        self.images: Optional[ImageTable] = None
        self.persons: Optional[PersonTable] = None
        self.report: Optional[AnnotationReport] = None
        self._center = self._size = np.zeros((0, 2))
        self._store: Optional[ImageStore] = None

    # for subclasses

    def _read(self, report: AnnotationReport) -> Tuple[ImageTable, PersonTable]:
        """Read the annotation file; note in `report` what cannot be used."""
        raise TypeError(f"{type(self).__name__} must define _read")

    @property
    def annotation_file(self) -> str:
        """Path of the annotation file."""
        return os.path.join(self.dataset_dir, self.anno_path)

    @property
    def image_folder(self) -> str:
        """Folder that file names of the annotation file refer to."""
        return os.path.join(self.dataset_dir, self.image_dir)

    # tables

    def parse(self) -> TopDownDataset:
        """Read the annotations, once, and log what was left out and why.

        Raises:
            DataError: the file is missing or broken, or holds no usable person.
        """
        if self.persons is not None:
            return self
        report = AnnotationReport(self.annotation_file)
        images, persons = self._read(report)
        for line in report.warnings():
            logger.warning(line)
        if not len(persons):
            reasons = [line for line in (report.bad_line(), report.skipped_line()) if line]
            raise DataError(
                f"{self.annotation_file}: no usable person in it ({'; '.join(reasons) or 'no annotations'}); each "
                "needs image_id, a bbox with extent, area above 0 and a labelled keypoint, see docs/data.md"
            )
        skipped = f"; left out: {report.skipped_line()}" if report.skipped_line() else ""
        used = len(np.unique(persons.image_row))
        logger.info("%s: %d persons in %d images%s", self.annotation_file, len(persons), used, skipped)
        self._center, self._size = self._centers_sizes(persons)
        self._store = ImageStore(images.paths, images.wh, self.cache, self._image_reader)
        self.images, self.persons, self.report = images, persons, report
        return self

    @property
    def labelled_keypoints(self) -> np.ndarray:
        """(N, K, 3) x, y in source pixels, visibility of all persons."""
        persons = self.parse().persons
        assert persons is not None
        return persons.keypoints

    def _centers_sizes(self, persons: PersonTable) -> Tuple[np.ndarray, np.ndarray]:
        return box_to_center_size(persons.boxes_xyxy, self.input_wh, self.padding)

    def __len__(self) -> int:
        persons = self.parse().persons
        assert persons is not None
        return len(persons)

    def preload(self, indices: Optional[np.ndarray] = None, share: float = 1.0) -> bool:
        """Read the images of these samples (default: all) into memory if `cache` allows.

        Call before forking workers.
        """
        self.parse()
        assert self.persons is not None and self._store is not None
        rows = self.persons.image_row if indices is None else self.persons.image_row[indices]
        return self._store.preload(np.unique(rows).tolist(), share)

    # samples

    def image_path(self, index: int) -> str:
        """Image file of a sample."""
        self.parse()
        assert self.persons is not None and self.images is not None
        return self.images.paths[int(self.persons.image_row[index])]

    def load(self, index: int, rng: np.random.Generator) -> PersonSample:
        """The sample with its pixels, `center_scale` and own transforms applied.

        Raises:
            MediaError, DataError: the image cannot be read or has another size than annotated.
        """
        sample = self.describe(index)
        assert self.persons is not None and self._store is not None
        sample.image = self._store.get(int(self.persons.image_row[index]))
        if self.center_scale and rng.random() < CENTER_JITTER_PROBABILITY:
            box = self.persons.boxes_xyxy[index]
            sample.center_xy += self.center_scale * (rng.random(2) - 0.5) * (box[2:] - box[:2])
        for transform in self.transform:
            sample = transform(sample, rng)
        return sample

    def describe(self, index: int) -> PersonSample:
        """The sample without its pixels."""
        self.parse()
        persons, images = self.persons, self.images
        assert persons is not None and images is not None
        row = int(persons.image_row[index])
        keypoints = persons.keypoints[index].astype(np.float64)
        return PersonSample(
            image_path=images.paths[row],
            image_id=images.ids[row].item(),
            index=int(index),
            center_xy=self._center[index].copy(),
            size_wh=self._size[index].copy(),
            xy_image=keypoints[:, :2].copy(),
            visible=keypoints[:, 2].copy(),
            box_xyxy=persons.boxes_xyxy[index].copy(),
            box_score=float(persons.box_score[index]),
            area=float(persons.area[index]),
            category_row=int(persons.category_row[index]),
        )

    def __getitem__(self, index: int) -> PersonSample:
        return self.load(index, np.random.default_rng([0, 0, int(index)]))


def _input_wh(trainsize: Optional[Sequence[int]], codec: Any, owner: str) -> Tuple[int, int]:
    given = None if trainsize is None else (int(trainsize[0]), int(trainsize[1]))
    if codec is None:
        if given is None:
            raise ConfigError(f"{owner} needs trainsize: [width, height] of the network input, or a codec")
        return given
    wanted = (int(codec.input_wh[0]), int(codec.input_wh[1]))
    if given is not None and given != wanted:
        raise ConfigError(
            f"{owner}: trainsize is {list(given)}, but the codec's input is {list(wanted)} (width, height); "
            "make them agree, or leave trainsize out"
        )
    return wanted
