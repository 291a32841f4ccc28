"""Reads videos, streams and cameras frame by frame, and reports what could not be read."""
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
from ppdet.inference.files.source_names import camera_number
from ppdet.inference.files.urls import is_url, without_secrets
from ppdet.inference.video.buffers import FrameBuffers
from ppdet.inference.video.opening import is_live, open_capture
from ppdet.inference.video.timing import Stamps, agree, frames_before_start, measured_fps, missing_frames

# A container may state more frames than exist; stop searching after this many failures.
MOST_FAILURES_IN_A_ROW = 2000
FALLBACK_FPS = 25.0
HIGHEST_CREDIBLE_FPS = 1000.0


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        index: from 1 on, as PaddleDetection counts.
        timestamp_ms: presentation time in the video, or None if unknown.
        image: (H, W, 3) RGB uint8, or None if the frame could not be decoded. Its memory is used again for a later frame when
            neither it nor a view of it is held any more.
    """

    index: int
    timestamp_ms: float | None
    image: np.ndarray | None


class VideoReader:
    """An open video file, stream or camera.

    A frame in the middle that cannot be decoded is yielded without an image, so that numbers and times of later frames stay
    correct.

    Args:
        source: path or URL of a video or stream, or the number of a camera.
        skip: frames at the beginning that are left out; the numbers of the others stay.

    Attributes:
        fps: frames per second, not rounded: as stated by the container, unless the time stamps of a file disagree.
        is_live: a camera or a stream, which must be stopped by the user.
        name: name in messages; never contains a password.
        size_wh: width and height in pixels.
        frame_count: number of frames stated by the container, or None.
        unreadable: numbers of the frames that could not be decoded.
        missing: after iterating, number of stated frames that are missing at the end.

    Raises:
        MediaError: the file is missing, empty or not a video, or the camera or stream cannot be opened.
    """

    def __init__(self, source: str | Path | int, skip: int = 0) -> None:
        self._skip = skip
        number = source if isinstance(source, int) else camera_number(source)
        self.source = source if number is None else number
        self.name = f"camera {number}" if number is not None else without_secrets(source)
        self._capture = open_capture(self.source)
        self._lock = threading.Lock()  # FFmpeg aborts the process if a file is closed while another thread decodes it
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        has_count = math.isfinite(count) and 0 < count < 1e9
        self.is_live = is_live(self.source) or (is_url(self.source) and not has_count)  # such as motion JPEG over HTTP
        self.frame_count = int(count) if has_count and not self.is_live else None
        self._has_stamps = True
        self._stated_fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps = self._best_fps()
        self.size_wh = (int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        self.unreadable: list[int] = []
        self.missing = 0
        self._stamps = Stamps()
        self._bgr: np.ndarray | None = None
        self._buffers = FrameBuffers()

    def _best_fps(self) -> float:
        stated = self._stated_fps if math.isfinite(self._stated_fps) and 0 < self._stated_fps <= HIGHEST_CREDIBLE_FPS else None
        is_file = not self.is_live and not is_url(self.source)
        measured = measured_fps(str(self.source), stated) if is_file else None
        if measured is not None and measured > HIGHEST_CREDIBLE_FPS:
            measured, self._has_stamps = None, False
        if measured is not None and (stated is None or not agree(stated, measured)):
            get_logger(__name__).warning("%s states %g frames per second, but its time stamps give %.4g, which is used",
                                         self.name, self._stated_fps, measured)
            return measured
        if stated is None:
            get_logger(__name__).warning("%s states %g frames per second; %g is used instead", self.name, self._stated_fps,
                                         FALLBACK_FPS)
            return FALLBACK_FPS
        return stated

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order; warns if the file contains fewer than stated.

        Raises:
            MediaError: no frame could be decoded, or there are fewer than `skip`.
        """
        index, pending, read, late = 0, 0, 0, 0
        while True:
            is_skipped = index + pending < self._skip
            with self._lock:
                ok = self._capture.grab() if is_skipped else self._read()
                stamp = self._timestamp() if ok else None
            if not ok:
                pending += 1
                if index + pending > (self.frame_count or 0) or pending > MOST_FAILURES_IN_A_ROW:
                    break
                continue
            for _ in range(pending):
                index += 1
                if index > self._skip:
                    self.unreadable.append(index)
                    yield Frame(index, None, None)
            pending = 0
            index += 1
            read += 1
            late = frames_before_start(self._capture, self.source) if read == 1 else late
            self._stamps.add(index, stamp)
            if not is_skipped:
                yield Frame(index, stamp, self._rgb())
        if read and index < self._skip:
            raise MediaError(f"{self.name} has {index} frames, and {self._skip} of it are said to be done: the earlier results "
                             "are of another video; give its results, or leave --resume out")
        if read == 0:
            raise MediaError(f"{self.name} opens, but none of its frames could be decoded: the file is damaged or its codec is "
                             "missing in this OpenCV; convert it, for example with: ffmpeg -i INPUT -c:v mpeg4 OUTPUT.mp4")
        self._report(index, late)

    def _read(self) -> bool:
        ok, bgr = self._capture.read(self._bgr)
        self._bgr = bgr if ok else self._bgr
        return ok

    def _rgb(self) -> np.ndarray:
        """The frame that was read last."""
        assert self._bgr is not None
        return cv2.cvtColor(self._bgr, cv2.COLOR_BGR2RGB, dst=self._buffers.empty(self._bgr.shape))

    def _timestamp(self) -> float | None:
        stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        return float(stamp) if self._has_stamps and math.isfinite(stamp) and stamp >= 0 else None

    def _report(self, index: int, late: int) -> None:
        log = get_logger(__name__)
        if self.is_live:
            log.warning("%s gives no more frames after %d: it has ended, was unplugged or lost its connection. The results cover "
                        "what came before", self.name, index)
        if self.unreadable:
            log.warning("%s: %d frames could not be decoded (%s); each repeats the frame before it, without poses",
                        self.name, len(self.unreadable), ranges_text(self.unreadable))
        promised = 0 if self.frame_count is None else self.frame_count - late
        self.missing = missing_frames(promised, self._stated_fps, index, self._stamps)
        if self.missing:
            log.error("%s promises %d frames and ends after %d: the rest is missing or damaged. The results cover the first %d "
                      "frames only; copy or download the video again", self.name, promised, index, index)
        frame_ms = self._stamps.frame_ms
        is_whole = not (self.is_live or self.missing or self.unreadable)
        if frame_ms and is_whole and not agree(self.fps, 1000.0 / frame_ms):
            log.warning("%s has a variable frame rate (%.4g per second at its start, %.4g on the whole): a video written from it "
                        "plays at %.4g; the time stamps in JSON are the video's own", self.name, self.fps, 1000.0 / frame_ms,
                        self.fps)

    def frames_to_read(self, max_frames: int | None = None) -> int | None:
        """Number of frames that iterating gives if it ends after `max_frames`; None if neither is known."""
        left = None if self.frame_count is None else max(self.frame_count - self._skip, 0)
        return min((count for count in (left, max_frames) if count is not None), default=None)

    def exit_status(self) -> int:
        """Exit status of a command after reading: 1 if frames were missing or could not be decoded, otherwise 0."""
        return 1 if self.missing or self.unreadable else 0

    def close(self) -> None:
        """Release the file or camera; waits for a frame that is being decoded in another thread."""
        with self._lock:
            self._capture.release()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
