"""Images of a command: one file or a directory, read one by one; unreadable ones are reported and skipped."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ppdet.core.errors import MediaError
from ppdet.core.logger import get_logger
from ppdet.image.depth import checked_range
from ppdet.image.io import list_images, read_image
from ppdet.inference.files.source_names import VIDEO_SUFFIXES

MOST_NAMES = 5


class ImageInputs:
    """Reads images in groups, and records which failed.

    Args:
        image_file: one image; has priority over `image_dir`, as in PaddleDetection.
        image_dir: a directory of images.
        apply_orientation: apply the EXIF orientation; see `read_image`.
        image_range: [black, white] values of images with more than 8 bits; None finds it from each file.

    Attributes:
        paths: the images.
        failed: those that could not be read or processed.

    Raises:
        MediaError: no such file or directory, or no image in it.
        ConfigError: a range that is none.
    """

    def __init__(
        self,
        image_file: str | None,
        image_dir: str | None,
        apply_orientation: bool = True,
        image_range: Sequence[float] | None = None,
    ) -> None:
        if image_file:
            if not Path(image_file).exists():
                raise MediaError(f"there is no image {image_file}: check --image_file")
            if Path(image_file).suffix.lower() in VIDEO_SUFFIXES:
                raise MediaError(f"{image_file} is a video: give it as --video_file")
            self.paths = [Path(image_file)]
        else:
            self.paths = list_images(str(image_dir))
        self.failed: list[Path] = []
        self.apply_orientation, self.image_range = apply_orientation, checked_range(image_range)

    def groups(self, size: int) -> Iterator[tuple[list[Path], list[np.ndarray]]]:
        """Paths and (H, W, 3) RGB images, `size` at a time; unreadable files are skipped and recorded."""
        paths: list[Path] = []
        images: list[np.ndarray] = []
        for path in self.paths:
            try:
                images.append(read_image(path, self.apply_orientation, self.image_range))
                paths.append(path)
            except MediaError as error:
                self.fail(path, error)
            if len(images) == size:
                yield paths, images
                paths, images = [], []
        if images:
            yield paths, images

    def fail(self, path: Path, error: Exception) -> None:
        """Record an image that could not be processed."""
        get_logger(__name__).error("%s", error)
        self.failed.append(path)

    def exit_status(self) -> int:
        """0 if every image was processed, otherwise 1, with a log line that states how many failed."""
        if not self.failed:
            return 0
        names = ", ".join(path.name for path in self.failed[:MOST_NAMES]) + (", ..." if len(self.failed) > MOST_NAMES else "")
        get_logger(__name__).error("%d of %d images failed: %s", len(self.failed), len(self.paths), names)
        return 1
