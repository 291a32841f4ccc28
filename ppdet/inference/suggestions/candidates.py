"""The frames to choose from: images of folders, and frames of videos."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ppdet.core.errors import MediaError
from ppdet.core.logger import get_logger
from ppdet.image.io import is_image_file, list_images, read_image
from ppdet.inference.files.source_names import camera_number
from ppdet.inference.files.urls import is_url
from ppdet.inference.video.reader import VideoReader

_log = get_logger(__name__)
UNKNOWN_LENGTH_STEP = 10


@dataclass(frozen=True)
class Candidate:
    """A frame.

    Attributes:
        source: image file or video.
        frame: number in the video from 1 on, None for an image file.
    """

    source: Path
    frame: int | None = None

    @property
    def name(self) -> str:
        """Name of the image file, or the one that the frame of a video is saved under."""
        return self.source.name if self.frame is None else f"{self.source.stem}_frame_{self.frame:06d}.png"


def candidates(sources: Sequence[str], most: int, known: Collection[str] = ()) -> Iterator[tuple[Candidate, np.ndarray]]:
    """The frames and their (H, W, 3) RGB uint8 pixels as stored, without EXIF orientation, as the datasets read them.

    Args:
        sources: folders of images, image files and video files.
        most: frames per source; of more, every n-th is taken.
        known: names that are left out, because they are labelled.

    Raises:
        MediaError: a source that does not exist or cannot be read, or a camera or stream, which has no frames to go back to.
    """
    for text in sources:
        if is_url(text) or camera_number(text) is not None:
            raise MediaError(f"{text}: frames can be suggested of files only; record a video first")
        path = Path(text)
        if path.is_dir() or is_image_file(path):
            yield from _images(list_images(path) if path.is_dir() else [path], most, known)
        else:
            yield from _frames(path, most, known)


def read_again(wanted: Sequence[Candidate]) -> dict[Candidate, np.ndarray]:
    """Pixels of some candidates; a video is read once for all of its frames."""
    found = {each: read_image(each.source, apply_orientation=False) for each in wanted if each.frame is None}
    for video in dict.fromkeys(each.source for each in wanted if each.frame is not None):
        frames = {each.frame: each for each in wanted if each.source == video}
        with VideoReader(video) as reader:
            for frame in reader:
                if frame.index in frames and frame.image is not None:
                    found[frames[frame.index]] = frame.image
                if frame.index >= max(number for number in frames if number is not None):
                    break
    return found


def _images(paths: Sequence[Path], most: int, known: Collection[str]) -> Iterator[tuple[Candidate, np.ndarray]]:
    left = [path for path in paths if path.name not in known]
    for row in _spread(len(left), most):
        try:
            yield Candidate(left[row]), read_image(left[row], apply_orientation=False)
        except MediaError as error:
            _log.error("%s", error)


def _frames(path: Path, most: int, known: Collection[str]) -> Iterator[tuple[Candidate, np.ndarray]]:
    with VideoReader(path) as reader:
        step = math.ceil(reader.frame_count / most) if reader.frame_count else UNKNOWN_LENGTH_STEP
        for frame in reader:
            candidate = Candidate(path, frame.index)
            if (frame.index - 1) % step == 0 and frame.image is not None and candidate.name not in known:
                yield candidate, frame.image


def _spread(count: int, most: int) -> list[int]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist() if count else []
