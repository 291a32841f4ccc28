"""Reads videos and cameras frame by frame, and says what could not be read."""
from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ppdet.core.errors import MediaError
from ppdet.core.logger import get_logger
from ppdet.inference.video.path import check_video_path

# A container may promise more frames than there are; do not look for them for ever.
MOST_FAILURES_IN_A_ROW = 2000
FALLBACK_FPS = 25.0
HIGHEST_CREDIBLE_FPS = 1000.0


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        index: from 1 on, as PaddleDetection counts.
        timestamp_ms: presentation time in the video, or None if the source gives none.
        image: (H, W, 3) RGB uint8, or None for a frame that could not be decoded.
    """

    index: int
    timestamp_ms: float | None
    image: np.ndarray | None


class VideoReader:
    """An open video file or camera.

    A frame in the middle that does not decode is passed on as a frame without image, so that numbers and times of the
    frames after it stay right.

    Args:
        source: path or URL of a video, or the number of a camera.

    Attributes:
        fps: frames a second as the container states it, with its fraction (29.97 is not 29).
        size_wh: width and height in pixels.
        frame_count: number of frames that the container promises, or None.
        unreadable: numbers of the frames that did not decode.

    Raises:
        MediaError: the file is missing, empty or no video; the camera does not open.
    """

    def __init__(self, source: str | Path | int) -> None:
        self.source = source
        self.is_camera = isinstance(source, int)
        self.name = f"camera {source}" if self.is_camera else str(source)
        self._capture = _open(source)
        self._lock = threading.Lock()  # FFmpeg aborts the process if a file is closed while a thread decodes from it
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps_is_known = math.isfinite(fps) and 0 < fps <= HIGHEST_CREDIBLE_FPS
        self.fps = float(fps) if self.fps_is_known else FALLBACK_FPS
        if not self.fps_is_known:
            get_logger(__name__).warning("%s states %s frames a second; %g is taken instead", self.name, fps, FALLBACK_FPS)
        self.size_wh = (int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.frame_count = int(count) if not self.is_camera and math.isfinite(count) and 0 < count < 1e9 else None
        self.unreadable: list[int] = []

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order; ends with a warning if the file holds fewer than it promises.

        Raises:
            MediaError: not one frame could be decoded.
        """
        index, pending, read = 0, 0, 0
        while True:
            with self._lock:
                ok, bgr = self._capture.read()
            if not ok:
                pending += 1
                if index + pending > (self.frame_count or 0) or pending > MOST_FAILURES_IN_A_ROW:
                    break
                continue
            for _ in range(pending):
                index += 1
                self.unreadable.append(index)
                yield Frame(index, None, None)
            pending = 0
            index += 1
            read += 1
            yield Frame(index, self._timestamp(), cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
        if read == 0:
            raise MediaError(f"{self.name} opens, but none of its frames could be decoded: the file is damaged or its codec is "
                             "missing in this OpenCV; convert it, for example with: ffmpeg -i INPUT -c:v mpeg4 OUTPUT.mp4")
        self._report(index)

    def _timestamp(self) -> float | None:
        stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        return float(stamp) if math.isfinite(stamp) and stamp >= 0 else None

    def _report(self, index: int) -> None:
        log = get_logger(__name__)
        if self.unreadable:
            log.warning("%s: %d frames could not be decoded (%s); the picture before them is repeated, without poses",
                        self.name, len(self.unreadable), ranges_text(self.unreadable))
        if self.frame_count is not None and index < self.frame_count:
            log.warning("%s promises %d frames and ends after %d: the rest is missing or damaged", self.name, self.frame_count,
                        index)

    def close(self) -> None:
        """Let go of the file or camera; waits for a frame that is being decoded in another thread."""
        with self._lock:
            self._capture.release()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open(source: str | Path | int) -> cv2.VideoCapture:
    if not isinstance(source, int) and "://" not in str(source):
        check_video_path(source)
    capture = cv2.VideoCapture(source if isinstance(source, int) else str(source))
    if not capture.isOpened():
        capture.release()
        if isinstance(source, int):
            raise MediaError(f"camera {source} does not open: check that it is connected, free and allowed, or try another "
                             "--camera_id (0 is the first)")
        raise MediaError(f"{source} does not open as a video: it is damaged, cut off or of a kind that this OpenCV cannot read; "
                         "convert it, for example with: ffmpeg -i INPUT -c:v mpeg4 OUTPUT.mp4")
    return capture


def ranges_text(numbers: list[int], most: int = 5) -> str:
    """Numbers as ranges: [3, 4, 5, 9] is "3-5, 9"; a long list ends in "..."."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    texts = [f"{first}-{last}" if last > first else str(first) for first, last in ranges[:most]]
    return ", ".join(texts + (["..."] if len(ranges) > most else []))
