"""Writes videos with one of OpenCV's available encoders."""
from __future__ import annotations

import os
import random
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from ppdet.core.command import Terminated, is_interrupt
from ppdet.core.errors import MediaError
from ppdet.core.logger import get_logger
from ppdet.core.quantity import quantity
from ppdet.image.io import IMAGE_SUFFIXES
from ppdet.inference.video.check import what_is_wrong

# Encoders for each container, in the order to try. Every OpenCV has MPEG-4 part 2 ("mp4v").
CODECS = {".webm": ("VP80", "VP90"), ".flv": ("FLV1",), ".mpg": ("MPG1",), ".mpeg": ("MPG1",)}
USUAL_CODECS = ("mp4v", "avc1", "MJPG")
FALLBACK_SUFFIXES = (".mp4", ".avi")
# For these, OpenCV writes one image per frame, under names derived from the digits of the given one.
IMAGE_FILE_SUFFIXES = (*IMAGE_SUFFIXES, ".gif", ".apng", ".avif", ".jp2", ".ppm", ".pgm", ".exr", ".hdr", ".tga")
FRAMES_BETWEEN_LOOKS = 50
IMAGE_FILE_BACKEND = "CV_IMAGES"


class VideoWriter:
    """Encodes to a temporary file beside `path`, reads it back and renames it, so that no incomplete video is left.

    As a context manager it finishes the video at the end of the block, and also if the block is interrupted (Ctrl-C, SIGTERM),
    with the frames so far. Any other error removes the file.

    If there is no encoder for the container, or the suffix is that of an image (.gif, .png), the suffix becomes .mp4 (or .avi),
    with a log line; `path` is the actual path.

    Args:
        path: the video to write.
        fps: frames per second, not rounded.
        size_wh: width and height of every frame.

    Attributes:
        may_be_empty: whether no frame is no error; then there is no file.

    Raises:
        MediaError: no encoder works, or the folder cannot be written to.
    """

    def __init__(self, path: str | Path, fps: float, size_wh: tuple[int, int]) -> None:
        self.path = Path(path)
        self.may_be_empty = False
        self.size_wh = size_wh
        self.frames = 0
        self._bgr: np.ndarray | None = None
        self._temporary: Path | None = None
        try:
            self._writer = self._open(fps)
        except BaseException:  # an interruption as soon as the file is there: nobody else knows its name
            self._remove()
            raise

    def _open(self, fps: float) -> cv2.VideoWriter:
        wanted = self.path
        if min(self.size_wh) < 1:
            raise MediaError(f"cannot write the video {wanted} with frames of {self.size_wh[0]} x {self.size_wh[1]} pixels: the "
                             "source does not state its size")
        try:
            wanted.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MediaError(f"cannot make the folder {wanted.parent}: {error.strerror or error}; choose another one") from error
        suffixes = [wanted.suffix.lower()] if wanted.suffix else []
        for suffix in suffixes + [other for other in FALLBACK_SUFFIXES if other not in suffixes]:
            if suffix in IMAGE_FILE_SUFFIXES:
                continue
            temporary = self._temporary = temporary_name(wanted.parent, suffix)
            for codec in CODECS.get(suffix, USUAL_CODECS):
                writer = cv2.VideoWriter(str(temporary), cv2.VideoWriter.fourcc(*codec), fps, self.size_wh)
                if writer.isOpened() and writer.getBackendName() != IMAGE_FILE_BACKEND:
                    if suffix != wanted.suffix.lower():
                        self.path = wanted.with_suffix(suffix)
                        get_logger(__name__).warning("OpenCV has no encoder for %s files here; writing %s instead",
                                                     wanted.suffix or "such", self.path)
                    return writer
                writer.release()
                temporary.unlink(missing_ok=True)
        raise MediaError(f"cannot write the video {wanted}: no encoder of this OpenCV works there; check that the folder can be "
                         "written to, or install opencv-python with FFmpeg")

    def write(self, image: np.ndarray) -> None:
        """Append an (H, W, 3) RGB uint8 frame; frames of another size are resized (a stream may change its size).

        Raises:
            MediaError: the disk is full; checked every 50 frames, so that hours of work are not lost.
        """
        if self.frames % FRAMES_BETWEEN_LOOKS == FRAMES_BETWEEN_LOOKS - 1 and disk_is_full(self.path.parent):
            raise MediaError(f"the disk of {self.path} is full after {self.frames} frames: free some space or choose another "
                             "place, and run again")
        if (image.shape[1], image.shape[0]) != self.size_wh:
            image = cv2.resize(image, self.size_wh, interpolation=cv2.INTER_AREA)
        self._bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR, dst=self._bgr)
        self._writer.write(self._bgr)
        self.frames += 1

    def finish(self) -> Path:
        """Finish the video, check that it can be read back, and rename it to `path`.

        OpenCV's encoders do not report failed writes, so the file itself is checked. An interruption meanwhile ends the check:
        the video gets its name, and the interruption is raised.

        Raises:
            MediaError: the file is missing, incomplete or cannot be opened (the disk may be full); no file is left.
        """
        assert self._temporary is not None
        self._writer.release()
        try:
            wrong = what_is_wrong(self._temporary, self.frames)
        except (KeyboardInterrupt, Terminated):
            os.replace(self._temporary, self.path)
            raise
        if wrong is not None:
            self.discard()
            raise MediaError(f"the video {self.path} was not written: {wrong}. Is the disk full, or a quota reached? Free some "
                             "space or choose another place, and run again")
        try:
            os.replace(self._temporary, self.path)
        except OSError as error:
            self.discard()
            raise MediaError(f"cannot give the finished video its name {self.path}: {error.strerror or error}") from error
        return self.path

    def discard(self) -> None:
        """Stop and remove the unfinished file."""
        self._writer.release()
        self._remove()

    def _remove(self) -> None:
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and (self.frames or not self.may_be_empty):
            self.finish()
        elif self.frames and is_interrupt(kind):
            with suppress(MediaError):  # report the interruption, and remove an unfinished file
                done = quantity(self.frames, "frame")
                get_logger(__name__).warning("interrupted: %s holds the %s written so far", self.finish(), done)
        else:
            self.discard()


def disk_is_full(folder: Path) -> bool:
    """Whether the disk has no space left for this user; False if unknown."""
    if not hasattr(os, "statvfs"):
        return False
    state = os.statvfs(folder)
    return state.f_blocks > 0 and (state.f_bfree if os.geteuid() == 0 else state.f_bavail) == 0


def temporary_name(folder: Path, suffix: str) -> Path:
    """A new hidden file name, without digits, which OpenCV could take for the pattern of an image sequence."""
    letters = "".join(random.SystemRandom().choices("abcdefghijklmnopqrstuvwxyz", k=10))
    return folder / f".{letters}.part{suffix}"
