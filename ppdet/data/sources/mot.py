"""Images with people and identities in JDE's layout, for training trackers.

Legend: N people of an image.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import List, Optional, Sequence, Union

import numpy as np

from ppdet.annotations.tracking_labels import JdeLabels, label_path, read_jde_labels
from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.logger import get_logger
from ppdet.data.samples.image import ImageSample
from ppdet.data.sources.image_dataset import ImageDataset

logger = get_logger(__name__)

LISTS = "image_lists"


@register
class MOTDataSet(ImageDataset):
    """Lists of images whose people have identities.

    `dataset_dir/image_lists/NAME` has one image per line, relative to `dataset_dir`, below a folder `images`; its labels are in
    the same place below `labels_with_ids`, as rows `class identity cx cy w h`. Identities count from 0 in each list and are made
    unique over all of them; -1 is unknown. An empty label file is an image without people, a missing one leaves the image out.

    Args:
        dataset_dir: folder of the lists and images.
        image_lists: names of the lists.
        data_fields: PaddleDetection's; not used.
        sample_num: the first n images only; -1 for all.
        repeat: how many times an epoch gives each image.
        num_classes: shared with the model; classes in the files must be below.
        cache: "auto", true or false, see `ImageStore`.
        image_range: [black, white] values of images with more than 8 bits; None finds it from each file.
        exif_orientation: "turned" gives images as viewers show them, "stored" as they are stored.

    Attributes (after `parse`):
        num_identities: for the classifier: all identities of the lists, and one more, as in PaddleDetection.
        label_list: ["pedestrian"].

    Raises:
        ConfigError: no lists, or a repeat below 1.
    """

    __shared__ = ["num_classes"]
    label_list = ("pedestrian",)

    def __init__(
        self,
        dataset_dir: str = "",
        image_lists: Union[str, Sequence[str]] = (),
        data_fields: Sequence[str] = ("image",),
        sample_num: int = -1,
        repeat: int = 1,
        num_classes: int = 1,
        cache: Union[bool, str] = "auto",
        image_range: Optional[Sequence[float]] = None,
        exif_orientation: str = "turned",
    ) -> None:
        super().__init__(cache, image_range, exif_orientation)
        self.image_lists = [image_lists] if isinstance(image_lists, str) else list(image_lists)
        if not self.image_lists or repeat < 1:
            raise ConfigError("MOTDataSet: image_lists names at least one list and repeat is 1 or more; given "
                              f"{self.image_lists} and {repeat}")  # fmt: skip
        self.dataset_dir, self.sample_num, self.repeat = dataset_dir or "", sample_num, repeat
        self.num_classes = num_classes
        self.num_identities = 0
        self._people: List[JdeLabels] = []

    @property
    def annotation_file(self) -> str:
        """Folder of the lists."""
        return os.path.join(self.dataset_dir, LISTS)

    def parse(self) -> MOTDataSet:
        """Read the lists and all labels, once.

        Raises:
            DataError: a list is missing or empty, a label file is malformed, or no image has labels.
        """
        if self._store is not None:
            return self
        paths: List[str] = []
        self._people, total = [], 0
        for name in self.image_lists:
            images, people = self._read_list(name)
            known = np.concatenate([each.identities for each in people]) if people else np.zeros(0, np.int64)
            paths += images
            self._people += [each._replace(identities=np.where(each.identities < 0, each.identities, each.identities + total))
                             for each in people]  # fmt: skip
            total += int(known.max(initial=-1)) + 1
        self.num_identities = total + 1
        self._choose_rows(paths)
        boxes = sum(len(each.labels) for each in self._people)
        logger.info("%s: %d images, %d people, %d identities", self.annotation_file, len(self._people), boxes, total)
        return self

    def _choose_rows(self, paths: List[str]) -> None:
        rows = np.arange(len(paths))
        rows = np.tile(rows if self.sample_num < 0 else rows[: self.sample_num], self.repeat)
        self._people = [self._people[row] for row in rows]
        self._hold([paths[row] for row in rows], np.zeros((len(rows), 2), np.int64))

    def _read_list(self, name: str) -> tuple[List[str], List[JdeLabels]]:
        """Images of a list that have labels, and these."""
        path = Path(self.annotation_file) / name
        if not path.is_file():
            have = sorted(each.name for each in path.parent.glob("*") if each.is_file()) if path.parent.is_dir() else []
            known = f"there are {', '.join(have[:8])}" if have else "the folder has none"
            raise DataError(f"there is no image list {path}; {known}: set TrainDataset.dataset_dir and image_lists")
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
        images = [os.path.join(self.dataset_dir, line) for line in lines if line]
        kept, people, missing = [], [], []
        for image in images:
            labels = label_path(image)
            if not os.path.isfile(labels):
                missing.append(labels)
                continue
            found = read_jde_labels(labels)
            if len(found.labels) and found.labels.max() >= self.num_classes:
                raise DataError(f"{labels} has the class {found.labels.max()}, but num_classes is {self.num_classes}; classes "
                                "count from 0")  # fmt: skip
            kept.append(image)
            people.append(found)
        if missing:
            logger.warning("%s: %d of %d images have no label file and are left out; the first would be %s", path, len(missing),
                           len(images), missing[0])  # fmt: skip
        if not kept:
            example = f" such as {missing[0]}" if missing else ""
            raise DataError(f"{path}: none of its {len(images)} images has a label file{example}")
        return kept, people

    def describe(self, index: int) -> ImageSample:
        """The sample without its pixels; boxes are parts of the image's sides until it is read."""
        people = self._people[index]
        centre, half = people.boxes[:, :2], people.boxes[:, 2:] / 2
        return ImageSample(
            image_path=self.store.paths[index],
            image_id=int(index),
            index=int(index),
            boxes_xyxy=np.concatenate([centre - half, centre + half], axis=1),
            labels=people.labels,
            crowd=np.zeros(len(people.labels), bool),
            identities=people.identities,
        )

    def load(self, index: int, rng: np.random.Generator) -> ImageSample:
        """The sample with its pixels; see `ImageDataset.load`."""
        sample: ImageSample = super().load(index, rng)
        assert sample.image is not None
        height, width = sample.image.shape[:2]
        sample.boxes_xyxy = sample.boxes_xyxy * np.array([width, height, width, height], np.float64)
        sample.boxes_input = sample.boxes_xyxy.copy()
        return sample
