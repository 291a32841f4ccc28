"""Images without annotations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import List, Optional, Sequence, Union

import numpy as np

from ppdet.annotations.coco_file import read_coco
from ppdet.core.config.registry import register
from ppdet.core.errors import DataError
from ppdet.data.samples.image import ImageSample
from ppdet.data.sources.image_dataset import ImageDataset
from ppdet.image.io import list_images


@register
class ImageFolder(ImageDataset):
    """Images of a folder, or a list of files given by `set_images`; what `TestDataset` names.

    Args:
        dataset_dir, image_dir: the folder, unless `set_images` gives files.
        anno_path: where class names come from: a COCO-style JSON, or a text file with one name per line. Need not exist
            (PaddleDetection's keypoint configs name a file that no one has).
        sample_num: the first n images only; -1 for all.
        use_default_label: accepted.
        image_range: [black, white] values of images with more than 8 bits; None finds it from each file.
        exif_orientation: "turned" gives images as viewers show them, "stored" as they are stored.
    """

    def __init__(
        self,
        dataset_dir: Optional[str] = None,
        image_dir: Optional[str] = None,
        anno_path: Optional[str] = None,
        sample_num: int = -1,
        use_default_label: Optional[bool] = None,
        cache: Union[bool, str] = False,
        image_range: Optional[Sequence[float]] = None,
        exif_orientation: str = "turned",
    ) -> None:
        super().__init__(cache, image_range, exif_orientation)
        self.folder = os.path.join(dataset_dir or "", image_dir or "")
        self.dataset_dir, self.anno_path, self.sample_num = dataset_dir or "", anno_path, sample_num
        self._files: Optional[List[str]] = None

    def set_images(self, files: Sequence[Union[str, os.PathLike[str]]]) -> ImageFolder:
        """Use these files instead of the folder."""
        self._files = [os.fspath(file) for file in files]
        self._store = None
        return self

    def label_list(self) -> List[str]:
        """Class names from `anno_path`, empty if there is no such file.

        Raises:
            DataError: a JSON file that is not in COCO's layout, or a text file that cannot be read.
        """
        path = self._label_file()
        if path is None:
            return []
        if path.endswith(".json"):
            content = read_coco(path)
            return [category["name"] for category in content["categories"]]
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"cannot read class names from {path}: {error}; expected UTF-8 text, one name per line") from error
        return [line.strip() for line in text.splitlines() if line.strip()]

    def _label_file(self) -> Optional[str]:
        for path in (os.path.join(self.dataset_dir, self.anno_path or ""), self.anno_path or ""):
            if os.path.isfile(path):
                return path
        return None

    def parse(self) -> ImageFolder:
        """List the images, once.

        Raises:
            DataError: neither files nor a folder was given.
            MediaError: the folder is missing or has no image.
        """
        if self._store is None:
            if self._files is None and not self.folder:
                raise DataError("ImageFolder has no images: give image_dir (a folder), or call set_images with files")
            files = self._files if self._files is not None else [str(path) for path in list_images(self.folder)]
            files = files if self.sample_num < 0 else files[: self.sample_num]
            self._hold(files, np.zeros((len(files), 2), np.int64))
        return self

    def describe(self, index: int) -> ImageSample:
        """The sample without its pixels; its id is its position."""
        return ImageSample(image_path=self.store.paths[index], image_id=int(index), index=int(index))
