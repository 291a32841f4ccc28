"""Time stamps against what a container states: which frame rate is true, and how many frames are missing.

Containers state a frame rate and a number of frames that may be wrong (screen recorders, browsers, cut files). The time stamps of
the frames are what players go by, so they decide.
"""
from __future__ import annotations

import math
from pathlib import Path
from typing import Union

import cv2

# Frames whose time stamps are compared with the stated rate, and how many more are read if these disagree: a variable rate may
# differ at the start from the average that the container rightly states.
FRAMES_TO_COMPARE, FRAMES_TO_MEASURE = 24, 3000
FEWEST_STAMPS = 4
# Share by which a stated rate may differ from the measured one: rounding of time stamps to milliseconds stays below.
RATE_TOLERANCE = 0.03
# Frames of a container's promise that may be absent without a word: encoders keep one back, and counts are rounded.
MISSING_TOLERANCE = 1
MISSING_SHARE = 0.01


class Stamps:
    """First and last time stamp of the frames read, in milliseconds, and how many there were."""

    def __init__(self) -> None:
        self.first = self.last = math.nan
        self.first_frame = self.last_frame = 0

    def add(self, frame: int, stamp_ms: Union[float, None]) -> None:
        """Take in the stamp of a frame (numbers from 1 on); stamps that do not increase are left out."""
        if stamp_ms is None or stamp_ms <= self.last:
            return
        if math.isnan(self.first):
            self.first, self.first_frame = stamp_ms, frame
        self.last, self.last_frame = stamp_ms, frame

    def is_whole(self, frames: int) -> bool:
        """Whether the first and the last of so many frames have stamps that increase."""
        return (self.first_frame, self.last_frame) == (1, frames)

    @property
    def frame_ms(self) -> Union[float, None]:
        """Mean time between frames, or None if there are too few stamps."""
        frames = self.last_frame - self.first_frame
        return (self.last - self.first) / frames if frames >= FEWEST_STAMPS - 1 else None


def measured_fps(path: Union[str, Path], stated: Union[float, None]) -> Union[float, None]:
    """Frames per second by the time stamps of a video file, or None if they do not tell.

    Args:
        path: the file.
        stated: what its container states; reading stops early if the first frames agree with it.
    """
    capture = cv2.VideoCapture(str(path))
    stamps, grabbed = Stamps(), 0
    try:
        while grabbed < FRAMES_TO_MEASURE and capture.grab():
            grabbed += 1
            stamps.add(grabbed, capture.get(cv2.CAP_PROP_POS_MSEC))
            if grabbed == FRAMES_TO_COMPARE and stated and stamps.frame_ms and agree(stated, 1000.0 / stamps.frame_ms):
                break
    finally:
        capture.release()
    return 1000.0 / stamps.frame_ms if stamps.is_whole(grabbed) and stamps.frame_ms else None


def agree(stated: float, measured: float) -> bool:
    """Whether two frame rates are the same within the accuracy of time stamps."""
    return abs(stated - measured) <= RATE_TOLERANCE * measured


def missing_frames(promised: int, stated_fps: float, read: int, stamps: Stamps) -> int:
    """How many of the frames that a container promises are not there.

    A promise in frames is a promise of time at the stated rate. If the frames that were read fill that time, all is there and the
    stated rate, or the count made from it, is wrong.

    Args:
        promised: number of frames that the container states.
        stated_fps: frames per second that it states.
        read: number of frames up to the last one that was read.
        stamps: their time stamps.
    """
    missing = promised - read
    if missing > 0 and stamps.frame_ms:
        due_ms = promised * 1000.0 / stated_fps
        here_ms = stamps.last - stamps.first + stamps.frame_ms
        missing = min(missing, round((due_ms - here_ms) / stamps.frame_ms))
    return missing if missing > max(MISSING_TOLERANCE, MISSING_SHARE * promised) else 0
