"""Checks the frame rate and number of frames that a container states against time stamps.

The stated values may be wrong (screen recorders, browsers, cut files). Players use the time stamps, so those decide.
"""
from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path
from typing import Union

import cv2

# Frames whose time stamps are compared with the stated rate, and how many more are read if these disagree: a variable rate may
# differ at the start from the average that the container rightly states.
FRAMES_TO_COMPARE, FRAMES_TO_MEASURE = 24, 3000
FEWEST_STAMPS = 4
# Most packets that may precede one that is shown before them (H.264 allows 16).
MOST_REORDERED = 16
# Relative tolerance of a stated rate, above the effect of rounding time stamps to milliseconds.
RATE_TOLERANCE = 0.03
# Stated frames that may be missing without a warning: encoders omit one, and counts are rounded.
MISSING_TOLERANCE = 1
MISSING_SHARE = 0.01


class Stamps:
    """First and last time stamp in milliseconds, and number of frames read."""

    def __init__(self) -> None:
        self.first = self.last = math.nan
        self.first_frame = self.last_frame = 0

    def add(self, frame: int, stamp_ms: Union[float, None]) -> None:
        """Add the time stamp of a frame (numbered from 1); stamps that do not increase are ignored."""
        if stamp_ms is None or stamp_ms <= self.last:
            return
        if math.isnan(self.first):
            self.first, self.first_frame = stamp_ms, frame
        self.last, self.last_frame = stamp_ms, frame

    def is_whole(self, frames: int) -> bool:
        """Whether the first and the last of `frames` frames have increasing stamps."""
        return (self.first_frame, self.last_frame) == (1, frames)

    @property
    def frame_ms(self) -> Union[float, None]:
        """Mean time between frames, or None if there are too few stamps."""
        frames = self.last_frame - self.first_frame
        return (self.last - self.first) / frames if frames >= FEWEST_STAMPS - 1 else None


def measured_fps(path: Union[str, Path], stated: Union[float, None]) -> Union[float, None]:
    """Frames per second from the time stamps of a video file, or None if they are not usable.

    Args:
        path: the file.
        stated: rate stated by the container; reading stops early if the first frames agree with it.
    """
    of_packets = _measured(packet_stamps(path), stated)
    return _measured(frame_stamps(path), stated) if of_packets is None else of_packets


def _measured(stamps_ms: Iterator[float], stated: Union[float, None]) -> Union[float, None]:
    stamps, count = Stamps(), 0
    for stamp in islice(stamps_ms, FRAMES_TO_MEASURE):
        count += 1
        stamps.add(count, stamp)
        if count == FRAMES_TO_COMPARE and stated and stamps.frame_ms and agree(stated, 1000.0 / stamps.frame_ms):
            break
    return 1000.0 / stamps.frame_ms if stamps.is_whole(count) and stamps.frame_ms else None


def packet_stamps(path: Union[str, Path]) -> Iterator[float]:
    """Time stamps of a video's frames in milliseconds, without decoding any; nothing if FFmpeg does not open the file."""
    return in_order(_stamps(cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])))


def in_order(stamps_ms: Iterable[float]) -> Iterator[float]:
    """Time stamps of packets, reordered from decoding order to presentation order."""
    waiting: list[float] = []
    for stamp in stamps_ms:
        heappush(waiting, stamp)
        if len(waiting) > MOST_REORDERED:
            yield heappop(waiting)
    yield from sorted(waiting)


def frame_stamps(path: Union[str, Path]) -> Iterator[float]:
    """Time stamps of a video's decoded frames in milliseconds, for files whose packets have none."""
    return _stamps(cv2.VideoCapture(str(path)))


def _stamps(capture: cv2.VideoCapture) -> Iterator[float]:
    try:
        while capture.grab():
            yield capture.get(cv2.CAP_PROP_POS_MSEC)
    finally:
        capture.release()


def agree(stated: float, measured: float) -> bool:
    """Whether two frame rates agree within the accuracy of time stamps."""
    return abs(stated - measured) <= RATE_TOLERANCE * measured


def frames_before_start(capture: cv2.VideoCapture, source: Union[str, Path, int]) -> int:
    """Number of frames that a container counts before its first one: Matroska's duration begins at 0, also if its first frame
    comes later, as in a part that was cut out of a recording or a stream.

    Args:
        capture: after its first frame was read.
        source: what it was opened with.
    """
    if not hasattr(cv2, "CAP_PROP_PTS") or not Path(str(source)).is_file():  # OpenCV before 4.11
        return 0
    with open(source, "rb") as file:
        is_matroska = file.read(4) == b"\x1a\x45\xdf\xa3"
    first = capture.get(cv2.CAP_PROP_PTS)
    return round(first) if is_matroska and math.isfinite(first) and first > 0 else 0


def missing_frames(promised: int, stated_fps: float, read: int, stamps: Stamps) -> int:
    """Number of stated frames that are missing.

    A stated number of frames means a duration at the stated rate. If the frames that were read fill that duration, none is
    missing, and the stated rate or a count derived from it is wrong.

    Args:
        promised: number of frames stated by the container.
        stated_fps: frames per second stated by the container.
        read: number of frames up to the last one that was read.
        stamps: their time stamps.
    """
    missing = promised - read
    if missing > 0 and stamps.frame_ms:
        due_ms = promised * 1000.0 / stated_fps
        here_ms = stamps.last - stamps.first + stamps.frame_ms
        missing = min(missing, round((due_ms - here_ms) / stamps.frame_ms))
    return missing if missing > max(MISSING_TOLERANCE, MISSING_SHARE * promised) else 0
