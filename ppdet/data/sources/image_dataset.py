"""The base of datasets of whole images."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Union

import numpy as np

from ppdet.data.loading.image_store import AnnotatedImageReader, ImageStore


class ImageDataset:
    """Images in order, read at first use. Subclasses implement `parse` (calling `_hold`) and `describe`.

    Args:
        cache: "auto", true or false, see `ImageStore`.
        image_range, exif_orientation: see `AnnotatedImageReader`.
    """

    def __init__(
        self,
        cache: Union[bool, str] = "auto",
        image_range: Optional[Sequence[float]] = None,
        exif_orientation: str = "auto",
    ) -> None:
        self.cache = cache
        self._image_reader = AnnotatedImageReader(image_range, exif_orientation)
        self._store: Optional[ImageStore] = None

    def parse(self) -> ImageDataset:
        """List the images, once."""
        raise TypeError(f"{type(self).__name__} must define parse")

    def describe(self, index: int) -> Any:
        """The sample without its pixels: an `ImageSample`, or the subclass's own kind."""
        raise TypeError(f"{type(self).__name__} must define describe")

    def _hold(self, paths: Any, wh: np.ndarray) -> None:
        self._store = ImageStore([str(path) for path in paths], wh, self.cache, self._image_reader)

    @property
    def store(self) -> ImageStore:
        """The decoded images."""
        self.parse()
        assert self._store is not None
        return self._store

    def __len__(self) -> int:
        return len(self.store.paths)

    def image_path(self, index: int) -> str:
        """Image file of a sample."""
        return self.store.paths[index]

    def preload(self, indices: Optional[np.ndarray] = None, share: float = 1.0) -> bool:
        """Read these images (default: all) into memory if `cache` allows."""
        return self.store.preload(range(len(self)) if indices is None else [int(i) for i in indices], share)

    def load(self, index: int, rng: np.random.Generator) -> Any:
        """The sample with its pixels.

        Raises:
            MediaError, DataError: the image cannot be read or has another size than annotated.
        """
        sample = self.describe(index)
        sample.image = self.store.get(index)
        sample.im_shape = np.array(sample.image.shape[:2], np.float32)
        sample.scale_factor = np.ones(2, np.float32)
        return sample

    def __getitem__(self, index: int) -> Any:
        return self.load(index, np.random.default_rng([0, 0, int(index)]))
