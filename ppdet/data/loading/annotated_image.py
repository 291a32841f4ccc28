"""Reads an image as its annotations see it: the size they state decides whether its EXIF orientation counts."""

from __future__ import annotations

from typing import Optional, Sequence

import numpy as np

from ppdet.annotations.annotated_object import SIZE_TOLERANCE
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.logger import get_logger
from ppdet.image.io import StoredImage, read_stored_image

logger = get_logger(__name__)

EXIF_CHOICES = ("auto", "stored", "turned")


class AnnotatedImageReader:
    """Reads images for which an annotation file states a size.

    Labelling tools show a photo as its EXIF orientation says; COCO's labels refer to the stored pixels. For a quarter turn the
    size tells which is meant. For half a turn, a mirrored or a square image, or where no size is stated, it does not.

    Args:
        image_range: [black, white] of images with more than 8 bits, see `ppdet.image.read_image`.
        exif_orientation: "auto" goes by the stated size and refuses where both fit; "stored" and "turned" settle it.

    Raises:
        ConfigError: another value of `exif_orientation`.
    """

    def __init__(self, image_range: Optional[Sequence[float]] = None, exif_orientation: str = "auto") -> None:
        if exif_orientation not in EXIF_CHOICES:
            raise ConfigError(f"exif_orientation is one of {', '.join(EXIF_CHOICES)}; given {exif_orientation!r}")
        self.image_range, self.exif_orientation = image_range, exif_orientation
        self._logged = False

    def read(self, path: str, stated_wh: np.ndarray) -> np.ndarray:
        """(H, W, 3) RGB uint8.

        Args:
            path: the file.
            stated_wh: (2,) size in the annotation file, 0 where unknown.

        Raises:
            MediaError: the file is missing or cannot be decoded.
            DataError: the image has another size than stated.
            ConfigError: an EXIF orientation that nothing settles; it concerns the whole dataset, not one image.
        """
        stored = read_stored_image(path, self.image_range)
        if stored.orientation == 1:
            return _checked(stored.rgb, path, stated_wh)
        turned = self._is_turned(stored, path, stated_wh)
        return _checked(stored.upright() if turned else stored.rgb, path, stated_wh)

    def _is_turned(self, stored: StoredImage, path: str, stated_wh: np.ndarray) -> bool:
        if self.exif_orientation != "auto":
            return self.exif_orientation == "turned"
        height, width = stored.rgb.shape[:2]
        fits_stored = _fits(stated_wh, (width, height))
        fits_turned = _fits(stated_wh, (height, width) if stored.orientation >= 5 else (width, height))
        if fits_stored and fits_turned:
            wh = f"{stated_wh[0]}x{stated_wh[1]}"
            known = (np.asarray(stated_wh) > 0).all()
            reason = f"its annotated size {wh} fits both ways" if known else "its annotations state no size"
            raise ConfigError(
                f"image {path} has EXIF orientation {stored.orientation}, and {reason}. Set exif_orientation: turned in the "
                "dataset if the labels were made in a tool that shows photos upright (most do), or exif_orientation: stored if "
                "they refer to the pixels as they are stored (COCO's do), for example -o EvalDataset.exif_orientation=turned"
            )
        if fits_turned and not self._logged:
            self._logged = True
            logger.info("images with an EXIF orientation whose annotated size says so are turned upright, %s first", path)
        return fits_turned


def _fits(stated_wh: np.ndarray, wh: Sequence[int]) -> bool:
    known = np.asarray(stated_wh) > 0
    return not known.all() or bool(np.abs(np.asarray(stated_wh) - wh).max() <= SIZE_TOLERANCE)


def _checked(image: np.ndarray, path: str, stated_wh: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    if not _fits(stated_wh, (width, height)):
        raise DataError(
            f"image {path} is {width}x{height}, but its annotations are for {stated_wh[0]}x{stated_wh[1]}; use the annotated "
            "image, or scale the annotations"
        )
    return image
