"""Source images, read as their annotations see them: all of them in memory when they fit, else the last few."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, Iterable, List, Optional, Sequence, Union

import numpy as np

from ppdet.annotations.annotated_object import SIZE_TOLERANCE
from ppdet.core.errors import ConfigError, DataError, MediaError
from ppdet.core.logger import get_logger
from ppdet.data.loading.memory import available_bytes
from ppdet.image.io import StoredImage, read_stored_image
from ppdet.inference.progress import Progress

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


logger = get_logger(__name__)

AUTO_SHARE_OF_MEMORY = 0.25
LAST_IMAGES_KEPT = 4


class ImageStore:
    """Returns images by row, decoding each as rarely as memory allows.

    Preload before workers are forked: they share the pages. Images are handed out read-only, because a transform that
    wrote into one would spoil it for every later epoch.

    Args:
        paths: M files.
        wh: (M, 2) sizes the annotation file promises, 0 where unknown. An image of another size is refused: its
            coordinates would be wrong.
        cache: "auto" keeps everything if it fits a quarter of the free memory, True always, False never.
        reader: reads one image; None is a reader with its defaults.

    Raises:
        ConfigError: another value of `cache`.
    """

    def __init__(
        self,
        paths: List[str],
        wh: np.ndarray,
        cache: Union[bool, str] = "auto",
        reader: Optional[AnnotatedImageReader] = None,
    ) -> None:
        if cache not in ("auto", True, False):
            raise ConfigError(f"cache must be auto, true or false; given {cache!r}")
        self.paths, self.wh, self.cache = paths, np.asarray(wh).reshape(-1, 2), cache
        self._reader = AnnotatedImageReader() if reader is None else reader
        self._all: Dict[int, np.ndarray] = {}
        self._last: OrderedDict[int, np.ndarray] = OrderedDict()

    @property
    def num_cached(self) -> int:
        """Images kept in memory."""
        return len(self._all)

    def get(self, row: int) -> np.ndarray:
        """(H, W, 3) RGB uint8, read-only.

        Raises:
            MediaError: the file is missing or no image.
            DataError: it has another size than the annotation file says.
            ConfigError: its EXIF orientation may or may not count; see `AnnotatedImageReader`.
        """
        image = self._all.get(row)
        if image is not None:
            return image
        image = self._last.get(row)
        if image is None:
            image = self._read(row)
            self._last[row] = image
            if len(self._last) > LAST_IMAGES_KEPT:
                self._last.popitem(last=False)
        return image

    def _read(self, row: int) -> np.ndarray:
        image = self._reader.read(self.paths[row], self.wh[row])
        image.flags.writeable = False
        return image

    def preload(self, rows: Iterable[int], share: float = 1.0) -> bool:
        """Decode these images and keep them, if `cache` and the memory allow; logs progress.

        Args:
            share: part of the memory budget that is ours (1 / processes on this machine).

        Returns:
            Whether the images are now in memory. Unreadable ones are no error here; `get` raises.
        """
        wanted = [r for r in rows if r not in self._all]
        if self.cache is False or not wanted:
            return not wanted and bool(self._all)
        need, budget = self._estimate(wanted), available_bytes() * AUTO_SHARE_OF_MEMORY * share
        if self.cache == "auto" and need > budget:
            logger.info(
                "images are decoded on the fly: %d of them take about %.1f GB, the budget is %.1f GB (cache: true "
                "keeps them anyway)",
                len(wanted),
                need / 2**30,
                budget / 2**30,
            )
            return False
        self._fill(wanted, need)
        return True

    def _estimate(self, rows: List[int]) -> float:
        sizes = self.wh[rows].prod(axis=1) * 3.0
        if (sizes == 0).any():
            known = sizes[sizes > 0]
            sizes[sizes == 0] = known.mean() if len(known) else self._mean_bytes_of_few(rows)
        return float(sizes.sum())

    def _mean_bytes_of_few(self, rows: List[int]) -> float:
        few = [image.nbytes for image in map(self._try_read, rows[:: max(1, len(rows) // 8)][:8]) if image is not None]
        return float(np.mean(few)) if few else 0.0

    def _try_read(self, row: int) -> Union[np.ndarray, None]:
        try:
            return self._read(row)
        except (MediaError, DataError):
            return None

    def _fill(self, rows: List[int], need: float) -> None:
        start = time.monotonic()
        progress = Progress("images into memory", len(rows), "image")
        with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as threads:  # decoding frees the interpreter lock
            for row, image in zip(rows, threads.map(self._try_read, rows)):
                if image is not None:
                    self._all[row] = image
                progress.step()
        progress.close()
        seconds = time.monotonic() - start
        logger.info(
            "%d images in memory (%.2f GB) after %.1f s, %.0f images/s",
            len(self._all),
            need / 2**30,
            seconds,
            len(rows) / max(seconds, 1e-9),
        )
